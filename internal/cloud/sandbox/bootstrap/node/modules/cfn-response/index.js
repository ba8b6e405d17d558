'use strict';
// What a custom resource's function answers CloudFormation with. AWS offers a module of this name to code that stands in a template.

const url = require('url');

exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

exports.send = function (event, context, status, data, physicalId, noEcho) {
  const body = JSON.stringify({
    Status: status,
    Reason: 'See the details in CloudWatch Log Stream: ' + context.logStreamName,
    PhysicalResourceId: physicalId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: data,
  });
  const to = url.parse(event.ResponseURL);
  const transport = to.protocol === 'http:' ? require('http') : require('https');
  const request = transport.request({ hostname: to.hostname, port: to.port, path: to.path, method: 'PUT',
    headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) } }, (response) => {
    response.resume();
    console.log('CloudFormation answers: ' + response.statusCode);
    context.done();
  });
  request.on('error', (error) => {
    console.log('the answer has not reached CloudFormation: ' + error);
    context.done();
  });
  request.end(body);
};
