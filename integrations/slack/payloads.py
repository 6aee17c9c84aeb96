"""
What Slack sends when somebody clicks, understood: a click, an answer to a modal, or nothing of ours.

Everything in it is what the sender says. Only ids are taken from it, and each is compared with what was stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, ValidationError

DENY_MODAL = "bursar-deny"
REASON = "reason"
"""The block and the action of the modal's one field."""
ID = re.compile(r"[0-9a-f]{12}", re.ASCII)


class Verb(StrEnum):
    """What the buttons are called in payloads."""

    APPROVE = "bursar-approve"
    DENY = "bursar-deny"
    SNOOZE = "bursar-snooze"
    DETAILS = "bursar-details"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a payload says it comes from."""

    app: str
    team: str
    user: str
    user_team: str


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a button of a message."""

    verb: Verb
    approval: str
    origin: Origin
    channel: str
    ts: str
    trigger: str
    stamp: str
    """Slack's own time of the click, as it wrote it: tells clicks of one person apart."""
    choice: str = ""
    """What was chosen of a menu, without the approval's id."""


@dataclass(frozen=True, slots=True)
class Denial:
    """The modal that asks for a reason, filled in."""

    approval: str
    origin: Origin
    reason: str
    view: str
    """The id of the view: one for each time that it is opened."""


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class _Team(_Lenient):
    id: str = Field(min_length=1)


class _User(_Lenient):
    id: str = Field(pattern=r"^[UW][A-Z0-9]{1,30}$")
    team_id: str = ""


class _Container(_Lenient):
    channel_id: str
    message_ts: str


class _Option(_Lenient):
    value: str = Field(max_length=150)


class _Action(_Lenient):
    action_id: str
    action_ts: str = Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$")
    value: str = Field("", max_length=2000)
    selected_option: _Option | None = None


class _Enterprise(_Lenient):
    id: str = Field(min_length=1)


class _Payload(_Lenient):
    api_app_id: str
    team: _Team | None = None
    enterprise: _Enterprise | None = None
    user: _User

    @property
    def origin(self) -> Origin:
        found = self.team or self.enterprise
        return Origin(self.api_app_id, found.id if found else "", self.user.id, self.user.team_id)


class _BlockActions(_Payload):
    container: _Container
    trigger_id: str = ""
    actions: tuple[_Action, ...] = Field(min_length=1, max_length=1, strict=False)


class _Input(_Lenient):
    value: str | None = None


class _State(_Lenient):
    values: Mapping[str, Mapping[str, _Input]]


class _View(_Lenient):
    id: str = Field(min_length=1, max_length=100)
    callback_id: str
    private_metadata: str
    state: _State


class _ViewSubmission(_Payload):
    view: _View


class MalformedError(ValueError):
    """The body is not what Slack sends."""


def payload_of(body: bytes) -> Mapping[str, Any]:
    """Return the document in a form-encoded `body`; raise `MalformedError` where there is none."""
    try:
        parsed = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=4)
        (text,) = parsed["payload"]
        document = json.loads(text)
    except (ValueError, KeyError, RecursionError) as error:
        raise MalformedError("the body is not a form with one payload") from error
    if not isinstance(document, dict):
        raise MalformedError("the payload is not an object")
    return document


def understood(payload: Mapping[str, Any]) -> Click | Denial | None:
    """
    Return the click or the denial in `payload`; None where it is about nothing of ours.

    Raises:
        MalformedError: it is of a type we know and has not its shape.
    """
    try:
        match payload.get("type"):
            case "block_actions":
                return _click(_BlockActions.model_validate(payload))
            case "view_submission":
                return _denial(_ViewSubmission.model_validate(payload))
            case _:
                return None
    except ValidationError as error:
        first = error.errors()[0]
        raise MalformedError(f"the payload has not the shape of its type: {first['loc']}") from error


def _click(payload: _BlockActions) -> Click | None:
    action = payload.actions[0]
    try:
        verb = Verb(action.action_id)
    except ValueError:
        return None
    value = action.selected_option.value if action.selected_option is not None else action.value
    approval, _, choice = value.partition(".")
    return Click(
        verb,
        _id(approval),
        payload.origin,
        payload.container.channel_id,
        payload.container.message_ts,
        payload.trigger_id,
        action.action_ts,
        choice,
    )


def _denial(payload: _ViewSubmission) -> Denial | None:
    view = payload.view
    if view.callback_id != DENY_MODAL:
        return None
    given = view.state.values.get(REASON, {}).get(REASON)
    reason = (given.value or "").strip() if given is not None else ""
    return Denial(_id(view.private_metadata), payload.origin, reason[:500], view.id)


def _id(text: str) -> str:
    if not ID.fullmatch(text):
        raise MalformedError("the value is not the id of an approval")
    return text
