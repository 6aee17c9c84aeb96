"""What the endpoint, the errands behind it and the messages share: the store, the app, who is who."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from bursar.config import Config
from bursar.secrets import read_secret
from bursar.slack.settings import SlackSettings
from engine.people import People
from engine.state.store import Store
from integrations.slack.client import Slack, slack_at
from integrations.slack.directory import Directory


@dataclass(frozen=True)
class Desk:
    """One installation's Slack. A desk of its own for each thread, as the store is."""

    store: Store
    slack: Slack
    directory: Directory
    people: People
    settings: SlackSettings
    clock: Callable[[], datetime]
    secret: SecretStr | None = None
    """The signing secret; None where clicks come over Socket Mode alone."""


def open_desk(config: Config, store: Store, clock: Callable[[], datetime]) -> Desk | None:
    """
    Return the desk that `config` describes over `store`; None where Slack is not configured. No call is made.

    Raises:
        ConfigError: a secret is not where the configuration says.
    """
    settings = config.slack
    if settings is None:
        return None
    slack = slack_at(read_secret(settings.token, config.folder, "slack.token"), settings.address)
    return desk_over(slack, config.people, settings, store, clock, _signing(settings, config.folder))


def desk_over(
    slack: Slack,
    people: People,
    settings: SlackSettings,
    store: Store,
    clock: Callable[[], datetime],
    secret: SecretStr | None = None,
) -> Desk:
    return Desk(store, slack, Directory(slack, settings.team, clock), people, settings, clock, secret)


def _signing(settings: SlackSettings, folder: Path) -> SecretStr | None:
    if not settings.signing_secret:
        return None
    return read_secret(settings.signing_secret, folder, "slack.signing_secret")
