const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require('@aws-sdk/client-apigatewaymanagementapi')
const { DynamoDBClient, ScanCommand } = require('@aws-sdk/client-dynamodb')

exports.handler = async ({ requestContext: { domainName, stage }, body }) => {
  const connections = new ApiGatewayManagementApiClient({ endpoint: `https://${domainName}/${stage}` })
  const { Items } = await new DynamoDBClient({}).send(new ScanCommand({ TableName: process.env.TABLE }))
  await Promise.all(Items.map(({ connection: { S } }) =>
    connections.send(new PostToConnectionCommand({ ConnectionId: S, Data: JSON.parse(body).text }))))
  return { statusCode: 200 }
}
