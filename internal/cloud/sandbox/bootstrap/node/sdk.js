'use strict';
// Leads AWS SDKs that do not read AWS_ENDPOINT_URL to it: version 2 (aws-sdk), wherever it comes from.

const Module = require('module');
const path = require('path');

function leadSDK(env) {
  const endpoint = env.AWS_ENDPOINT_URL;
  if (!endpoint) return;
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

module.exports = { leadSDK };
