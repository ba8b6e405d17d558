'use strict';
// Writes what the console gets in AWS's format: time, request id, level and message, separated by tabs; or as JSON.

const util = require('util');
const fs = require('fs');

const asJSON = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
let requestId;

// put writes one event to standard output. A zero byte before a line end says that the event goes on.
function put(text) {
  let data = Buffer.from(text.replace(/\n/g, '\0\n') + '\n');
  while (data.length > 0) {
    try {
      data = data.slice(fs.writeSync(1, data));
    } catch (e) {
      if (e.code !== 'EAGAIN') return;
    }
  }
}

function write(level, label, message) {
  const time = new Date().toISOString();
  if (asJSON) {
    put(JSON.stringify({ timestamp: time, level: level, requestId: requestId, message: label ? label + ' ' + message : message }));
  } else {
    put(time + '\t' + requestId + '\t' + level + '\t' + (label ? label + ' \t' : '') + message);
  }
}

function error(label, err, answer) {
  const told = { errorType: answer.errorType, errorMessage: answer.errorMessage };
  if (err && typeof err === 'object') {
    if (err.code !== undefined) told.code = err.code;
    if (err.reason !== undefined) told.reason = answer.errorMessage && String(err.reason);
  }
  told.stack = answer.trace;
  if (asJSON) {
    put(JSON.stringify({ timestamp: new Date().toISOString(), level: 'ERROR', requestId: requestId, message: told }));
  } else {
    write('ERROR', label, JSON.stringify(told));
  }
}

function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', warn: 'WARN', error: 'ERROR', trace: 'TRACE', fatal: 'FATAL' };
  for (const name of Object.keys(levels)) {
    console[name] = (...values) => {
      if (asJSON && values.length === 1 && values[0] !== null && typeof values[0] === 'object' && !(values[0] instanceof Error)) {
        put(JSON.stringify({ timestamp: new Date().toISOString(), level: levels[name], requestId: requestId, message: values[0] }));
        return;
      }
      let message = util.format(...values);
      if (name === 'trace') {
        const here = new Error(message);
        here.name = 'Trace';
        message = here.stack;
      }
      write(levels[name], '', message);
    };
  }
}

module.exports = { patchConsole, error, write, setRequest: (id) => { requestId = id; } };
