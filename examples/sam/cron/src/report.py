def handler(event, context):
    print("report", event)
    return {"pages": 1}
