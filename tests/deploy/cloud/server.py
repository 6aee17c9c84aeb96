"""
The emulated account as something can be deployed to it: `python -m tests.deploy.cloud.server PORT --with-parent`.

In front of `bursar.demo.server`: stacks as CloudFormation makes them of AWS SAM's templates, and functions that run.
"""

import json
import re
from http import HTTPStatus

from bursar.demo.server import main
from tests.deploy.cloud import kinds, stacks
from tests.deploy.cloud.functions import Functions
from tests.deploy.cloud.urls import answer_of, event_of

INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
URL = re.compile(r"[0-9a-f]+\.lambda-url\.([a-z0-9-]+)\.on\.aws")
REGION = re.compile(r"Credential=[^/,]+/\d{8}/([^/]+)/lambda/")
SETTLED = "/_functions/settled"
"""Answers once everything that was invoked asynchronously has ended."""


class Front:
    """What is asked of Lambda's data plane is answered here, everything else by the account behind."""

    def __init__(self, account):
        self.account = account
        self.functions = Functions()

    def __call__(self, environ, start_response):
        path, host = environ["PATH_INFO"], environ.get("HTTP_HOST", "").partition(":")[0]
        self.functions.endpoint = f"http://127.0.0.1:{environ['SERVER_PORT']}"
        if found := URL.fullmatch(host):
            return send(start_response, *self._request(environ, host, found[1]))
        if found := INVOKE.fullmatch(path):
            return send(start_response, *self._invocation(environ, found[1]))
        if path == SETTLED:
            return send(start_response, 200, json.dumps(self.functions.settled()).encode())
        if path == "/_demo/reset":
            self.functions.close()
        return self.account(environ, start_response)

    def _invocation(self, environ, name):
        region = REGION.search(environ["HTTP_AUTHORIZATION"])[1]
        function = self.functions.find(region, name)
        if function is None:
            return 404, b'{"Message": "Function not found"}', {"X-Amzn-ErrorType": "ResourceNotFoundException"}
        event = json.loads(body_of(environ) or b"{}")
        if environ.get("HTTP_X_AMZ_INVOCATION_TYPE") == "Event":
            self.functions.invoke_later(function, event)
            return 202, b""
        kind, answer = self.functions.invoke(function, event)
        failed = {"X-Amz-Function-Error": "Unhandled"} if kind == "error" else {}
        return 200, json.dumps(answer).encode(), {"X-Amz-Executed-Version": "$LATEST", **failed}

    def _request(self, environ, host, region):
        function = self.functions.behind(region, host)
        if function is None or not self.functions.is_public(function):
            return 403, b'{"Message": "Forbidden"}'
        kind, answer = self.functions.invoke(function, event_of(environ, host, body_of(environ)))
        return answer_of(answer) if kind == "response" else (502, b"Internal Server Error")


def body_of(environ):
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def send(start_response, status, body, headers=None):
    sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    start_response(f"{status} {HTTPStatus(status).phrase}", list(sent.items()))
    return [body]


def install(account):
    stacks.install()
    kinds.install()
    return Front(account)


if __name__ == "__main__":
    raise SystemExit(main(around=install))
