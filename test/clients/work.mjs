// What every client does, as data: one step a call. In an input, "{name}" stands for the client's own name and "{x}" for what an
// earlier step kept; {$text}, {$size}, {$zip} and {$ago} stand for bytes, so many bytes, a function's zip, and a time so many seconds ago.
// A step with until is repeated until the answer has that value; one with presign is a URL that is then fetched.
import { writeFileSync } from 'node:fs';

const role = (service) => JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
});
const permissions = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }] });
const template = (more = {}) => JSON.stringify({
  Parameters: { Reader: { Type: 'String', Default: 'nobody', AllowedPattern: '[a-z]+' } },
  Conditions: { Known: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Reader' }, 'nobody'] }] } },
  Resources: {
    Books: { Type: 'AWS::DynamoDB::Table', Properties: {
      BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] } },
    Shelf: { Type: 'AWS::S3::Bucket', Condition: 'Known', Properties: { BucketName: { 'Fn::Sub': '${AWS::StackName}-${Reader}' }, ...more } },
  },
  Outputs: { Table: { Value: { 'Fn::GetAtt': ['Books', 'Arn'] }, Description: 'the table' }, Reader: { Value: { 'Fn::Join': ['/', [{ Ref: 'AWS::Region' }, { Ref: 'Reader' }]] } } },
});

const steps = [];
const service = (name) => (operation, input, more = {}) => steps.push({ service: name, operation, input, ...more });

const sts = service('sts');
sts('GetCallerIdentity', {});

