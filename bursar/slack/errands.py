"""
What is done after a click was acknowledged: modals are opened, clicks are counted, messages brought up to date.

Errands are data, so that a server can hand them to a thread and a Lambda function to another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, assert_never

from bursar.approving import find_approval
from bursar.slack.card import denial_of, details_of
from bursar.slack.clicks import count_click
from bursar.slack.desk import Desk
from bursar.slack.story import read_story
from engine.errors import BursarError, ConfigError
from engine.state.conversation import ClickRecord
from engine.state.records import restored
from engine.state.store import Table


@dataclass(frozen=True, slots=True)
class AskReason:
    """Open the modal that asks for the reason of a no: within three seconds of the click."""

    approval: str
    trigger: str


@dataclass(frozen=True, slots=True)
class ShowDetails:
    """Open the modal with all details: within three seconds of the click."""

    approval: str
    trigger: str


@dataclass(frozen=True, slots=True)
class CountClick:
    """Find out who clicked, decide, and bring the message up to date."""

    click: str


Errand: TypeAlias = AskReason | ShowDetails | CountClick
KINDS: Mapping[str, type[Errand]] = {kind.__name__: kind for kind in (AskReason, ShowDetails, CountClick)}


def perform(errand: Errand, desk: Desk) -> None:
    """
    Carry out one errand. It may be carried out again: what was counted is not counted twice.

    Raises:
        SlackError: Slack could not be asked; a click stays written down, and the next run counts it.
        StateError: the store cannot be used; likewise.
    """
    match errand:
        case AskReason(approval, trigger):
            desk.slack.open_view(trigger, denial_of(find_approval(desk.store, approval).record))
        case ShowDetails(approval, trigger):
            story = read_story(desk.store, find_approval(desk.store, approval).record)
            desk.slack.open_view(trigger, details_of(story))
        case CountClick(click):
            count_click(click, desk)
        case _:
            assert_never(errand)


def count_clicks(desk: Desk) -> list[BursarError]:
    """Count every click that was taken and not counted; return what stood in the way of those that still are not."""
    failed: list[BursarError] = []
    for stored in list(desk.store.scan(Table.CLICK, "new")):
        try:
            count_click(restored(ClickRecord, stored).record.id, desk)
        except BursarError as error:
            failed.append(error)
    return failed


def as_document(errand: Errand) -> dict[str, str]:
    """Return an errand as JSON's values, for a queue."""
    return {"errand": type(errand).__name__, **asdict(errand)}


def from_document(document: Mapping[str, Any]) -> Errand:
    """Return the errand that `as_document` made; raise `ConfigError` where it is none."""
    given = {key: str(value) for key, value in document.items() if key != "errand"}
    try:
        return KINDS[str(document.get("errand"))](**given)
    except (KeyError, TypeError) as error:
        raise ConfigError.of("usage", "the document is no errand", where="errand") from error
