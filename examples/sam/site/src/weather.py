def handler(event, context):
    return {"statusCode": 200, "body": f"rain in {event['pathParameters']['city']}"}
