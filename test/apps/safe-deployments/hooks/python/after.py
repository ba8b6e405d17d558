import os

import boto3

codedeploy = boto3.client("codedeploy")
lambda_client = boto3.client("lambda")


def handler(event, context):
    deployment = codedeploy.get_deployment(deploymentId=event["DeploymentId"])["deploymentInfo"]
    alias = lambda_client.get_alias(FunctionName=os.environ["FUNCTION"], Name="live")
    print("after", deployment["deploymentConfigName"], "version", alias["FunctionVersion"], alias.get("RoutingConfig"))
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Succeeded" if not alias.get("RoutingConfig") else "Failed",
    )
