var AWS = require('aws-sdk');
var docClient = new AWS.DynamoDB.DocumentClient();

exports.handler = function (event, context, callback) {
  context.callbackWaitsForEmptyEventLoop = false;
  var item = { id: 'node8', text: 'from a callback', tags: docClient.createSet(['a', 'b']), size: 1.5 };
  docClient.put({ TableName: process.env.NOTES, Item: item }, function (err) {
    if (err) return callback(err);
    docClient.get({ TableName: process.env.NOTES, Key: { id: 'node8' } }, function (err, data) {
      if (err) return callback(err);
      callback(null, {
        statusCode: 200,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ text: data.Item.text, size: data.Item.size, tags: data.Item.tags.values, path: event.path, left: context.getRemainingTimeInMillis() > 0 }),
      });
    });
  });
};
