// Does the work with the AWS SDK for JavaScript, version 3: sdk3.mjs WORK OUT FOLDER
import { createRequire } from 'node:module';
import { fetched, run } from './steps.mjs';

const require = createRequire(`${process.env.NODE_PATH}/`);
const clients = {};
for (const [service, name] of Object.entries({
  apigateway: 'api-gateway', cloudformation: 'cloudformation', cloudwatch: 'cloudwatch', codedeploy: 'codedeploy', dynamodb: 'dynamodb',
  iam: 'iam', lambda: 'lambda', logs: 'cloudwatch-logs', s3: 's3', sts: 'sts',
})) {
  const sdk = require(`@aws-sdk/client-${name}`);
  const Client = Object.values(sdk).find((v) => typeof v === 'function' && /^[A-Za-z0-9]+Client$/.test(v.name) && v.name !== '__Client');
  clients[service] = { sdk, client: new Client({}) };
}
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

await run('client-v3', async ({ service, operation, presign }, input) => {
  const { sdk, client } = clients[service];
  const command = new sdk[`${operation}Command`](input);
  if (presign) return fetched(await getSignedUrl(client, command, { expiresIn: 60 }));
  const answer = await client.send(command);
  if (answer.Body?.transformToByteArray) answer.Body = await answer.Body.transformToByteArray();
  return answer;
});
