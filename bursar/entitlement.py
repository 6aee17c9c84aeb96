"""
Who may decide, asked from another door than Slack: the command line and the web page come here.

Approvers may be user groups of Slack. Whoever comes with a cloud identity or through the company's sign-in is looked
up there by his principal, as he would be if he clicked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bursar.approving import decide, find_approval, moment
from bursar.config import Config
from bursar.slack.clicks import slack_groups
from bursar.slack.desk import Desk, open_desk
from bursar.slack.messages import refresh, slack_id
from engine.errors import BursarError
from engine.people import Door
from engine.state.approvals import NotCounted
from engine.state.records import ApprovalRecord, Vote
from engine.state.store import Store


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody says at the command line."""

    principal: str
    door: Door
    yes: bool
    reason: str = ""


def answered(
    config: Config, store: Store, id_: str, voice: Voice, clock: Callable[[], datetime]
) -> ApprovalRecord | NotCounted:
    """Count `voice` as the answer to an approval, now; raise as `may_decide` and `decide` do."""
    asked = find_approval(store, id_).record
    entitled = may_decide(config, store, voice.principal, asked, clock)
    now = moment(store, clock)
    vote = Vote(voice.principal, voice.door.value, voice.yes, now, voice.reason)
    return decide(store, id_, vote, entitled=entitled, now=now)


def may_decide(
    config: Config, store: Store, principal: str, approval: ApprovalRecord, clock: Callable[[], datetime]
) -> bool:
    """
    Return whether `principal` is one of the approvers now.

    Raises:
        ConfigError: Slack has to be asked, and its token is not there.
        SlackError: Slack has to be asked, and cannot be.
    """
    if config.people.entitled(approval.approvers, principal):
        return True
    desk = open_desk(config, store, clock) if slack_groups(approval, config.people) else None
    return desk is not None and _in_slack(principal, approval, desk)


def _in_slack(principal: str, approval: ApprovalRecord, desk: Desk) -> bool:
    user = slack_id(principal, desk)
    if not user or desk.directory.user(user).refused:
        return False
    groups = desk.directory.memberships(user, slack_groups(approval, desk.people))
    return desk.people.entitled(approval.approvers, principal, groups)


def show_in_slack(config: Config, store: Store, approval: str, clock: Callable[[], datetime]) -> str:
    """Bring the message of an approval up to date; return why that is left to the next run, or nothing."""
    try:
        desk = open_desk(config, store, clock)
        if desk is not None:
            refresh(approval, desk)
    except BursarError as error:
        return error.problems[0].message
    return ""
