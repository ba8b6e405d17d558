const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, GetCommand, PutCommand } = require('@aws-sdk/lib-dynamodb');

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.TABLE_NAME;

const respond = (statusCode, body) => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'x-release': '1' },
  body: JSON.stringify(body),
});

exports.handler = async (event) => {
  const { id } = event.pathParameters;
  if (event.httpMethod === 'PUT') {
    const { items } = JSON.parse(event.body);
    await db.send(new PutCommand({ TableName, Item: { id, items } }));
    return respond(201, { id });
  }
  const { Item } = await db.send(new GetCommand({ TableName, Key: { id } }));
  if (!Item) return respond(404, { message: `no order ${id}` });
  return respond(200, { ...Item, total: Item.items.reduce((sum, i) => sum + i.price * i.quantity, 0) });
};
