const { GetCommand, ScanCommand } = require('@aws-sdk/lib-dynamodb')
const table = require('./table')

exports.handler = async ({ pathParameters }) => {
  if (!pathParameters) return (await table.client.send(new ScanCommand({ TableName: table.name }))).Items
  const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: { id: pathParameters.id } }))
  return Item ?? { statusCode: 404, body: 'no such note' }
}
