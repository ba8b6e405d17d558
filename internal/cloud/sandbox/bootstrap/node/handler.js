'use strict';
// Finds the function that _HANDLER names: "index.handler", "src/app.handler", "index.routes.get".

const fs = require('fs');
const path = require('path');

// RuntimeError has the name that AWS gives to errors of its own.
class RuntimeError extends Error {
  constructor(name, message, cause) {
    super(message);
    this.name = name;
    if (cause && cause.stack) this.stack = cause.stack;
  }
}

function split(handler) {
  if (handler.indexOf('..') >= 0) {
    throw new RuntimeError('Runtime.MalformedHandlerName', "'" + handler + "' is not a valid handler name. Use absolute paths when specifying root directories in handler names.");
  }
  const base = path.basename(handler);
  const match = /^([^.]*)\.(.+)$/.exec(base);
  if (!match) {
    throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler');
  }
  return { dir: handler.slice(0, handler.length - base.length), module: match[1], names: match[2].split('.') };
}

// isModule says whether a .js file is an ES module: its nearest package.json within the function's code decides.
function isModule(root, file) {
  for (let dir = path.dirname(file); dir.startsWith(root); dir = path.dirname(dir)) {
    const pkg = path.join(dir, 'package.json');
    if (fs.existsSync(pkg)) {
      try {
        return JSON.parse(fs.readFileSync(pkg, 'utf8')).type === 'module';
      } catch (e) {
        return false;
      }
    }
    if (dir === path.dirname(dir)) break;
  }
  return false;
}

async function load(root, dir, name) {
  const base = path.resolve(root, dir, name);
  if (fs.existsSync(base + '.js')) {
    return isModule(root, base + '.js') ? require('./esm.js').load(base + '.js') : require(base + '.js');
  }
  if (fs.existsSync(base + '.mjs')) return require('./esm.js').load(base + '.mjs');
  if (fs.existsSync(base + '.cjs')) return require(base + '.cjs');
  if (fs.existsSync(base)) return require(base); // a folder with an index, or a file without an ending
  // Not a file of the code: perhaps a package, of the code or of a layer.
  const places = [root, path.resolve(root, dir)].concat((process.env.NODE_PATH || '').split(path.delimiter).map((p) => path.dirname(p)));
  return require(require.resolve(dir + name, { paths: places }));
}

function explain(error) {
  if (error instanceof SyntaxError) {
    return new RuntimeError('Runtime.UserCodeSyntaxError', String(error), error);
  }
  if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
    return new RuntimeError('Runtime.ImportModuleError', String(error), error);
  }
  return error;
}

async function loadHandler(root, handler) {
  const parts = split(handler);
  let found;
  try {
    found = await load(root, parts.dir, parts.module);
  } catch (error) {
    throw explain(error);
  }
  for (const name of parts.names) {
    found = found === undefined || found === null ? undefined : found[name];
  }
  if (found === undefined || found === null) {
    throw new RuntimeError('Runtime.HandlerNotFound', handler + ' is undefined or not exported');
  }
  if (typeof found !== 'function') {
    throw new RuntimeError('Runtime.HandlerNotFound', handler + ' is not a function');
  }
  return found;
}

module.exports = { loadHandler, RuntimeError };
