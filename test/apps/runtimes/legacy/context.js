exports.handler = (event, context) => {
  context.succeed({
    statusCode: 200,
    body: JSON.stringify({
      handler: process.env._HANDLER,
      version: context.functionVersion,
      memory: context.memoryLimitInMB,
      region: process.env.AWS_REGION,
      arn: context.invokedFunctionArn.replace(/-Node16Context-\w+$/, '-Node16Context'),
      same: context.functionName === process.env.AWS_LAMBDA_FUNCTION_NAME,
    }),
  });
};
