import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { greeting } from './lib/greeting.mjs';

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
const started = await Promise.resolve('at the top'); // top-level await

export const handler = async ({ requestContext: { resourcePath } }) => {
  const { Attributes } = await client.send(new UpdateCommand({
    TableName: process.env.NOTES,
    Key: { id: 'node18' },
    UpdateExpression: 'ADD visits :one SET #t = :t',
    ExpressionAttributeNames: { '#t': 'text' },
    ExpressionAttributeValues: { ':one': 1, ':t': greeting('module') },
    ReturnValues: 'ALL_NEW',
  }));
  return { statusCode: 200, body: JSON.stringify({ ...Attributes, started, resourcePath }) };
};
