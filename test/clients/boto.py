"""Does the work with boto3: boto.py WORK OUT FOLDER"""

import urllib.request
from datetime import datetime

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

from steps import given, run


def seen(value):
    """What boto3 answers as JSON has it."""
    if isinstance(value, dict):
        return {k: seen(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [seen(v) for v in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes):
        return value.decode()
    return value


def call(step, inputs):
    client = boto3.client(step["service"])
    operation = xform_name(step["operation"])
    if step.get("presign"):
        url = client.generate_presigned_url(operation, Params=given(inputs), ExpiresIn=60)
        with urllib.request.urlopen(url) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    try:
        return seen(getattr(client, operation)(**given(inputs)))
    except ClientError as e:
        return {"error": {"code": e.response["Error"]["Code"], "message": e.response["Error"].get("Message")}}


run("client-py", call)
