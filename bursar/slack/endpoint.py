"""
The endpoint that Slack calls when somebody clicks: a plain function, whatever serves it.

`handle` checks the signature and what the payload says of itself against the store, writes the click down, and
answers. It calls Slack for nothing and decides nothing: that is done by `bursar.slack.errands.perform`, after the
answer. A click that is written down is not lost: what nobody performs, the next run does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from bursar.approving import moment
from bursar.slack.card import SNOOZES
from bursar.slack.desk import Desk
from bursar.slack.errands import AskReason, CountClick, Errand, ShowDetails
from engine.state.conversation import ClickRecord, MessageRecord
from engine.state.ledger import Note
from engine.state.records import put, restored
from engine.state.store import ConflictError, StateError, Table
from integrations.slack.payloads import REASON, Click, Denial, MalformedError, Origin, Verb, payload_of, understood
from integrations.slack.signing import LARGEST, refusal

VERBS = {Verb.APPROVE: "approve", Verb.SNOOZE: "snooze"}


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """A request as it came in."""

    headers: Mapping[str, str]
    body: bytes
    """Raw, before any decoding; base64 of a Lambda event is undone."""


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """What is answered, at once; then, outside of the handler, `afterwards` is performed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    afterwards: tuple[Errand, ...] = ()


def handle(request: SlackRequest, desk: Desk) -> SlackAnswer:
    """Answer a request over HTTP. Nothing is parsed before its signature was found to be Slack's."""
    if len(request.body) > LARGEST:
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
    if desk.secret is None:
        return _refused(HTTPStatus.NOT_FOUND, "clicks come over Socket Mode here")
    why = refusal(request.headers, request.body, desk.secret, desk.clock())
    if why:
        return _refused(HTTPStatus.UNAUTHORIZED, why)
    try:
        return receive(payload_of(request.body), desk)
    except MalformedError as error:
        return _refused(HTTPStatus.BAD_REQUEST, str(error))


def receive(payload: Mapping[str, Any], desk: Desk) -> SlackAnswer:
    """Answer a payload that is Slack's, from HTTP or from a socket."""
    try:
        found = understood(payload)
        if found is None:
            return SlackAnswer(HTTPStatus.OK)
        wrong = _stranger(found.origin, desk)
        if wrong:
            return _refused(HTTPStatus.FORBIDDEN, wrong)
        return _clicked(found, desk) if isinstance(found, Click) else _denied(found, desk)
    except MalformedError as error:
        return _refused(HTTPStatus.BAD_REQUEST, str(error))
    except StateError:
        return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "the state cannot be reached: nothing was decided")


def _stranger(origin: Origin, desk: Desk) -> str:
    """Return why a payload is none of ours: another app's, or from another workspace."""
    if origin.app != desk.settings.app:
        return "it is about a message of another app"
    if origin.team != desk.settings.team:
        return "it comes from another workspace"
    if origin.user_team and origin.user_team != desk.settings.team and not desk.settings.team.startswith("E"):
        return "whoever clicked is of another workspace"
    return ""


def _clicked(click: Click, desk: Desk) -> SlackAnswer:
    message = _message(click.approval, desk)
    if message is None or (message.channel, message.ts) != (click.channel, click.ts):
        return _refused(HTTPStatus.FORBIDDEN, "it is not the message that asks for this approval")
    match click.verb:
        case Verb.DENY:
            return SlackAnswer(HTTPStatus.OK, afterwards=(AskReason(click.approval, click.trigger),))
        case Verb.DETAILS:
            return SlackAnswer(HTTPStatus.OK, afterwards=(ShowDetails(click.approval, click.trigger),))
        case Verb.APPROVE | Verb.SNOOZE:
            if click.verb is Verb.SNOOZE and click.choice not in dict(SNOOZES):
                raise MalformedError("the length of the snooze is not one of the menu")
            one_time = f"{click.ts} {click.stamp}"
            return _taken(VERBS[click.verb], click.approval, click.origin.user, click.choice, one_time, desk)


def _denied(denial: Denial, desk: Desk) -> SlackAnswer:
    if _message(denial.approval, desk) is None:
        return _refused(HTTPStatus.FORBIDDEN, "there is no message that asks for this approval")
    if not denial.reason:
        errors = {"response_action": "errors", "errors": {REASON: "Say why: it is kept and shown."}}
        return _said(errors)
    return _taken("deny", denial.approval, denial.origin.user, denial.reason, denial.view, desk)


def _message(approval: str, desk: Desk) -> MessageRecord | None:
    stored = desk.store.get(Table.MESSAGE, approval)
    return None if stored is None else restored(MessageRecord, stored).record


def _taken(verb: str, approval: str, user: str, words: str, one_time: str, desk: Desk) -> SlackAnswer:
    """Write a click down, once: the same click again has the same key, and is refused by the store itself."""
    now = moment(desk.store, desk.clock)
    key = hashlib.sha256(f"{verb} {approval} {user} {one_time}".encode()).hexdigest()[:32]
    click = ClickRecord(key, approval, verb, user, now, words)
    note = Note(now, "approval.clicked", approval, actor=f"slack:{user}", body={"verb": verb, "click": key})
    try:
        desk.store.commit([put(click, 0)], [note])
    except ConflictError:
        return _refused(HTTPStatus.CONFLICT, "this click was taken already")
    return SlackAnswer(HTTPStatus.OK, afterwards=(CountClick(key),))


def _said(document: Mapping[str, Any]) -> SlackAnswer:
    return SlackAnswer(HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(document).encode())


def _refused(status: HTTPStatus, why: str) -> SlackAnswer:
    """Return a refusal; the reason is for whoever reads the log of the server, and tells nothing of the store."""
    return SlackAnswer(status, {"Content-Type": "text/plain; charset=utf-8"}, why.encode())
