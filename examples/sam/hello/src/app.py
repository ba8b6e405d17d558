import json


def handler(event, context):
    name = (event.get("pathParameters") or {}).get("name", "world")
    return {"statusCode": 200, "body": json.dumps({"message": f"hello {name}"})}
