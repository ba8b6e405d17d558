'use strict';
// One connection to the Runtime API, kept for the life of the process. Requests may be sent before earlier ones are answered.

const net = require('net');

class Connection {
  constructor(address) {
    const at = address.lastIndexOf(':');
    this.host = address;
    this.socket = net.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    this.socket.setNoDelay(true);
    this.waiting = []; // what to call with each answer, in the order of the requests
    this.chunks = [];
    this.size = 0;
    this.need = 0; // bytes without which there is nothing to do
    this.head = null; // of the answer whose body is being read
    this.onEnd = null;
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.onEnd ? this.onEnd() : process.exit(1)));
  }

  ref() { this.socket.ref(); }
  unref() { this.socket.unref(); }
  hold() { this.socket.cork(); }
  release() { this.socket.uncork(); }

  // end calls back when all that was asked is answered, or the connection has broken.
  end(callback) {
    this.ref();
    this.onEnd = callback;
    if (this.waiting.length === 0) callback();
  }

  request(method, path, headers, body, callback) {
    let head = method + ' ' + path + ' HTTP/1.1\r\nHost: ' + this.host + '\r\n';
    for (const name of Object.keys(headers)) {
      head += name + ': ' + String(headers[name]).replace(/[^\x20-\x7e]/g, ' ') + '\r\n';
    }
    if (body) {
      head += 'Content-Type: application/json\r\nContent-Length: ' + body.length + '\r\n';
    }
    this.waiting.push(callback);
    this.socket.write(head + '\r\n', 'latin1');
    if (body) this.socket.write(body);
  }

  take(chunk) {
    this.chunks.push(chunk);
    this.size += chunk.length;
    while (this.size > 0 && this.size >= this.need) {
      const data = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.size);
      const rest = this.read(data);
      this.chunks = rest.length > 0 ? [rest] : [];
      this.size = rest.length;
      if (rest.length === data.length) return; // more must come first
    }
  }

  // read takes one answer's head, or body, off the data.
  read(data) {
    if (!this.head) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.need = data.length + 1;
        return data;
      }
      const lines = data.toString('latin1', 0, end).split('\r\n');
      const headers = {};
      for (let i = 1; i < lines.length; i++) {
        const colon = lines[i].indexOf(':');
        headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
      }
      // Header values travel as bytes; what they say is UTF-8.
      const context = headers['lambda-runtime-client-context'];
      if (context) headers['lambda-runtime-client-context'] = Buffer.from(context, 'latin1').toString();
      this.head = { status: Number(lines[0].split(' ')[1]), headers: headers };
      this.need = Number(headers['content-length'] || 0);
      data = data.slice(end + 4);
    }
    if (data.length < this.need) return data;
    const head = this.head;
    const length = this.need;
    this.head = null;
    this.need = 0;
    const callback = this.waiting.shift();
    if (callback) callback({ status: head.status, headers: head.headers, body: data.slice(0, length) });
    if (this.onEnd && this.waiting.length === 0) this.onEnd();
    return data.slice(length);
  }
}

module.exports = { Connection };
