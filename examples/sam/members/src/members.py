import json


def profile(event, context):
    who = event["requestContext"].get("authorizer", {}).get("claims", {})
    return {"statusCode": 200, "body": json.dumps({"name": who.get("name", "somebody")})}


def welcome(event, context):
    event["response"]["autoConfirmUser"] = event["triggerSource"] == "PreSignUp_SignUp"
    return event


def check_token(event, context):
    effect = "Allow" if event["authorizationToken"].endswith("-paid") else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "ticket", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
