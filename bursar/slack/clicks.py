"""
A click that was taken, counted: who it is now, whether he may decide, what it means, and what people are told.

Everything here may be done again after a crash: the approval itself knows which votes it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bursar.approving import decide, find_approval, set_aside
from bursar.slack.desk import Desk
from bursar.slack.messages import refresh
from engine.people import Door, People
from engine.state.approvals import NotCounted
from engine.state.conversation import ClickRecord, MessageRecord
from engine.state.ledger import Note
from engine.state.records import ApprovalRecord, Vote, put, restored
from engine.state.store import ConflictError, Table
from engine.units import parse_duration
from integrations.slack.client import SlackError
from integrations.slack.text import said


@dataclass(frozen=True, slots=True)
class Standing:
    """Whoever clicked, and whether he may decide."""

    principal: str
    entitled: bool
    refused: str = ""
    """Why not, where being no approver is not the reason."""


def count_click(key: str, desk: Desk) -> None:
    """
    Count one click, where it was not yet.

    Raises:
        SlackError: Slack cannot be asked who clicked; the click stays as it is.
        StateError: the store cannot be used; likewise.
    """
    stored = desk.store.get(Table.CLICK, key)
    if stored is None:
        return
    held = restored(ClickRecord, stored)
    click = held.record
    if click.status != "new":
        return
    approval = find_approval(desk.store, click.approval).record
    standing = standing_of(click.user, approval, desk)
    outcome = standing.refused or _decided(click, approval, standing, desk)
    note = Note(desk.clock(), "approval.click-counted", approval.id, actor=f"slack:{click.user}",
                body={"click": key, "principal": standing.principal, "outcome": outcome or "counted"})  # fmt: skip
    try:
        desk.store.commit([put(replace(click, status="done", outcome=outcome), held.version)], [note])
    except ConflictError:
        return
    _tell(click, approval, outcome, desk)


def standing_of(user: str, approval: ApprovalRecord, desk: Desk) -> Standing:
    """Return who the Slack user is and whether he is one of the approvers, both as Slack says now."""
    known = desk.directory.user(user)
    principal = desk.people.principal(Door.SLACK, user, known.email)
    if known.refused:
        return Standing(principal, entitled=False, refused=f"{known.refused}, and decides nothing")
    empty = nobody(approval, desk)
    if empty:
        return Standing(principal, entitled=False, refused=f"nobody can decide: {', '.join(empty)} has no members")
    groups = desk.directory.memberships(user, slack_groups(approval, desk.people))
    entitled = user in approval.approvers or desk.people.entitled(approval.approvers, principal, groups)
    return Standing(principal, entitled)


def nobody(approval: ApprovalRecord, desk: Desk) -> tuple[str, ...]:
    """Return the groups among the approvers where all of them are groups, and all of these are empty."""
    own = desk.people.empty_groups(approval.approvers)
    there = slack_groups(approval, desk.people)
    empty = (*own, *(handle for handle in there if not desk.directory.members(handle)))
    return empty if len(empty) == len(approval.approvers) else ()


def slack_groups(approval: ApprovalRecord, people: People) -> Sequence[str]:
    """Return the user groups of Slack among the approvers: what the configuration lists itself is none of them."""
    own = people.groups
    return [name for name in approval.approvers if name not in own and (name[:1] == "@" or _is_group_id(name))]


def _is_group_id(name: str) -> bool:
    return name[:1] == "S" and len(name) > 7 and name.isascii() and name.isalnum() and name.upper() == name


def _decided(click: ClickRecord, approval: ApprovalRecord, standing: Standing, desk: Desk) -> str:
    """Return why the click did not count, or nothing where it did."""
    if click.verb == "snooze":
        return _snoozed(click, approval, standing, desk)
    yes = click.verb == "approve"
    vote = Vote(standing.principal, Door.SLACK.value, yes, click.at, "" if yes else click.words)
    answer = decide(desk.store, approval.id, vote, entitled=standing.entitled, now=desk.clock())
    if not isinstance(answer, NotCounted):
        return ""
    counted_before = vote in find_approval(desk.store, approval.id).record.votes
    return "" if counted_before else answer.reason


def _snoozed(click: ClickRecord, approval: ApprovalRecord, standing: Standing, desk: Desk) -> str:
    if not standing.entitled:
        return f"{standing.principal} is not one of its approvers"
    length: timedelta = parse_duration(click.words)
    by = f"{Door.SLACK.value}:{standing.principal}"
    return set_aside(desk.store, approval.id, click.at + length, by, click.at)


def _tell(click: ClickRecord, approval: ApprovalRecord, outcome: str, desk: Desk) -> None:
    """Bring the message up to date; tell whoever clicked, and nobody else, why it did not count."""
    refresh(approval.id, desk)
    stored = desk.store.get(Table.MESSAGE, approval.id)
    if not outcome or stored is None:
        return
    text = f"Not counted: {said(outcome)} ({approval.id})"
    try:
        desk.slack.tell(restored(MessageRecord, stored).record.channel, click.user, text)
    except SlackError:
        # It is in the ledger, and in the message for everybody.
        return
