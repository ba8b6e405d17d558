const { DynamoDB } = require('aws-sdk');
const db = new DynamoDB({ apiVersion: '2012-08-10' });

exports.handler = async (event) => {
  const TableName = process.env.NOTES;
  await db.putItem({ TableName, Item: { id: { S: 'node12' }, bin: { B: Buffer.from('bytes') } } }).promise();
  try {
    await db.putItem({ TableName, Item: { id: { S: 'node12' } }, ConditionExpression: 'attribute_not_exists(id)' }).promise();
  } catch ({ code, statusCode, message }) {
    const { Item } = await db.getItem({ TableName, Key: { id: { S: 'node12' } } }).promise();
    return { statusCode: 200, body: JSON.stringify({ code, statusCode, message, bin: Item.bin.B.toString(), query: event.queryStringParameters }) };
  }
};
