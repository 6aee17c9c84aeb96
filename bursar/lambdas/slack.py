"""
The handler behind the Function URL that Slack calls when somebody clicks.

The signature is over the raw body, so that base64 is undone before anything else. What has to be done within Slack's
three seconds, opening a modal, is done here; everything else by `bursar.lambdas.deferred`, in a function of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

from bursar.lambdas.function_url import WebRequest, answered, refused, request_of
from bursar.lambdas.kept import Kept
from engine.errors import BursarError

PATH = "/slack/interactions"
Errand: TypeAlias = Mapping[str, str]
"""What is done after the answer, as JSON's values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and what follows from the request."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at_once: tuple[Callable[[], None], ...] = ()
    """What cannot wait for another function."""
    later: tuple[Errand, ...] = ()


Answering: TypeAlias = Callable[[WebRequest], Answer]
Later: TypeAlias = Callable[[Errand], None]


@dataclass
class Door:
    """The endpoint of one warm function."""

    answering: Kept[Answering | None]
    later: Later

    def __call__(self, event: Any) -> dict[str, Any]:
        """Answer one event; whatever goes wrong is in the log, and an answer tells a stranger nothing of it."""
        request = request_of(event) if isinstance(event, Mapping) else None
        if request is None:
            return refused(HTTPStatus.BAD_REQUEST)
        if request.path.rstrip("/") != PATH:
            return refused(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return refused(HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            answer_to = self.answering.get()
            if answer_to is None:
                return refused(HTTPStatus.NOT_FOUND)
            answer = answer_to(request)
            for act in answer.at_once:
                act()
        except BursarError as error:
            print(error, file=sys.stderr)
            return refused(HTTPStatus.SERVICE_UNAVAILABLE)
        for errand in answer.later:
            self._hand_over(errand)
        return answered(answer.status, answer.body, answer.headers)

    def _hand_over(self, errand: Errand) -> None:
        try:
            self.later(errand)
        except BursarError as error:
            # The click is written down: what nobody is called for, the next run does.
            print(error, file=sys.stderr)


def _open(stack: ExitStack) -> Answering | None:
    from bursar.lambdas.desk import open_answering

    return open_answering(stack)


def _later(errand: Errand) -> None:
    from integrations.aws.invoking import invoke_later

    invoke_later(os.environ.get("BURSAR_DEFERRED", ""), errand)


DOOR = Door(Kept(_open), _later)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request to the Function URL."""
    return DOOR(event)