const s3 = service('s3');
const Bucket = '{name}-files';
s3('CreateBucket', { Bucket });
s3('PutObject', { Bucket, Key: 'letters/a b+ü.txt', Body: { $text: 'hello, world' }, ContentType: 'text/plain', CacheControl: 'max-age=60', Metadata: { Author: 'Ann', 'reading-time': '1' } });
s3('HeadObject', { Bucket, Key: 'letters/a b+ü.txt' });
s3('GetObject', { Bucket, Key: 'letters/a b+ü.txt' });
s3('GetObject', { Bucket, Key: 'letters/a b+ü.txt', Range: 'bytes=7-' });
s3('GetObject', { Bucket, Key: 'letters/a b+ü.txt', Range: 'bytes=70-' });
s3('GetObject', { Bucket, Key: 'letters/a b+ü.txt', IfMatch: '"other"' });
s3('GetObject', { Bucket, Key: 'letters/a b+ü.txt' }, { presign: true });
for (const Key of ['letters/b', 'letters/old/c', 'numbers/1', 'z']) s3('PutObject', { Bucket, Key, ContentType: 'text/plain', Body: { $text: Key } });
s3('CopyObject', { Bucket, Key: 'copy', CopySource: '{name}-files/letters/b' });
s3('GetObject', { Bucket, Key: 'copy' });
s3('ListObjectsV2', { Bucket, Delimiter: '/', MaxKeys: 2 }, { keep: { next: 'NextContinuationToken' } });
s3('ListObjectsV2', { Bucket, Delimiter: '/', ContinuationToken: '{next}' });
s3('ListObjectsV2', { Bucket, Prefix: 'letters/', StartAfter: 'letters/b' });
s3('PutObjectTagging', { Bucket, Key: 'z', Tagging: { TagSet: [{ Key: 'kind', Value: 'last letter' }] } });
s3('GetObjectTagging', { Bucket, Key: 'z' });
s3('CreateMultipartUpload', { Bucket, Key: 'big', ContentType: 'application/x-big', Metadata: { parts: 'two' } }, { keep: { upload: 'UploadId' } });
s3('UploadPart', { Bucket, Key: 'big', UploadId: '{upload}', PartNumber: 1, Body: { $size: 5 << 20 } }, { keep: { part1: 'ETag' } });
s3('UploadPart', { Bucket, Key: 'big', UploadId: '{upload}', PartNumber: 2, Body: { $text: 'the end' } }, { keep: { part2: 'ETag' } });
s3('ListParts', { Bucket, Key: 'big', UploadId: '{upload}' });
s3('CompleteMultipartUpload', { Bucket, Key: 'big', UploadId: '{upload}', MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '{part1}' }, { PartNumber: 2, ETag: '{part2}' }] } });
s3('HeadObject', { Bucket, Key: 'big' });
s3('GetObject', { Bucket, Key: 'big', Range: 'bytes=-7' });
s3('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
s3('PutObject', { Bucket, Key: 'v', ContentType: 'text/plain', Body: { $text: 'one' } }, { keep: { one: 'VersionId' } });
s3('PutObject', { Bucket, Key: 'v', ContentType: 'text/plain', Body: { $text: 'two' } });
s3('DeleteObject', { Bucket, Key: 'v' });
s3('GetObject', { Bucket, Key: 'v' });
s3('GetObject', { Bucket, Key: 'v', VersionId: '{one}' });
s3('ListObjectVersions', { Bucket, Prefix: 'v' });
s3('DeleteObjects', { Bucket, Delete: { Objects: [{ Key: 'z' }, { Key: 'v', VersionId: '{one}' }] } });
s3('GetBucketEncryption', { Bucket });
s3('GetBucketLocation', { Bucket });
s3('GetBucketPolicy', { Bucket });
s3('GetBucketLifecycleConfiguration', { Bucket });
s3('GetPublicAccessBlock', { Bucket });
s3('GetObject', { Bucket, Key: 'nothing' });
s3('GetObject', { Bucket: '{name}-nowhere', Key: 'nothing' });
s3('DeleteBucket', { Bucket });
s3('CompleteMultipartUpload', { Bucket, Key: 'big', UploadId: 'nothing', MultipartUpload: { Parts: [{ PartNumber: 1, ETag: 'x' }] } });

const db = service('dynamodb');
const TableName = '{name}-orders';
db('CreateTable', {
  TableName, BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'customer', AttributeType: 'S' }, { AttributeName: 'at', AttributeType: 'N' }, { AttributeName: 'state', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'customer', KeyType: 'HASH' }, { AttributeName: 'at', KeyType: 'RANGE' }],
  GlobalSecondaryIndexes: [{ IndexName: 'by-state', KeySchema: [{ AttributeName: 'state', KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } }],
});
db('DescribeTable', { TableName }, { until: ['Table.TableStatus', 'ACTIVE'] });
for (const [customer, at, state] of [['ann', 1, 'open'], ['ann', 10, 'paid'], ['ann', 9, 'open'], ['bob', 2, 'paid']]) {
  db('PutItem', { TableName, Item: { customer: { S: customer }, at: { N: `${at}` }, state: { S: state }, basket: { L: [{ M: { sku: { S: 'tea' }, price: { N: '2.50' }, gift: { BOOL: true }, note: { NULL: true } } }] }, seen: { SS: ['a', 'b'] } } });
}
const key = { customer: { S: 'ann' }, at: { N: '9' } };
db('GetItem', { TableName, Key: key, ConsistentRead: true });
db('GetItem', { TableName, Key: { customer: { S: 'nobody' }, at: { N: '1' } } });
const byCustomer = { TableName, KeyConditionExpression: 'customer = :c AND #a > :a', ExpressionAttributeNames: { '#a': 'at' } };
db('Query', { ...byCustomer, ExpressionAttributeValues: { ':c': { S: 'ann' }, ':a': { N: '1' } }, ScanIndexForward: false, ProjectionExpression: '#a, basket[0].price' });
db('Query', { ...byCustomer, ExpressionAttributeValues: { ':c': { S: 'ann' }, ':a': { N: '0' }, ':s': { S: 'open' } }, FilterExpression: '#s = :s', ExpressionAttributeNames: { '#a': 'at', '#s': 'state' }, Limit: 2, ReturnConsumedCapacity: 'TOTAL' });
db('Query', { TableName, IndexName: 'by-state', KeyConditionExpression: '#s = :s', ExpressionAttributeNames: { '#s': 'state' }, ExpressionAttributeValues: { ':s': { S: 'paid' } }, Select: 'COUNT' });
db('UpdateItem', { TableName, Key: key, UpdateExpression: 'SET #s = :s, basket[0].price = basket[0].price + :one ADD visits :one REMOVE seen', ExpressionAttributeNames: { '#s': 'state' }, ExpressionAttributeValues: { ':s': { S: 'paid' }, ':one': { N: '1' } }, ReturnValues: 'ALL_NEW' });
db('UpdateItem', { TableName, Key: key, UpdateExpression: 'SET #s = :s', ConditionExpression: '#s = :open', ExpressionAttributeNames: { '#s': 'state' }, ExpressionAttributeValues: { ':s': { S: 'sent' }, ':open': { S: 'open' } } });
db('UpdateItem', { TableName, Key: key, UpdateExpression: 'SET state = :s', ExpressionAttributeValues: { ':s': { S: 'sent' } } });
db('UpdateItem', { TableName, Key: key, UpdateExpression: 'SET a = :s,', ExpressionAttributeValues: { ':s': { S: 'sent' } } });
db('TransactWriteItems', { TransactItems: [
  { Put: { TableName, Item: { customer: { S: 'cid' }, at: { N: '1' } }, ConditionExpression: 'attribute_not_exists(customer)' } },
  { Update: { TableName, Key: key, UpdateExpression: 'SET sent = :t', ExpressionAttributeValues: { ':t': { BOOL: true } } } }] });
