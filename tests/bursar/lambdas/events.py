"""Events as AWS sends them."""

import base64
import json


def scheduled(time="2026-03-04T16:00:00Z"):
    """Return the event of an EventBridge rule."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": time,
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/bursar"],
        "detail": {},
    }


def clicked(body, *, path="/slack/interactions", method="POST", encoded=True, headers=None):
    """Return the event of a Function URL, payload format 2.0; forms arrive in base64."""
    text = base64.b64encode(body).decode() if encoded else body.decode()
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-length": str(len(body)),
            "x-amzn-tls-version": "TLSv1.3",
            "x-forwarded-proto": "https",
            "x-forwarded-port": "443",
            "x-forwarded-for": "3.82.4.11",
            "accept": "application/json,*/*",
            "x-amzn-trace-id": "Root=1-65e5f2d0-1f0c2b3a4d5e6f708192a3b4",
            "host": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
            "content-type": "application/x-www-form-urlencoded",
            "accept-encoding": "gzip,deflate",
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **(headers or {}),
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghijklmnopqrstuvwxyz012345",
            "domainName": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
            "domainPrefix": "abcdefghijklmnopqrstuvwxyz012345",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "3.82.4.11",
                "userAgent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": "04/Mar/2026:16:00:00 +0000",
            "timeEpoch": 1772640000000,
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def form(**payload):
    """Return the body that Slack sends for `payload`."""
    from urllib.parse import urlencode

    return urlencode({"payload": json.dumps(payload)}).encode()
