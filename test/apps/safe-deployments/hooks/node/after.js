const { CodeDeployClient, PutLifecycleEventHookExecutionStatusCommand, GetDeploymentCommand } = require('@aws-sdk/client-codedeploy');
const { LambdaClient, GetAliasCommand } = require('@aws-sdk/client-lambda');

const codedeploy = new CodeDeployClient({});
const lambda = new LambdaClient({});

exports.handler = async ({ DeploymentId: deploymentId, LifecycleEventHookExecutionId: lifecycleEventHookExecutionId }) => {
  let status = 'Failed';
  try {
    const { deploymentInfo } = await codedeploy.send(new GetDeploymentCommand({ deploymentId }));
    const [FunctionName, Name] = process.env.LIVE.split(':');
    const alias = await lambda.send(new GetAliasCommand({ FunctionName, Name }));
    const weights = Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {});
    console.log(`after ${deploymentInfo.deploymentConfigName}: version ${alias.FunctionVersion}, ${weights.length} weights`);
    if (weights.length === 0) status = 'Succeeded';
  } finally {
    await codedeploy.send(new PutLifecycleEventHookExecutionStatusCommand({ deploymentId, lifecycleEventHookExecutionId, status }));
  }
  return status;
};
