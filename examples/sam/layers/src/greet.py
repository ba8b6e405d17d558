import os

import words


def handler(event, context):
    return {"statusCode": 200, "body": words.greeting(os.environ["WORD"])}
