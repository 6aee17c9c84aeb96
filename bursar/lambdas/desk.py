"""Slack's endpoint and errands, as the Lambda functions use them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from bursar.config import Config
from bursar.lambdas.function_url import WebRequest
from bursar.lambdas.place import configuration, needs_state
from bursar.lambdas.slack import Answer, Answering
from bursar.running import utc_now
from bursar.slack.desk import Desk, open_desk
from bursar.slack.endpoint import SlackRequest, handle
from bursar.slack.errands import AskReason, CountClick, ShowDetails, as_document, from_document, perform
from bursar.stores import open_store
from engine.errors import ConfigError
from engine.state.conversation import ClickRecord
from engine.state.records import restored
from engine.state.store import Store, Table


def open_answering(stack: ExitStack) -> Answering | None:
    """
    Return what answers Slack, open as long as `stack`; None where Slack is not configured.

    Raises:
        BursarError: the configuration, a secret or the state cannot be used.
    """
    config = stack.enter_context(configuration())
    needs_state(config)
    desk = open_desk(config, stack.enter_context(open_store(config, create=False)), utc_now)
    return None if desk is None else partial(_answer, desk)


def _answer(desk: Desk, request: WebRequest) -> Answer:
    found = handle(SlackRequest(request.headers, request.body), desk)
    # A modal opens within three seconds of the click or not at all: another function may still be starting then.
    at_once = [one for one in found.afterwards if isinstance(one, (AskReason, ShowDetails))]
    return Answer(
        found.status,
        found.headers,
        found.body,
        tuple(partial(perform, one, desk) for one in at_once),
        tuple(as_document(one) for one in found.afterwards if one not in at_once),
    )


def perform_errand(document: Mapping[str, Any], config: Config, store: Store) -> str:
    """
    Do what an answer did not wait for; return the id of the approval that was clicked on, if any.

    Raises:
        BursarError: Slack or the store cannot be used; the click stays written down.
    """
    desk = open_desk(config, store, utc_now)
    if desk is None:
        raise ConfigError.of("bad-config", "Slack is not configured", where="slack")
    errand = from_document(document)
    perform(errand, desk)
    if not isinstance(errand, CountClick):
        return ""
    stored = store.get(Table.CLICK, errand.click)
    return "" if stored is None else restored(ClickRecord, stored).record.approval
