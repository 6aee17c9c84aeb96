"""
The addresses that Slack calls: the raw body and the headers to `bursar.slack.endpoint`, and its answer back.

What follows a click is done after the answer, in a thread; what cannot be done then, the next run does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TextIO

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bursar.config import Config
from bursar.render.text import visible
from bursar.running import Clock
from bursar.server.pool import StorePool
from bursar.slack.desk import Desk, open_desk
from bursar.slack.endpoint import SlackAnswer, SlackRequest, handle
from bursar.slack.errands import Errand, perform
from engine.errors import BursarError
from integrations.slack.signing import LARGEST

PATHS = ("/slack", "/slack/interactions")


@dataclass(frozen=True)
class Clicks:
    """Takes what Slack sends, each with a store of its own; who is who is shared."""

    desk: Desk
    pool: StorePool
    after: Callable[[], None] = lambda: None
    """Called when something was decided."""
    log: TextIO = field(default_factory=lambda: sys.stderr)

    @classmethod
    def of(cls, config: Config, pool: StorePool, clock: Clock, after: Callable[[], None]) -> Clicks | None:
        """Return what takes clicks; None where Slack is not configured. Raises `ConfigError` for a missing secret."""
        if config.slack is None:
            return None
        with pool.store() as store:
            desk = open_desk(config, store, clock)
        return None if desk is None else cls(desk, pool, after)

    def take(self, request: SlackRequest) -> SlackAnswer:
        """Return the answer, within the three seconds that Slack waits: it asks nobody but the state."""
        try:
            with self.pool.store() as store:
                return handle(request, replace(self.desk, store=store))
        except BursarError:
            return SlackAnswer(503, body=b"the state cannot be reached: nothing was decided")

    def perform(self, errands: tuple[Errand, ...]) -> None:
        """Do what follows."""
        for errand in errands:
            try:
                with self.pool.store() as store:
                    perform(errand, replace(self.desk, store=store))
            except BursarError as error:
                self.log.write(visible(f"not done yet, the next run does it: {error.problems[0].message}") + "\n")
                self.log.flush()
        self.after()


async def clicked(request: Request, clicks: Clicks | None, answered: Callable[[int, float], None]) -> Response:
    """Answer one call of Slack's."""
    if clicks is None:
        return PlainTextResponse("Slack is not configured\n", 404)
    began = time.monotonic()
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return PlainTextResponse("Content Too Large\n", 413)
    answer = await run_in_threadpool(clicks.take, SlackRequest(dict(request.headers), body))
    answered(answer.status, time.monotonic() - began)
    task = BackgroundTask(clicks.perform, answer.afterwards) if answer.afterwards else None
    return Response(answer.body, answer.status, dict(answer.headers), background=task)
