'use strict';
// Loads an ES module. NODE_PATH means nothing to import, so layers and the AWS SDK are searched by a hook.

const path = require('path');
const url = require('url');
const Module = require('module');

function searchPaths() {
  return (process.env.NODE_PATH || '').split(path.delimiter)
    .filter((dir) => path.basename(dir) === 'node_modules')
    .map((dir) => url.pathToFileURL(path.join(path.dirname(dir), 'import.js')).href);
}

function install() {
  const paths = searchPaths();
  if (paths.length === 0) return;
  if (typeof Module.registerHooks === 'function') {
    Module.registerHooks({
      resolve(specifier, context, next) {
        try {
          return next(specifier, context);
        } catch (error) {
          if (/^[./]|^[a-z]+:/i.test(specifier)) throw error;
          for (const parentURL of paths) {
            try {
              return next(specifier, Object.assign({}, context, { parentURL }));
            } catch (e) { /* the next one, or the first error */ }
          }
          throw error;
        }
      },
    });
  } else if (typeof Module.register === 'function') {
    Module.register(url.pathToFileURL(path.join(__dirname, 'resolve.mjs')).href, { data: { paths } });
  }
}

let installed = false;

function load(file) {
  if (!installed) {
    installed = true;
    install();
  }
  return import(url.pathToFileURL(file).href);
}

module.exports = { load };
