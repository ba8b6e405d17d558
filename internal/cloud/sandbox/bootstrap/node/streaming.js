'use strict';
// Handlers that stream their answer (awslambda.streamifyResponse). A caller of Invoke gets it when it is whole.

const { Writable } = require('stream');

const mark = Symbol.for('aws.lambda.runtime.handler.streaming');

class Collector extends Writable {
  constructor() {
    super();
    this.parts = [];
  }

  setContentType() {}

  _write(chunk, encoding, callback) {
    this.parts.push(Buffer.from(chunk, encoding === 'buffer' ? undefined : encoding));
    callback();
  }
}

function install() {
  global.awslambda = {
    streamifyResponse(handler) {
      handler[mark] = 'response';
      return handler;
    },
    HttpResponseStream: {
      // from sends status and headers ahead of the body, as the function's URL expects them.
      from(stream, prelude) {
        stream.write(JSON.stringify(prelude));
        stream.write(Buffer.alloc(8));
        return stream;
      },
    },
  };
}

async function run(handler, event, context) {
  const stream = new Collector();
  const ended = new Promise((resolve, reject) => {
    stream.on('finish', resolve);
    stream.on('error', reject);
  });
  await handler(event, stream, context);
  if (!(stream.writableEnded || stream._writableState.ending)) stream.end();
  await ended;
  return Buffer.concat(stream.parts);
}

module.exports = { install, run, isStreaming: (handler) => handler[mark] === 'response' };
