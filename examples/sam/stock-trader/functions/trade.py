import uuid


def trade(kind, event):
    return {"id": str(uuid.uuid4()), "type": kind, "price": str(event["price"])}


def buy(event, context):
    return trade("buy", event)


def sell(event, context):
    return trade("sell", event)
