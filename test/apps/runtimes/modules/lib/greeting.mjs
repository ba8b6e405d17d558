export const greeting = (from) => `from a ${from}`;
