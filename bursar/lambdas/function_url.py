"""
Events of a Function URL to requests, and answers back; payload format 2.0.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes = field(default=b"", repr=False)
    """As it was sent, whatever Lambda made of it: what a signature is over."""


def request_of(event: Mapping[str, Any]) -> WebRequest | None:
    """Return the request in `event`; None where it is none."""
    http = _mapping(_mapping(event.get("requestContext")).get("http"))
    path, body = event.get("rawPath"), event.get("body") or ""
    if not isinstance(http.get("method"), str) or not isinstance(path, str) or not isinstance(body, str):
        return None
    headers = {
        str(name).lower(): value for name, value in _mapping(event.get("headers")).items() if isinstance(value, str)
    }
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") is True else body.encode()
    except (binascii.Error, ValueError):
        return None
    return WebRequest(http["method"], path, headers, raw)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def answered(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an answer as Lambda takes it."""
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": "text/plain; charset=utf-8", **(headers or {})},
        "body": body.decode("utf-8"),
        "isBase64Encoded": False,
    }


def refused(status: HTTPStatus) -> dict[str, Any]:
    """Return a refusal that says no more than its status."""
    return answered(status, status.phrase.encode())
