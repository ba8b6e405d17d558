exports.handler = async ({ Records }) => {
  for (const { Sns, body } of Records) console.log('bill', JSON.parse(Sns ? Sns.Message : JSON.parse(body).Message))
}
