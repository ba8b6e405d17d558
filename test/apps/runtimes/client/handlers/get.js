import { S3Client, PutObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';

const s3 = new S3Client();
const Bucket = process.env.FILES;

export async function handler(event) {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'node20', Body: JSON.stringify(event.headers['X-Note'] ?? null) }));
  const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket, Key: 'node20' }));
  return {
    statusCode: 200,
    multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
    body: JSON.stringify({ stored: await Body.transformToString(), length: ContentLength }),
  };
}