db('TransactWriteItems', { TransactItems: [
  { Delete: { TableName, Key: { customer: { S: 'bob' }, at: { N: '2' } } } },
  { Put: { TableName, Item: { customer: { S: 'cid' }, at: { N: '1' } }, ConditionExpression: 'attribute_not_exists(customer)' } }] });
db('TransactGetItems', { TransactItems: [{ Get: { TableName, Key: { customer: { S: 'bob' }, at: { N: '2' } }, ProjectionExpression: 'customer' } }, { Get: { TableName, Key: key, ProjectionExpression: 'sent' } }] });
db('BatchWriteItem', { RequestItems: { [TableName]: [{ DeleteRequest: { Key: { customer: { S: 'ann' }, at: { N: '1' } } } }, { PutRequest: { Item: { customer: { S: 'dee' }, at: { N: '1e2' } } } }] } });
db('Scan', { TableName, FilterExpression: '#a >= :n', ExpressionAttributeNames: { '#a': 'at' }, ExpressionAttributeValues: { ':n': { N: '10' } }, Select: 'COUNT' });
db('PutItem', { TableName, Item: { customer: { S: 'ann' } } });
db('PutItem', { TableName, Item: { customer: { S: '' }, at: { N: '1' } } });
db('DescribeTable', { TableName: '{name}-nothing' });
db('CreateTable', { TableName, BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] });
db('UpdateTimeToLive', { TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'until' } });
db('DescribeContinuousBackups', { TableName });
db('DeleteTable', { TableName });

