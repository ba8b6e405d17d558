'use strict';
// Runs a Node.js Lambda function: fetches events from the Runtime API, calls the handler, sends back what it answers.
// Written for Node.js 8 and later, so it keeps to the language of that time; what needs newer syntax is in files of its own.

const path = require('path');
const util = require('util');
const { Connection } = require('./connection.js');
const { loadHandler, RuntimeError } = require('./handler.js');
const { leadSDK } = require('./sdk.js');
const log = require('./log.js');
const streaming = require('./streaming.js');

const api = '/2018-06-01/runtime/';
const env = process.env;
let connection;
let waitForEmptyLoop = null; // called when the event loop has run dry
let current = null; // the invocation under way

// watchLifeline ends this process, and what it has started, when the program that runs it is gone.
function watchLifeline() {
  try {
    const net = require('net');
    const line = new net.Socket({ fd: 3, readable: true, writable: false });
    line.on('error', () => {});
    line.on('close', () => { try { process.kill(-process.pid, 'SIGKILL'); } catch (e) { process.exit(1); } });
    line.resume();
    line.unref();
  } catch (e) { /* no such file: somebody else watches */ }
}

function isError(value) {
  return value instanceof Error || (util.types && util.types.isNativeError && util.types.isNativeError(value)) ||
    (value !== null && typeof value === 'object' && 'name' in value && 'message' in value && 'stack' in value);
}

// errorAnswer is what AWS tells a caller about an error.
function errorAnswer(error) {
  try {
    if (isError(error)) {
      return { errorType: error.name, errorMessage: error.message, trace: String(error.stack || '').split('\n') };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch (e) {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack' };
  }
}

function post(where, answer) {
  const body = Buffer.from(JSON.stringify(answer));
  // Asked for together with the answer, the next event is on its way before we have read that the answer arrived.
  connection.request('POST', api + where, { 'Lambda-Runtime-Function-Error-Type': answer.errorType }, body, () => {});
}

function next() {
  waitForEmptyLoop = null;
  current = null;
  connection.ref();
  connection.request('GET', api + 'invocation/next', {}, null, (response) => {
    if (response.status !== 200) {
      process.exit(1);
    }
    // In a turn of its own, so that what throws there is nobody else's exception.
    setImmediate(() => serve(response));
  });
}

class Invocation {
  constructor(headers) {
    this.id = headers['lambda-runtime-aws-request-id'];
    this.done = false;
  }

  // succeed and fail end the invocation once; later answers are dropped, as on AWS.
  succeed(value) {
    if (this.done) return;
    let body;
    try {
      body = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value === undefined ? null : value) || 'null');
    } catch (e) {
      this.fail(new Error('Unable to stringify response body'));
      return;
    }
    this.done = true;
    connection.hold();
    connection.request('POST', api + 'invocation/' + this.id + '/response', {}, body, (response) => {
      if (response.status === 413) {
        log.write('ERROR', 'Invoke Error', response.body.toString());
      }
    });
    next();
    connection.release();
  }

  fail(error, label) {
    if (this.done) return;
    this.done = true;
    log.error(label || 'Invoke Error', error, errorAnswer(error));
    connection.hold();
    post('invocation/' + this.id + '/error', errorAnswer(error));
    next();
    connection.release();
  }
}

function serve(response) {
  const headers = response.headers;
  const invocation = new Invocation(headers);
  current = invocation;
  log.setRequest(invocation.id);
  if (headers['lambda-runtime-trace-id']) {
    env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  } else {
    delete env._X_AMZN_TRACE_ID;
  }
  connection.unref(); // from here on, only the function keeps the event loop busy
  waitForEmptyLoop = () => invocation.succeed(null);
  try {
    call(invocation, headers, response.body);
  } catch (error) {
    invocation.fail(error);
  }
}

function makeContext(invocation, headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const parse = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse('lambda-runtime-client-context'),
    identity: parse('lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: invocation.id,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  const done = (error, value) => {
    context.callbackWaitsForEmptyEventLoop = false;
    finish(invocation, context, error, value);
  };
  context.done = done;
  context.succeed = (value) => done(null, value);
  context.fail = (error) => done(error === undefined || error === null ? 'handled' : error);
  return context;
}

// finish answers now, or when the event loop is empty if the function wants that.
function finish(invocation, context, error, value) {
  const answer = () => {
    if (error !== undefined && error !== null) {
      invocation.fail(error);
    } else {
      invocation.succeed(value);
    }
  };
  if (context.callbackWaitsForEmptyEventLoop) {
    waitForEmptyLoop = answer;
  } else {
    setImmediate(answer);
  }
}

let handler;

function call(invocation, headers, body) {
  const event = JSON.parse(body.toString());
  const context = makeContext(invocation, headers);
  if (streaming.isStreaming(handler)) {
    streaming.run(handler, event, context).then((value) => invocation.succeed(value), (error) => invocation.fail(error));
    return;
  }
  const result = handler(event, context, (error, value) => {
    if (current === invocation) finish(invocation, context, error, value);
  });
  if (result !== null && result !== undefined && typeof result.then === 'function') {
    result.then((value) => invocation.succeed(value), (error) => invocation.fail(error === undefined || error === null ? new Error(String(error)) : error));
  }
}

// crash tells of an error that nobody caught, and ends the process.
function crash(error) {
  log.error('Uncaught Exception', error, errorAnswer(error));
  if (current && !current.done) {
    current.done = true;
    post('invocation/' + current.id + '/error', errorAnswer(error));
  } else if (!handler) {
    post('init/error', errorAnswer(error));
  }
  connection.end(() => process.exit(129));
}

class UnhandledPromiseRejection extends RuntimeError {
  constructor(reason, promise) {
    super('Runtime.UnhandledPromiseRejection', String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

async function main() {
  watchLifeline();
  log.patchConsole();
  connection = new Connection(env.AWS_LAMBDA_RUNTIME_API);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', (reason, promise) => crash(new UnhandledPromiseRejection(reason, promise)));
  process.on('beforeExit', () => {
    if (waitForEmptyLoop) {
      const answer = waitForEmptyLoop;
      waitForEmptyLoop = null;
      answer();
    }
  });
  leadSDK(env);
  streaming.install();
  try {
    handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (error) {
    log.error('Uncaught Exception', error, errorAnswer(error));
    post('init/error', errorAnswer(error));
    connection.end(() => process.exit(1));
    return;
  }
  next();
}

main();
