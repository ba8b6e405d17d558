'use strict';

const AWS = require('aws-sdk');

const cloudformation = new AWS.CloudFormation();
const cloudwatch = new AWS.CloudWatch();
const codedeploy = new AWS.CodeDeploy({ apiVersion: '2014-10-06' });
const config = new AWS.ConfigService();
const dynamodb = new AWS.DynamoDB();
const lambda = new AWS.Lambda();
const s3 = new AWS.S3();

async function stackResources(StackName) {
  const all = [];
  let NextToken;
  do {
    const page = await cloudformation.listStackResources({ StackName, NextToken }).promise();
    all.push(...page.StackResourceSummaries);
    NextToken = page.NextToken;
  } while (NextToken);
  return all;
}

async function isEncrypted({ ResourceType, PhysicalResourceId }) {
  switch (ResourceType) {
    case 'AWS::S3::Bucket': {
      const { ServerSideEncryptionConfiguration } = await s3.getBucketEncryption({ Bucket: PhysicalResourceId }).promise();
      return ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm;
    }
    case 'AWS::DynamoDB::Table': {
      const { Table } = await dynamodb.describeTable({ TableName: PhysicalResourceId }).promise();
      return Table.SSEDescription && Table.SSEDescription.Status;
    }
  }
  return undefined;
}

async function compliance({ ResourceType, PhysicalResourceId }) {
  const { EvaluationResults } = await config.getComplianceDetailsByResource({
    ResourceType, ResourceId: PhysicalResourceId, ComplianceTypes: ['NON_COMPLIANT'],
  }).promise();
  return EvaluationResults.length;
}

async function analyse() {
  const resources = await stackResources(process.env.STACK_NAME);
  let violations = 0;
  let points = 0; // the team's own fitness: what is encrypted by a key of KMS gains more
  for (const r of resources) {
    const encryption = await isEncrypted(r);
    if (encryption !== undefined) {
      console.log(`${r.LogicalResourceId} encryption: ${encryption}`);
      violations += await compliance(r);
      points += encryption === 'aws:kms' ? 10 : 5;
    }
  }
  console.log(`functions: ${resources.filter((r) => r.ResourceType === 'AWS::Lambda::Function').length}, violations: ${violations}, points: ${points}`);
  await cloudwatch.putMetricData({
    Namespace: 'Orders',
    MetricData: [
      { MetricName: 'Violations', Value: violations, Unit: 'Count', Dimensions: [{ Name: 'Stack', Value: process.env.STACK_NAME }] },
      { MetricName: 'Fitness', Value: points, Unit: 'Count', Dimensions: [{ Name: 'Stack', Value: process.env.STACK_NAME }] },
    ],
  }).promise();
  return violations;
}

async function tryNewVersion() {
  const invoke = async (event) => {
    const { StatusCode, FunctionError, Payload } = await lambda.invoke({
      FunctionName: process.env.NewVersion, Payload: JSON.stringify(event),
    }).promise();
    if (StatusCode !== 200 || FunctionError) throw new Error(`the new version failed: ${Payload}`);
    return JSON.parse(Payload);
  };
  const pathParameters = { id: 'smoke' };
  await invoke({ httpMethod: 'PUT', pathParameters, body: JSON.stringify({ items: [{ sku: 'tea', price: 4, quantity: 2 }] }) });
  const { body } = await invoke({ httpMethod: 'GET', pathParameters });
  const { total } = JSON.parse(body);
  if (total !== 8) throw new Error(`the order's total is ${total}, not 8`);
}

exports.handler = (event, context, callback) => {
  console.log('Entering PreTraffic hook', Object.keys(event).sort().join(' '));
  let status = 'Succeeded';
  analyse()
    .then(tryNewVersion)
    .catch((err) => {
      console.error(`PreTraffic says no: ${err.message}`);
      status = 'Failed';
    })
    .then(() => {
      const { DeploymentId: deploymentId, LifecycleEventHookExecutionId: lifecycleEventHookExecutionId } = event;
      codedeploy.putLifecycleEventHookExecutionStatus({ deploymentId, lifecycleEventHookExecutionId, status }, (err) => {
        if (err) callback(`status update failed: ${err.message}`);
        else callback(null, `reported ${status}`);
      });
    });
};
