import idna

from shared_words import greeting


def handler(event, context):
    return {"domain": idna.encode("bücher.example").decode(), "greeting": greeting("layer")}
