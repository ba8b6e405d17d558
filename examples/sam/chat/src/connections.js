const { DeleteItemCommand, DynamoDBClient, PutItemCommand } = require('@aws-sdk/client-dynamodb')

const client = new DynamoDBClient({})
const connection = (event) => ({ connection: { S: event.requestContext.connectionId } })

exports.connect = async (event) => {
  await client.send(new PutItemCommand({ TableName: process.env.TABLE, Item: connection(event) }))
  return { statusCode: 200 }
}

exports.disconnect = async (event) => {
  await client.send(new DeleteItemCommand({ TableName: process.env.TABLE, Key: connection(event) }))
  return { statusCode: 200 }
}
