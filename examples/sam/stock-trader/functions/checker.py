import random


def handler(event, context):
    return {"price": random.randint(0, 100)}
