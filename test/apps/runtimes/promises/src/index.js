const S3 = require('aws-sdk/clients/s3');
const s3 = new S3();
const Bucket = process.env.FILES;

exports.handler = () =>
  s3.putObject({ Bucket, Key: 'node14/a b+ü.txt', Body: 'x', ContentType: 'text/plain', Metadata: { Author: 'me' } }).promise()
    .then(() => s3.listObjectsV2({ Bucket, Prefix: 'node14/' }).promise())
    .then(({ Contents, KeyCount }) => Promise.all([Contents[0].Key, KeyCount, s3.headObject({ Bucket, Key: Contents[0].Key }).promise()]))
    .then(([key, count, head]) => ({
      statusCode: 200,
      body: JSON.stringify({ key, count, metadata: head.Metadata, type: head.ContentType, versioned: !!head.VersionId, etag: head.ETag }),
    }));
