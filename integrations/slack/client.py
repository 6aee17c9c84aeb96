"""
The calls to Slack, with the SDK's own handlers for rate limits, server errors and lost connections.

https://docs.slack.dev/apis/web-api/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from engine.errors import BursarError, ConfigError
from integrations.slack.blocks import FALLBACK
from integrations.slack.text import Block, clipped

if TYPE_CHECKING:
    from slack_sdk import WebClient

TIMEOUT = 10
"""Seconds a call may take."""
TRIES = 2
"""How often a call is made again after a rate limit."""
GONE = frozenset({"message_not_found", "cant_update_message", "channel_not_found", "is_archived", "edit_window_closed"})
"""Refusals after which a message cannot be changed any more."""
ADDRESS = "https://slack.com/api/"
SCOPES = ("channels:read", "chat:write", "groups:read", "usergroups:read", "users:read", "users:read.email")
"""What the app's bot token has to allow; `docs/how-to/slack.md` has the manifest."""


class SlackError(BursarError):
    """Slack could not be reached, or refused a call."""

    exit_code = 4

    @classmethod
    def down(cls, call: str, reason: str) -> SlackError:
        return cls.of("slack-unavailable", f"`{call}` did not reach Slack: {reason}", where="slack")


class SlackRefusedError(SlackError):
    """Slack understood a call and refused it."""

    def __init__(self, call: str, error: str) -> None:
        problem = BursarError.of("slack-refused", f"Slack refused `{call}`: {error}", where="slack", hint=_hint(error))
        super().__init__(problem.problems)
        self.error = error
        """Slack's own word: `channel_not_found`."""


def _hint(error: str) -> str:
    match error:
        case "not_in_channel" | "channel_not_found" | "is_archived":
            return "invite the app into the channel: `/invite @bursar`"
        case "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive":
            return "the token is not valid: copy it from the app again; docs/how-to/slack.md says where it is"
        case "missing_scope":
            return f"the app needs the scopes {', '.join(SCOPES)}; install it anew after adding them"
        case _:
            return ""


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message is."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Slack:
    """One app in one workspace."""

    token: SecretStr
    address: str = ADDRESS
    emails: dict[str, str] = field(default_factory=dict, repr=False)
    """What `id_of` has learned: an address to the id of its user, empty where there is none."""

    @cached_property
    def client(self) -> WebClient:
        from slack_sdk import WebClient
        from slack_sdk.http_retry.builtin_handlers import (
            ConnectionErrorRetryHandler,
            RateLimitErrorRetryHandler,
            ServerErrorRetryHandler,
        )

        handlers = [
            RateLimitErrorRetryHandler(max_retry_count=TRIES),
            ServerErrorRetryHandler(max_retry_count=1),
            ConnectionErrorRetryHandler(max_retry_count=1),
        ]
        token = self.token.get_secret_value()
        return WebClient(token=token, base_url=self.address, timeout=TIMEOUT, retry_handlers=handlers)

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """
        Call `method` and return Slack's answer.

        Raises:
            SlackRefusedError: Slack said no.
            SlackError: it could not be asked.
        """
        from slack_sdk.errors import SlackApiError, SlackClientError

        sent = {key: value for key, value in arguments.items() if value not in (None, "")}
        try:
            answer = self.client.api_call(method, json=sent) if _as_json(method) else self.client.api_call(
                method, params=sent
            )  # fmt: skip
        except SlackApiError as error:
            raise refused(method, error.response) from error
        except (SlackClientError, OSError, ValueError) as error:
            raise SlackError.down(method, type(error).__name__) from error
        return dict(answer.data) if isinstance(answer.data, dict) else {}

    def post(self, channel: str, text: str, blocks: Sequence[Block], thread: str = "") -> Posted:
        """Post a message, into the thread of the message `thread` where one is given."""
        answer = self.call(
            "chat.postMessage", channel=channel, text=clipped(text, FALLBACK), blocks=list(blocks), thread_ts=thread,
            unfurl_links=False, unfurl_media=False,
        )  # fmt: skip
        return Posted(str(answer["channel"]), str(answer["ts"]))

    def update(self, message: Posted, text: str, blocks: Sequence[Block]) -> None:
        """Change a message of ours."""
        self.call(
            "chat.update", channel=message.channel, ts=message.ts, text=clipped(text, FALLBACK), blocks=list(blocks)
        )

    def tell(self, channel: str, user: str, text: str) -> None:
        """Say something that only `user` sees."""
        self.call("chat.postEphemeral", channel=channel, user=user, text=clipped(text, FALLBACK))

    def open_view(self, trigger: str, view: Block) -> None:
        """Open a modal for whoever clicked, within three seconds of the click."""
        self.call("views.open", trigger_id=trigger, view=view)

    def id_of(self, email: str) -> str:
        """Return the id of the user with that address; nothing where there is none, or he is deactivated."""
        known = email.strip().casefold()
        if known not in self.emails:
            try:
                user = self.call("users.lookupByEmail", email=known).get("user", {})
                self.emails[known] = "" if user.get("deleted") else str(user.get("id", ""))
            except SlackRefusedError as error:
                if error.error not in ("users_not_found", "user_not_found"):
                    raise
                self.emails[known] = ""
        return self.emails[known]


def slack_at(token: SecretStr, address: str = ADDRESS) -> Slack:
    """Return the app that `token` belongs to; raise `ConfigError` where the SDK is not installed. No call is made."""
    if find_spec("slack_sdk") is None:
        hint = "pip install 'bursar[slack]'"
        raise ConfigError.of("missing-extra", "`slack-sdk` is not installed", where="slack", hint=hint)
    return Slack(token, address)


def _as_json(method: str) -> bool:
    """Return whether Slack takes the arguments of `method` as JSON; those that only read take a form."""
    return method.startswith(("chat.", "views."))


def refused(method: str, response: Any) -> SlackError:
    """Return what Slack's `response`, which is no yes, comes to."""
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    status = int(getattr(response, "status_code", 0) or 0)
    word = str(data.get("error", ""))
    if word == "ratelimited" or status == 429 or status >= 500 or not word:
        return SlackError.down(method, word or f"status {status}")
    return SlackRefusedError(method, word)
