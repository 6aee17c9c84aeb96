"""The address that Slack calls: the raw body and the headers to a function, and its answer back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PATH = "/slack/interactions"
LONGEST = 1024 * 1024
"""Bytes of a call; Slack's own are some thousand."""


class Answer(Protocol):
    """What the function answers."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """An answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Clicks = Callable[[bytes, Mapping[str, str]], Answer]
"""Takes the raw body and the headers with lower-case names, checks the signature, and answers within 3 seconds."""


async def clicked(request: Request, clicks: Clicks | None, answered: Callable[[int, float], None]) -> Response:
    """Return what `clicks` answers; it is called in a thread, because it writes to the store."""
    if clicks is None:
        return PlainTextResponse("Slack is not configured\n", 404)
    began = time.monotonic()
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            return PlainTextResponse("Content Too Large\n", 413)
    answer = await run_in_threadpool(clicks, body, dict(request.headers))
    answered(answer.status, time.monotonic() - began)
    return Response(answer.body, answer.status, dict(answer.headers))
