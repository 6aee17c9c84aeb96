"""
Messages about approvals: posted once, changed in place, and brought up to date by every run until their story is over.

A message that could not be changed now is changed later: what it says is kept beside where it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bursar.approving import find_approval
from bursar.slack.card import blocks_of, fallback
from bursar.slack.desk import Desk
from bursar.slack.story import Story, read_story
from engine.errors import BursarError
from engine.people import Door
from engine.state.conversation import MessageRecord
from engine.state.records import ApprovalRecord, Decision, Held, put, restored
from engine.state.store import ConflictError, Table
from integrations.slack.client import GONE, Posted, SlackError, SlackRefusedError
from integrations.slack.text import Block, code

MENTIONS = 5
"""Approvers that an escalation mentions, at most."""


def post_question(approval: ApprovalRecord, owner: str, desk: Desk, thread: str = "") -> None:
    """
    Post the question and remember where it is.

    Raises:
        SlackError: it was not delivered.
    """
    story = read_story(desk.store, approval)
    blocks = blocks_of(story, owner)
    posted = desk.slack.post(approval.channel, fallback(story), blocks, thread)
    before = desk.store.get(Table.MESSAGE, approval.id)
    record = MessageRecord(approval.id, posted.channel, posted.ts, desk.clock(), shown=_digest(blocks), owner=owner)
    desk.store.commit([put(record, before.version if before else 0)])


def refresh(approval: str, desk: Desk) -> None:
    """
    Bring the message of one approval up to date, where there is one and it says something else by now.

    Raises:
        SlackError: it could not be changed; a later run tries again.
    """
    stored = desk.store.get(Table.MESSAGE, approval)
    if stored is not None:
        held = restored(MessageRecord, stored)
        _refresh(held, read_story(desk.store, find_approval(desk.store, approval).record), desk)


def catch_up(desk: Desk) -> list[BursarError]:
    """Bring all open messages up to date and mention who lets a question wait; return what stood in the way."""
    failed: list[BursarError] = []
    for stored in list(desk.store.scan(Table.MESSAGE, "open")):
        held = restored(MessageRecord, stored)
        try:
            story = read_story(desk.store, find_approval(desk.store, held.record.approval).record)
            held = _refresh(held, story, desk)
            _escalate(held, story, desk)
        except BursarError as error:
            failed.append(error)
            if isinstance(error, SlackError) and not isinstance(error, SlackRefusedError):
                # Slack is not there: it will not be for the others either.
                break
    return failed


def _refresh(held: Held[MessageRecord], story: Story, desk: Desk) -> Held[MessageRecord]:
    record = held.record
    blocks = blocks_of(story, record.owner)
    digest = _digest(blocks)
    after = replace(record, shown=digest, status="closed" if story.over else "open")
    if digest != record.shown:
        try:
            desk.slack.update(Posted(record.channel, record.ts), fallback(story), blocks)
        except SlackRefusedError as error:
            if error.error not in GONE:
                raise
            after = replace(after, status="closed")
    return _kept(after, held, desk)


def _kept(after: MessageRecord, held: Held[MessageRecord], desk: Desk) -> Held[MessageRecord]:
    if after == held.record:
        return held
    try:
        desk.store.commit([put(after, held.version)])
    except ConflictError:
        # Somebody else brought it up to date at this moment; whatever it says now, the next run compares again.
        return held
    return Held(after, held.version + 1)


def _escalate(held: Held[MessageRecord], story: Story, desk: Desk) -> None:
    """Mention the approvers once, in the thread, when part of the time to answer is over."""
    record, approval = held.record, story.approval
    share = desk.settings.escalate
    if share is None or record.escalated is not None or approval.status is not Decision.PENDING:
        return
    now = desk.clock()
    if now < approval.asked + (approval.expires - approval.asked) * share / 100 or now >= approval.expires:
        return
    who = " ".join(mentions(approval.approvers, desk)) or ", ".join(code(name) for name in approval.approvers)
    text = f"{who}: this still waits for an answer, until {_time(approval.expires)} ({approval.id})"
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    desk.slack.post(record.channel, text, [block], record.ts)
    _kept(replace(record, escalated=now), held, desk)


def mentions(approvers: Sequence[str], desk: Desk) -> list[str]:
    """Return mentions of `approvers`, as far as Slack knows them."""
    found: list[str] = []
    for name in approvers:
        if name in desk.people.groups:
            users = [slack_id(member, desk) for member in sorted(desk.people.groups[name])]
            found += [f"<@{user}>" for user in users if user]
        elif group := desk.directory.group(name) if name[:1] in "@S" else "":
            found.append(f"<!subteam^{group}>")
        elif user := slack_id(name, desk):
            found.append(f"<@{user}>")
    return found[:MENTIONS]


def slack_id(name: str, desk: Desk) -> str:
    """Return what Slack calls somebody, by a principal or an address; nothing where it cannot be known."""
    for person in desk.people.persons:
        if person.principal.casefold() == name.casefold() and Door.SLACK in person.names:
            return person.names[Door.SLACK]
    if name[:1] in "UW" and name.isascii() and name.isalnum() and name.upper() == name:
        return name
    return desk.slack.id_of(name) if "@" in name[1:] and " " not in name else ""


def _digest(blocks: Sequence[Block]) -> str:
    return hashlib.sha256(json.dumps(list(blocks)).encode()).hexdigest()


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
