"""
A decision, from whichever door: one function, one commit, one end.

Slack, the command line and the web page call `decide`. The approval, its finding and the entry in the ledger are
written together or not at all; of decisions made at once one counts and the others are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from engine.errors import ConfigError
from engine.state.approvals import NotCounted, ended, finding_after, voted
from engine.state.ledger import Json, Note
from engine.state.lifecycle import Snoozed, advance
from engine.state.reconcile import finding_note
from engine.state.records import (
    ApprovalRecord,
    Decision,
    FindingRecord,
    Held,
    SnoozeRecord,
    Status,
    Vote,
    put,
    restored,
)
from engine.state.store import ConflictError, Put, Store, Table

TRIES = 10
"""How often a vote is counted anew when somebody else's came in at the same moment."""


def approvals(store: Store, status: Decision | None = None) -> list[ApprovalRecord]:
    """Return the approvals, the newest first; those with `status` only where one is given."""
    found = (restored(ApprovalRecord, one).record for one in store.scan(Table.APPROVAL, status and status.value))
    return sorted(found, key=lambda record: (record.asked, record.id), reverse=True)


def find_approval(store: Store, id_: str) -> Held[ApprovalRecord]:
    """Return one approval; raise `ConfigError` where there is none of that id."""
    stored = store.get(Table.APPROVAL, id_)
    if stored is None:
        hint = "`bursar approvals list` shows them"
        raise ConfigError.of("not-found", f"there is no approval `{id_}`", where="approvals", hint=hint)
    return restored(ApprovalRecord, stored)


def moment(store: Store, clock: Callable[[], datetime]) -> datetime:
    """
    Return when somebody says something, for an approval that expires: the later of this machine's time and the store's.

    All doors share the store's clock, so that none lets in what is late by it; a clock that is ahead refuses too early,
    and never too late. Raises `StateError` where the store cannot be asked.
    """
    here, there = clock(), store.clock()
    return here if there is None else max(here, there.replace(microsecond=0))


def decide(store: Store, id_: str, vote: Vote, *, entitled: bool, now: datetime) -> ApprovalRecord | NotCounted:
    """
    Count one vote, and return the approval as it stands then, or why the vote does not count.

    What is late is told by `vote.at`, which is the `moment` at which the door took it.

    Raises:
        ConfigError: there is no such approval.
        StateError: the store cannot be written to; nothing was decided.
    """
    for attempt in range(TRIES):
        held = find_approval(store, id_)
        after = voted(held.record, vote, entitled=entitled)
        if isinstance(after, NotCounted):
            return after
        puts, notes = _writes(store, held, after, vote, now)
        try:
            store.commit(puts, notes)
        except ConflictError:
            if attempt == TRIES - 1:
                raise
        else:
            return after
    raise AssertionError("the last try returns or raises")


def _writes(
    store: Store, held: Held[ApprovalRecord], after: ApprovalRecord, vote: Vote, now: datetime
) -> tuple[Sequence[Put], Sequence[Note]]:
    actor = f"{vote.door}:{vote.principal}"
    body: dict[str, Json] = {"finding": after.finding, "status": after.status.value}
    if vote.reason:
        body["reason"] = vote.reason
    word = "approval.yes" if vote.yes else "approval.no"
    puts = [put(after, held.version)]
    notes = [Note(now, word, after.id, actor=actor, body=body)]
    stored = store.get(Table.FINDING, after.finding)
    if stored is not None and after.status is not Decision.PENDING:
        finding = restored(FindingRecord, stored)
        moved = finding_after(finding.record, after, now)
        if moved is not finding.record:
            puts.append(put(moved, finding.version))
            notes.append(finding_note(moved, now, "", actor, approval=after.id))
    return puts, notes


def set_aside(store: Store, id_: str, until: datetime, by: str, now: datetime) -> str:
    """
    Snooze the finding of a pending approval until `until` and withdraw the question; return why not, or nothing.

    Raises:
        ConfigError: there is no such approval.
        StateError: the store cannot be written to; nothing was done.
    """
    for attempt in range(TRIES):
        held = find_approval(store, id_)
        record = held.record
        if record.status is not Decision.PENDING:
            return f"it is {record.status.value} already"
        if now >= record.expires:
            return f"it expired at {record.expires:%Y-%m-%d %H:%M} UTC"
        reason = f"snoozed until {until:%Y-%m-%d %H:%M} UTC by {by}"
        puts: list[Put] = [put(ended(record, Decision.SUPERSEDED, now, reason), held.version)]
        snoozed = store.get(Table.SNOOZE, record.finding)
        puts.append(put(SnoozeRecord(record.finding, until, by), snoozed.version if snoozed else 0))
        notes = [
            Note(now, "approval.superseded", id_, actor=by, body={"reason": reason}),
            Note(now, "finding.snooze", record.finding, actor=by, body={"until": until.isoformat(), "approval": id_}),
        ]
        stored = store.get(Table.FINDING, record.finding)
        if stored is not None:
            finding = restored(FindingRecord, stored)
            if finding.record.status is Status.PENDING and finding.record.approval == id_:
                after = advance(finding.record, Snoozed(reason), now)
                puts.append(put(after, finding.version))
                notes.append(finding_note(after, now, "", by, approval=id_))
        try:
            store.commit(puts, notes)
        except ConflictError:
            if attempt == TRIES - 1:
                raise
        else:
            return ""
    raise AssertionError("the last try returns or raises")
