"""
Tell which call an HTTP request makes, and write refusals the way the called service writes them.

The gateway uses both. The operation is found by moto's routers for REST services, by the `X-Amz-Target`
header for JSON and by `Action` in the body for the query protocols; the service comes from the
signature's scope. Shapes follow the protocols of the botocore service models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import HTTPException

from bursar.demo.faults import Call, Spoiled

_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_SERVICES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
"""Names in signatures that differ from those of the SDK's clients."""
_MODELS = {"elasticfilesystem": "efs", "es": "opensearch", "aoss": "opensearchserverless"}
"""Names of service models that differ from those in signatures."""
_QUERY_COMPATIBLE = frozenset({"cloudwatch", "sqs"})
"""JSON services that keep the error codes of their older query protocol in a header."""
REQUEST_ID = "5f1c0d3e-0000-4000-8000-00000000d0d0"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    code: str
    message: str


def call_of(environ: Mapping[str, Any], body: bytes) -> Call | None:
    """Return the call a signed request makes, or None for an unsigned one."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    region, signed = scope.groups()
    service = _SERVICES.get(signed, signed)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return Call(service, target.rsplit(".", 1)[-1], region)
    action = _ACTION.search(body) if b"Action=" in body else None
    operation = action[1].decode() if action else _rest_operation(service, environ, body)
    return Call(service, operation, region)


def refusal(call: Call, environ: Mapping[str, Any], spoiled: Spoiled) -> Reply:
    """Return the error answer of a spoiled call in the shape of its service's protocol."""
    if call.service == "ec2":
        return _ec2(_refusal("ec2", spoiled))
    if call.service == "s3":
        return _s3(_refusal("s3", spoiled), head=environ.get("REQUEST_METHOD") == "HEAD")
    if environ.get("HTTP_X_AMZ_TARGET"):
        return _json(call.service, spoiled)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return _query(_refusal("query", spoiled))
    return _rest_json(_refusal("rest-json", spoiled))


_REFUSALS: Mapping[tuple[str, str], _Refusal] = {
    ("ec2", "throttled"): _Refusal(503, "RequestLimitExceeded", "Request limit exceeded."),
    ("ec2", "denied"): _Refusal(403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
    ("ec2", "internal"): _Refusal(500, "InternalError", "An internal error has occurred"),
    ("s3", "throttled"): _Refusal(503, "SlowDown", "Please reduce your request rate."),
    ("s3", "denied"): _Refusal(403, "AccessDenied", "Access Denied"),
    ("s3", "internal"): _Refusal(500, "InternalError", "We encountered an internal error. Please try again."),
    ("query", "throttled"): _Refusal(400, "Throttling", "Rate exceeded"),
    ("query", "denied"): _Refusal(403, "AccessDenied", "User is not authorized to perform this operation"),
    ("query", "internal"): _Refusal(500, "InternalFailure", "The request processing has failed"),
    ("json", "throttled"): _Refusal(400, "ThrottlingException", "Rate exceeded"),
    ("json", "denied"): _Refusal(400, "AccessDeniedException", "User is not authorized to perform this operation"),
    ("json", "internal"): _Refusal(500, "InternalServerError", "The request processing has failed"),
    ("rest-json", "throttled"): _Refusal(429, "TooManyRequestsException", "Rate exceeded"),
    ("rest-json", "denied"): _Refusal(403, "AccessDeniedException", "User is not authorized to perform this operation"),
    ("rest-json", "internal"): _Refusal(500, "InternalServerException", "The request processing has failed"),
}
"""What each protocol answers. JSON services deny with status 400, the others with 403."""


def _refusal(protocol: str, spoiled: Spoiled) -> _Refusal:
    usual = _REFUSALS[protocol, spoiled.reason]
    return _Refusal(spoiled.status or usual.status, spoiled.code or usual.code, usual.message)


def _ec2(r: _Refusal) -> Reply:
    error = f"<Errors><Error><Code>{escape(r.code)}</Code><Message>{escape(r.message)}</Message></Error></Errors>"
    return _xml(r.status, f"<Response>{error}<RequestID>{REQUEST_ID}</RequestID></Response>")


def _query(r: _Refusal) -> Reply:
    kind = "Receiver" if r.status >= 500 else "Sender"
    error = f"<Type>{kind}</Type><Code>{escape(r.code)}</Code><Message>{escape(r.message)}</Message>"
    return _xml(
        r.status,
        f"<ErrorResponse><Error>{error}</Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
    )


def _s3(r: _Refusal, *, head: bool) -> Reply:
    if head:
        return Reply(r.status, (("Content-Length", "0"),), b"")
    inner = f"<Code>{escape(r.code)}</Code><Message>{escape(r.message)}</Message>"
    return _xml(r.status, f"<Error>{inner}<RequestId>{REQUEST_ID}</RequestId></Error>")


def _json(service: str, spoiled: Spoiled) -> Reply:
    r = _refusal("json", spoiled)
    extra: tuple[tuple[str, str], ...] = ()
    if service in _QUERY_COMPATIBLE:
        kind = "Receiver" if r.status >= 500 else "Sender"
        extra = (("x-amzn-query-error", f"{_refusal('query', spoiled).code};{kind}"),)
    body = json.dumps({"__type": r.code, "message": r.message}).encode()
    return _reply(r.status, "application/x-amz-json-1.1", body, extra)


def _rest_json(r: _Refusal) -> Reply:
    body = json.dumps({"message": r.message}).encode()
    return _reply(r.status, "application/json", body, (("x-amzn-ErrorType", r.code),))


def _xml(status: int, inner: str) -> Reply:
    return _reply(status, "text/xml", b'<?xml version="1.0" encoding="UTF-8"?>\n' + inner.encode())


def _reply(status: int, content: str, body: bytes, extra: tuple[tuple[str, str], ...] = ()) -> Reply:
    headers = (
        ("Content-Type", content),
        ("Content-Length", str(len(body))),
        ("x-amzn-RequestId", REQUEST_ID),
        *extra,
    )
    return Reply(status, headers, body)


def _rest_operation(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    host = environ.get("HTTP_HOST", "127.0.0.1")
    query = environ.get("QUERY_STRING", "")
    url = f"http://{host}{environ.get('PATH_INFO', '/')}" + (f"?{query}" if query else "")
    headers = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
    request = Request.from_primitives(environ["REQUEST_METHOD"], url, headers, body)
    try:
        operation, _ = get_service_router(_MODELS.get(service, service)).match(request)
    except (HTTPException, KeyError, ValueError, NotImplementedError):
        return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')}"
    return str(operation.name)
