exports.handler = async ({ Records, state = {} }) => {
  for (const { eventSource } of Records) state[eventSource] = (state[eventSource] ?? 0) + 1
  return { state }
}
