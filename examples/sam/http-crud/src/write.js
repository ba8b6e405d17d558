const { DeleteCommand, PutCommand } = require('@aws-sdk/lib-dynamodb')
const table = require('./table')

exports.handler = async ({ requestContext, pathParameters: { id }, body }) => {
  if (requestContext.http.method === 'DELETE') {
    await table.client.send(new DeleteCommand({ TableName: table.name, Key: { id } }))
  } else {
    await table.client.send(new PutCommand({ TableName: table.name, Item: { ...JSON.parse(body), id } }))
  }
  return { statusCode: 204 }
}
