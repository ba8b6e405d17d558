'use strict';
// Leads AWS SDKs that do not read AWS_ENDPOINT_URL to it. Version 2 (aws-sdk) is told when it is loaded, so that the addresses
// that it presigns are right, too. Where an SDK cannot be told, because a bundler has made it a part of the code or because it is
// an early version 3, the requests that it sends to AWS go to the endpoint instead, under the name that they are signed for.

const Module = require('module');
const path = require('path');
const url = require('url');

function leadSDK(env) {
  const endpoint = env.AWS_ENDPOINT_URL;
  if (!endpoint) return;
  redirect(endpoint);
  const load = Module._load;
  const led = new Set();
  Module._load = function (request, parent, isMain) {
    const loaded = load.apply(this, arguments);
    if (request.indexOf('aws-sdk') >= 0 && request.indexOf('@aws-sdk') < 0) {
      lead(request, parent);
    }
    return loaded;
  };

  function lead(request, parent) {
    let file;
    try {
      file = Module._resolveFilename(request, parent, false);
    } catch (e) {
      return;
    }
    const match = /^(.*[\\/]node_modules[\\/]aws-sdk)[\\/]/.exec(file);
    if (!match || led.has(match[1])) return;
    led.add(match[1]);
    try {
      const core = load(path.join(match[1], 'lib', 'core.js'), module, false);
      core.config.update({ endpoint: endpoint, s3ForcePathStyle: true, hostPrefixEnabled: false });
    } catch (e) { /* not the SDK that we know */ }
  }
}

const ofAWS = /(^|\.)amazonaws\.com(\.cn)?$/i;

// A custom resource's function answers at a URL that is https on AWS. Much code takes the host out of it, and puts 443 to that.
const callbackPath = '/_evo/callback/';

// redirect replaces https.request for hosts of AWS, and for where custom resources answer.
function redirect(endpoint) {
  const https = require('https');
  const http = require('http');
  const target = url.parse(endpoint);
  const original = https.request;
  const send = target.protocol === 'https:' ? original : http.request;

  https.request = function (input, options, callback) {
    const asked = typeof input === 'string' ? url.parse(input) : input instanceof url.URL ? url.parse(input.href) : input;
    if (typeof options === 'function') callback = options;
    const merged = Object.assign({}, asked, typeof options === 'object' ? options : null);
    const host = String(merged.hostname || merged.host || '').replace(/:\d+$/, '');
    const answers = host === target.hostname && String(merged.path || merged.pathname || '').indexOf(callbackPath) === 0;
    if (!ofAWS.test(host) && !answers) return original.apply(this, arguments);
    const headers = Object.assign({}, merged.headers);
    if (!Object.keys(headers).some((name) => name.toLowerCase() === 'host')) headers.Host = host;
    for (const name of ['agent', 'servername', 'href', 'lookup', 'rejectUnauthorized', 'ca', 'cert', 'key']) delete merged[name];
    return send.call(this, Object.assign(merged, { protocol: target.protocol, host: target.hostname, hostname: target.hostname, port: target.port, headers: headers }), callback);
  };
  https.get = function (...args) {
    const request = https.request(...args);
    request.end();
    return request;
  };
  if (Module.syncBuiltinESMExports) Module.syncBuiltinESMExports();
}

module.exports = { leadSDK };
