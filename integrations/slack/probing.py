"""What the Slack app may do, as Slack itself says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.slack.client import SCOPES, Slack, SlackError, refused

LISTING = ("channels:read", "groups:read")
"""Scopes that let the app see which channels it is in; `bursar` itself does without."""


@dataclass(frozen=True, slots=True)
class App:
    """The app, as its token is known to Slack."""

    team: str
    user: str
    scopes: frozenset[str] | None
    """None where Slack does not say."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the scopes that are needed and not there."""
        return () if self.scopes is None else tuple(scope for scope in SCOPES if scope not in self.scopes)


def app_of(slack: Slack) -> App:
    """
    Return who the token belongs to, and what it allows.

    Raises:
        SlackError: the token is refused, or Slack cannot be asked.
    """
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        answer = slack.client.auth_test()
    except SlackApiError as error:
        raise refused("auth.test", error.response) from None
    except (SlackClientError, OSError) as error:
        raise SlackError.down("auth.test", type(error).__name__) from error
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    told = headers.get("x-oauth-scopes")
    scopes = None if told is None else frozenset(scope.strip() for scope in told.split(",") if scope.strip())
    return App(str(answer.get("team_id", "")), str(answer.get("user", "")), scopes)


def channels_of(slack: Slack) -> Iterator[str]:
    """Yield the names, with `#`, and ids of the channels that the app is in; raise `SlackError`."""
    cursor = ""
    while True:
        answer = slack.call("users.conversations", types="public_channel,private_channel", limit=200, cursor=cursor)
        for channel in answer.get("channels") or ():
            yield f"#{channel.get('name')}"
            yield str(channel.get("id"))
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return