const iam = service('iam');
const RoleName = '{name}-role';
iam('CreateRole', { RoleName, AssumeRolePolicyDocument: role('lambda.amazonaws.com'), Description: 'runs functions', Tags: [{ Key: 'team', Value: 'shop' }] }, { keep: { role: 'Role.Arn' } });
iam('CreateRole', { RoleName, AssumeRolePolicyDocument: role('lambda.amazonaws.com') });
iam('CreateRole', { RoleName: '{name}-bad', AssumeRolePolicyDocument: '{"Statement": [' });
iam('PutRolePolicy', { RoleName, PolicyName: 'logs', PolicyDocument: permissions });
iam('ListRolePolicies', { RoleName });
iam('AttachRolePolicy', { RoleName, PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' });
iam('ListAttachedRolePolicies', { RoleName });
iam('GetRole', { RoleName });
iam('GetRole', { RoleName: '{name}-nobody' });
iam('DeleteRole', { RoleName });

const lambda = service('lambda');
const FunctionName = '{name}-greet';
lambda('CreateFunction', { FunctionName, Runtime: 'nodejs20.x', Handler: 'index.handler', Role: '{role}', Code: { ZipFile: { $zip: 'one' } }, Timeout: 20, Environment: { Variables: { GREETING: 'hello' } }, Tags: { team: 'shop' } });
lambda('GetFunctionConfiguration', { FunctionName }, { until: ['State', 'Active'] });
lambda('CreateFunction', { FunctionName, Runtime: 'nodejs20.x', Handler: 'index.handler', Role: '{role}', Code: { ZipFile: { $zip: 'one' } } });
lambda('Invoke', { FunctionName, Payload: { $text: '{"to":"Ann"}' } });
lambda('Invoke', { FunctionName, Payload: { $text: '{"fail":true}' } });
lambda('Invoke', { FunctionName, Payload: { $text: 'no JSON' } });
lambda('Invoke', { FunctionName, Payload: { $text: '{}' }, InvocationType: 'Event' });
lambda('PublishVersion', { FunctionName, Description: 'first' });
lambda('UpdateFunctionCode', { FunctionName, ZipFile: { $zip: 'two' } });
lambda('GetFunctionConfiguration', { FunctionName }, { until: ['LastUpdateStatus', 'Successful'] });
lambda('PublishVersion', { FunctionName });
lambda('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { 2: 0.25 } } });
lambda('GetAlias', { FunctionName, Name: 'live' });
lambda('UpdateAlias', { FunctionName, Name: 'live', RevisionId: 'stale', RoutingConfig: { AdditionalVersionWeights: {} } });
lambda('UpdateAlias', { FunctionName, Name: 'live', FunctionVersion: '2', RoutingConfig: { AdditionalVersionWeights: {} } });
lambda('UpdateAlias', { FunctionName, Name: 'live', RoutingConfig: { AdditionalVersionWeights: { 7: 0.5 } } });
lambda('Invoke', { FunctionName: `${FunctionName}:live`, Payload: { $text: '{"to":"Bob"}' } });
lambda('Invoke', { FunctionName, Qualifier: '1', Payload: { $text: '{"to":"Bob"}' } });
lambda('ListVersionsByFunction', { FunctionName });
lambda('UpdateFunctionConfiguration', { FunctionName, MemorySize: 256, Environment: { Variables: { GREETING: 'hi' } } });
lambda('AddPermission', { FunctionName, StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' });
lambda('GetPolicy', { FunctionName });
lambda('GetPolicy', { FunctionName, Qualifier: 'live' });
lambda('ListTags', { Resource: 'arn:aws:lambda:us-east-1:000000000000:function:{name}-greet' });
lambda('GetFunction', { FunctionName: '{name}-nobody' });
lambda('CreateFunction', { FunctionName: '{name}-bad', Runtime: 'cobol', Handler: 'index.handler', Role: '{role}', Code: { ZipFile: { $zip: 'one' } } });

const logs = service('logs');
const logGroupName = '/{name}/app';
logs('CreateLogGroup', { logGroupName, tags: { team: 'shop' } });
logs('CreateLogGroup', { logGroupName });
logs('PutRetentionPolicy', { logGroupName, retentionInDays: 7 });
logs('CreateLogStream', { logGroupName, logStreamName: 'main' });
logs('PutLogEvents', { logGroupName, logStreamName: 'main', logEvents: [{ timestamp: { $agoMillis: 3 }, message: 'one' }, { timestamp: { $agoMillis: 2 }, message: 'ERROR two' }, { timestamp: { $agoMillis: 1 }, message: '{"level":"error","n":3}' }] });
logs('DescribeLogGroups', { logGroupNamePrefix: '/{name}/' });
logs('GetLogEvents', { logGroupName, logStreamName: 'main', startFromHead: true });
logs('FilterLogEvents', { logGroupName, filterPattern: 'ERROR' });
logs('FilterLogEvents', { logGroupName, filterPattern: '{ $.n > 2 }' });
logs('DescribeLogStreams', { logGroupName: '/{name}/nothing' });
logs('PutRetentionPolicy', { logGroupName, retentionInDays: 8 });
logs('DeleteLogGroup', { logGroupName });

const cw = service('cloudwatch');
const metric = { Namespace: '{name}', MetricName: 'Sales', Dimensions: [{ Name: 'Shop', Value: 'main' }] };
const { Namespace, ...datum } = metric;
cw('PutMetricData', { Namespace, MetricData: [
  { ...datum, Timestamp: { $ago: 90 }, Value: 1.5, Unit: 'Count' },
  { ...datum, Timestamp: { $ago: 90 }, StatisticValues: { SampleCount: 2, Sum: 7, Minimum: 3, Maximum: 4 }, Unit: 'Count' },
  { ...datum, Timestamp: { $ago: 90 }, Values: [5, 6], Counts: [1, 3], Unit: 'Count' }] });
cw('GetMetricStatistics', { ...metric, StartTime: { $ago: 3600 }, EndTime: { $ago: 0 }, Period: 3600, Statistics: ['Sum', 'SampleCount', 'Minimum', 'Maximum', 'Average'] });
cw('GetMetricData', { StartTime: { $ago: 3600 }, EndTime: { $ago: 0 }, MetricDataQueries: [
  { Id: 'sales', MetricStat: { Metric: metric, Period: 3600, Stat: 'Sum' }, ReturnData: false },
  { Id: 'twice', Expression: 'sales * 2', Label: 'Twice' }] });
cw('ListMetrics', { Namespace });
const alarm = { AlarmName: '{name}-alarm', AlarmDescription: 'too many', ...metric, Statistic: 'Sum', Period: 60, EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 10.5, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore', ActionsEnabled: false };
cw('PutMetricAlarm', alarm);
cw('SetAlarmState', { AlarmName: '{name}-alarm', StateValue: 'ALARM', StateReason: 'a test', StateReasonData: '{"by":"hand"}' });
cw('DescribeAlarms', { AlarmNames: ['{name}-alarm'] });
cw('DescribeAlarmHistory', { AlarmName: '{name}-alarm', HistoryItemType: 'StateUpdate' });
cw('PutMetricAlarm', { ...alarm, Period: 7 });
cw('SetAlarmState', { AlarmName: '{name}-nothing', StateValue: 'OK', StateReason: 'a test' });
cw('PutDashboard', { DashboardName: '{name}', DashboardBody: '{"widgets":[]}' });
cw('GetDashboard', { DashboardName: '{name}-nothing' });
cw('GetMetricStatistics', { ...metric, StartTime: { $ago: 0 }, EndTime: { $ago: 60 }, Period: 60, Statistics: ['Sum'] });
cw('DeleteAlarms', { AlarmNames: ['{name}-alarm'] });

const cfn = service('cloudformation');
const StackName = '{name}-stack';
cfn('ValidateTemplate', { TemplateBody: template() });
cfn('CreateStack', { StackName, TemplateBody: template(), Parameters: [{ ParameterKey: 'Reader', ParameterValue: 'ann' }], Tags: [{ Key: 'team', Value: 'shop' }] });
cfn('DescribeStacks', { StackName }, { until: ['Stacks.0.StackStatus', 'CREATE_COMPLETE'] });
cfn('CreateStack', { StackName, TemplateBody: template() });
cfn('ListStackResources', { StackName });
cfn('UpdateStack', { StackName, TemplateBody: template(), Parameters: [{ ParameterKey: 'Reader', UsePreviousValue: true }], Tags: [{ Key: 'team', Value: 'shop' }] });
cfn('CreateChangeSet', { StackName, ChangeSetName: 'change', TemplateBody: template({ VersioningConfiguration: { Status: 'Enabled' } }), Parameters: [{ ParameterKey: 'Reader', UsePreviousValue: true }] });
cfn('DescribeChangeSet', { StackName, ChangeSetName: 'change' }, { until: ['Status', 'CREATE_COMPLETE'] });
cfn('ExecuteChangeSet', { StackName, ChangeSetName: 'change' });
cfn('DescribeStacks', { StackName }, { until: ['Stacks.0.StackStatus', 'UPDATE_COMPLETE'] });
cfn('DescribeStackEvents', { StackName }, { sort: 'StackEvents' });
cfn('GetTemplate', { StackName, TemplateStage: 'Original' }, { pick: 'StagesAvailable' });
cfn('DeleteStack', { StackName });
cfn('DescribeStacks', { StackName }, { untilError: 'ValidationError' });
cfn('CreateStack', { StackName, TemplateBody: template(), Parameters: [{ ParameterKey: 'Reader', ParameterValue: 'ANN' }] });
cfn('CreateStack', { StackName, TemplateBody: '{"Resources": {"A": {"Type": "AWS::S3::Bucket", "DependsOn": "B"}}}' });
cfn('DescribeStackEvents', { StackName: '{name}-nothing' });

const deploy = service('codedeploy');
deploy('GetDeploymentConfig', { deploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes' });
deploy('CreateApplication', { applicationName: '{name}', computePlatform: 'Lambda' });
deploy('GetApplication', { applicationName: '{name}' });
deploy('CreateDeploymentConfig', { deploymentConfigName: '{name}.Half', computePlatform: 'Lambda', trafficRoutingConfig: { type: 'TimeBasedCanary', timeBasedCanary: { canaryPercentage: 50, canaryInterval: 1 } } });
deploy('CreateDeploymentConfig', { deploymentConfigName: '{name}.Bad', computePlatform: 'Lambda', trafficRoutingConfig: { type: 'TimeBasedLinear', timeBasedLinear: { linearPercentage: 0, linearInterval: 1 } } });
deploy('ListDeploymentGroups', { applicationName: '{name}' });
deploy('GetDeploymentGroup', { applicationName: '{name}', deploymentGroupName: 'nothing' });
deploy('GetApplication', { applicationName: '{name}-nothing' });
deploy('GetDeployment', { deploymentId: 'd-NOTHING00' });
deploy('ListDeployments', { applicationName: '{name}', deploymentGroupName: 'nothing' });

const gateway = service('apigateway');
gateway('CreateRestApi', { name: '{name}', description: 'an API', endpointConfiguration: { types: ['REGIONAL'] }, tags: { team: 'shop' } }, { keep: { api: 'id' } });
gateway('GetResources', { restApiId: '{api}' }, { keep: { root: 'items.0.id' } });
gateway('CreateResource', { restApiId: '{api}', parentId: '{root}', pathPart: '{item+}' }, { keep: { item: 'id' } });
gateway('PutMethod', { restApiId: '{api}', resourceId: '{item}', httpMethod: 'ANY', authorizationType: 'NONE' });
gateway('PutIntegration', { restApiId: '{api}', resourceId: '{item}', httpMethod: 'ANY', type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
gateway('GetMethod', { restApiId: '{api}', resourceId: '{item}', httpMethod: 'ANY' });
gateway('CreateDeployment', { restApiId: '{api}', stageName: 'live' }, { keep: { deployment: 'id' } });
gateway('GetStage', { restApiId: '{api}', stageName: 'live' });
gateway('GetStage', { restApiId: '{api}', stageName: 'nothing' });
gateway('GetRestApi', { restApiId: 'nothing' });
gateway('GetRestApi', { restApiId: '{api}' });
gateway('DeleteRestApi', { restApiId: '{api}' });

lambda('DeleteFunction', { FunctionName });
lambda('Invoke', { FunctionName, Payload: { $text: '{}' } });

writeFileSync(process.argv[2], JSON.stringify(steps));
