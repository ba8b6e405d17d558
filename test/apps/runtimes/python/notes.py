import os
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr

from answers import answer

table = boto3.resource("dynamodb").Table(os.environ["NOTES"])


def put(event, context):
    note = {"id": event["pathParameters"]["id"], "text": event["body"], "price": Decimal("12.50"), "seen": {"ann", "bob"}}
    table.put_item(Item=note)
    return answer(201, note)


def get(event, context):
    item = table.get_item(Key={"id": event["pathParameters"]["id"]}).get("Item")
    return answer(200, item) if item else answer(404, {"message": "not found"})


def every(event, context):
    items = table.scan(FilterExpression=Attr("price").gt(10))["Items"]
    return answer(200, sorted(i["id"] for i in items))


def fails(event, context):
    raise ValueError("on purpose")
