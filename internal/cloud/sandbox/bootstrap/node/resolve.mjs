// The hook of esm.js for versions of Node.js whose hooks run in a thread of their own.

let paths = [];

export function initialize(data) {
  paths = data.paths;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (/^[./]|^[a-z]+:/i.test(specifier)) throw error;
    for (const parentURL of paths) {
      try {
        return await next(specifier, { ...context, parentURL });
      } catch { /* the next one, or the first error */ }
    }
    throw error;
  }
}
