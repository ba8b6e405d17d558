POSTS = [{"id": "1", "title": "First"}]


def handler(event, context):
    return [post for post in POSTS if event["text"].lower() in post["title"].lower()]
