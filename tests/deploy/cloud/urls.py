"""
A request to a Function URL as the event that its function gets, and the answer on its way back.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import time
import uuid


def event_of(environ, host, body):
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    http = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1", "userAgent": headers.get("user-agent", "")}  # fmt: skip
    about = {"accountId": "anonymous", "apiId": host.partition(".")[0], "domainName": host, "http": http,
             "requestId": str(uuid.uuid4()), "stage": "$default", "timeEpoch": int(time.time() * 1000)}  # fmt: skip
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": environ["PATH_INFO"],
        "rawQueryString": environ.get("QUERY_STRING", ""),
        "headers": headers,
        "requestContext": about,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def answer_of(answer):
    """Return status, body and headers of what a function answered."""
    body = answer.get("body", "")
    raw = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return answer["statusCode"], raw, answer.get("headers", {})
