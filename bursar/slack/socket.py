"""Clicks over Socket Mode: the same endpoint without HTTP, for those whom Slack cannot reach."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, TextIO

from bursar.config import Config
from bursar.render.text import visible
from bursar.secrets import read_secret
from bursar.slack.desk import Desk, open_desk
from bursar.slack.endpoint import SlackAnswer, receive
from bursar.slack.errands import perform
from bursar.stores import open_store
from engine.errors import BursarError, ConfigError
from integrations.slack.socket_mode import Reply, listening


@contextmanager
def open_listener(config: Config, clock: Callable[[], datetime], log: TextIO) -> Iterator[None]:
    """
    Take clicks as long as the `with` block lasts.

    Raises:
        ConfigError: Slack or its token for Socket Mode is not configured.
        SlackError: the connection cannot be made.
    """
    settings = config.slack
    if settings is None or not settings.app_token:
        hint = "`slack.app_token` is a token that begins with `xapp-`; docs/how-to/slack.md says where it is"
        raise ConfigError.of("bad-config", "Socket Mode is not configured", where="slack.app_token", hint=hint)
    token = read_secret(settings.app_token, config.folder, "slack.app_token")
    with open_store(config) as store:
        desk = open_desk(config, store, clock)
        assert desk is not None
        with listening(token, lambda payload: _listened(payload, desk, config, log), settings.address):
            yield


def _listened(payload: Mapping[str, Any], shared: Desk, config: Config, log: TextIO) -> Reply | None:
    """Take one payload, on a thread of the SDK: with a store of its own, and who is who shared."""
    try:
        with open_store(config, create=False) as store:
            answer = receive(payload, replace(shared, store=store))
    except BursarError as error:
        _say(log, f"a click was not taken: {error.problems[0].message}")
        return None
    if answer.status != HTTPStatus.OK:
        _say(log, f"a click was refused: {answer.body.decode()}")
        return None
    return Reply(json.loads(answer.body or b"{}"), lambda: _performed(answer, shared, config, log))


def _performed(answer: SlackAnswer, shared: Desk, config: Config, log: TextIO) -> None:
    for errand in answer.afterwards:
        try:
            with open_store(config, create=False) as store:
                perform(errand, replace(shared, store=store))
        except BursarError as error:
            _say(log, f"not done yet, the next run does it: {error.problems[0].message}")


def _say(log: TextIO, text: str) -> None:
    log.write(visible(text) + "\n")
    log.flush()
