"""What `bursar.yaml` says about Slack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from engine.policy.scalars import Text, Word, shaped

API = "https://slack.com/api/"


class SlackDocument(BaseModel):
    """The app in one workspace that asks, and takes the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    token: Text
    team: Annotated[Word, shaped(r"[TE][A-Z0-9]{1,20}", "the id of a workspace", "write such as `T0123ABCD`")]
    app: Annotated[Word, shaped(r"A[A-Z0-9]{1,20}", "the id of an app", "write such as `A0123ABCD`")]
    channel: Text
    signing_secret: Text | None = None
    app_token: Text | None = None
    escalate: Annotated[
        Word, shaped(r"never|[1-9][0-9]?%", "a share of the time", "write such as `50%`, or `never`")
    ] = "50%"
    address: Annotated[
        Text, shaped(r"https?://\S+/", "the address of Slack's Web API", "it begins with `https://` and ends with `/`")
    ] = API


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Slack, as configured. The secrets are references that `bursar.secrets` reads."""

    token: str
    team: str
    """The id of the workspace: `T0123ABCD`; of the organization where the app is installed for all of it."""
    app: str
    """The id of the app: `A0123ABCD`."""
    channel: str
    """Where warnings, what was held and what was done is told."""
    signing_secret: str = ""
    """Empty where clicks come over Socket Mode."""
    app_token: str = ""
    """For Socket Mode; empty where clicks come over HTTP."""
    escalate: int | None = 50
    """Percent of the time to answer after which approvers are mentioned; None is never."""
    address: str = API
    """Of the Web API: another one in GovSlack, and on an emulator."""


def slack_settings(document: SlackDocument | None) -> SlackSettings | None:
    if document is None:
        return None
    return SlackSettings(
        document.token,
        document.team,
        document.app,
        document.channel,
        document.signing_secret or "",
        document.app_token or "",
        None if document.escalate == "never" else int(document.escalate.rstrip("%")),
        document.address,
    )
