import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
s3 = boto3.client("s3")


def lambda_handler(event, context):
    orders = table.scan()["Items"]
    report = {"release": 1, "orders": len(orders), "pieces": int(sum(i["quantity"] for o in orders for i in o["items"]))}
    s3.put_object(Bucket=os.environ["BUCKET_NAME"], Key="report.json", Body=json.dumps(report).encode())
    stored = json.loads(s3.get_object(Bucket=os.environ["BUCKET_NAME"], Key="report.json")["Body"].read())
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(stored)}
