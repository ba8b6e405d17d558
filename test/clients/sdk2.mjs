// Does the work with the AWS SDK for JavaScript, version 2: sdk2.mjs WORK OUT FOLDER
import { createRequire } from 'node:module';
import { fetched, run } from './steps.mjs';

const AWS = createRequire(`${process.env.NODE_PATH}/`)('aws-sdk');
const services = {
  apigateway: 'APIGateway', cloudformation: 'CloudFormation', cloudwatch: 'CloudWatch', codedeploy: 'CodeDeploy', dynamodb: 'DynamoDB',
  iam: 'IAM', lambda: 'Lambda', logs: 'CloudWatchLogs', s3: 'S3', sts: 'STS',
};

// This SDK does not know AWS_ENDPOINT_URL.
const endpoint = process.env.AWS_ENDPOINT_URL;

await run('client-v2', async ({ service, operation, presign }, input) => {
  const client = new AWS[services[service]]({ endpoint, region: process.env.AWS_REGION, s3ForcePathStyle: true });
  const method = operation[0].toLowerCase() + operation.slice(1);
  if (presign) return fetched(client.getSignedUrl(method, { ...input, Expires: 60 }));
  return client[method](input).promise();
});
