"""A program of one call with the official Python SDK; told.ts says what it is told and prints."""

import json
import os

from anthropic import Anthropic, DefaultHttpxClient

asked = json.loads(os.environ["HELD_CLIENT"])
attempts = 0


def count(_request):
    global attempts
    attempts += 1


client = Anthropic(
    base_url=asked["baseUrl"],
    auth_token=asked["token"],
    http_client=DefaultHttpxClient(event_hooks={"request": [count]}),
)
params = {
    "model": "claude-opus-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": asked["prompt"]}],
}
told = {"message": None, "error": None}
try:
    if asked["streams"]:
        with client.messages.stream(**params) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(**params)
    told["message"] = message.model_dump(mode="json")
except Exception as error:
    told["error"] = f"{type(error).__name__}: {error}"
print(json.dumps({"attempts": attempts, **told}))
