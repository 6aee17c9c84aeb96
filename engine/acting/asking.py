"""
Warnings and questions of a run: delivered first, remembered then.

What was not delivered counts as not said, and is said again by the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.acting.agenda import Agenda
from engine.acting.cautions import cautions
from engine.acting.memory import write_in_order
from engine.acting.outcomes import remember
from engine.acting.ports import Ports, Tenure
from engine.plan import Plan
from engine.state import lifecycle
from engine.state.approvals import ended, finding_after, question
from engine.state.ledger import Json, Note
from engine.state.lifecycle import Wish, advance, wish
from engine.state.reconcile import Change, Task, finding_note, sighting_of
from engine.state.records import (
    ApprovalRecord,
    Decision,
    FindingRecord,
    Held,
    Status,
    put,
    restored,
)
from engine.state.store import ConflictError, Put, Table


@dataclass(frozen=True, slots=True)
class Warned:
    """Which warnings were delivered, and which were not."""

    told: tuple[Task, ...]
    untold: tuple[Task, ...]
    tasks: tuple[Task, ...]
    """All tasks as they stand then."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which questions were delivered, and which were not."""

    told: tuple[tuple[Task, ApprovalRecord], ...]
    untold: tuple[Task, ...]


def warn(tasks: Sequence[Task], plan: Plan, ports: Ports, tenure: Tenure) -> Warned:
    """
    Warn of what waits for it.

    A finding whose grace is nothing is due at once, but never without its warning.
    """
    waiting = [task for task in tasks if task.wish is Wish.WARN]
    others = [task for task in tasks if task.wish is not Wish.WARN]
    if not waiting:
        return Warned((), (), tuple(tasks))
    now = ports.clock()
    delivered = ports.teller.warn(waiting, now)
    warned = tuple(task for task in waiting if task.finding.id in delivered)
    changes: list[Change] = []
    moved: list[Task] = []
    for task in warned:
        sighting = sighting_of(task.finding, task.steps, plan.max_mode)
        told = lifecycle.warned(task.held.record, sighting, now)
        changes.append(Change(Held(told, task.held.version), finding_note(told, now, ports.run, ports.actor)))
        version = task.held.version + 1
        after = advance(told, sighting, now)
        if after is not told:
            changes.append(Change(Held(after, version), finding_note(after, now, ports.run, ports.actor)))
            version += 1
        moved.append(Task(task.finding, task.steps, Held(after, version), wish(after, sighting)))
    lost = write_in_order(ports.store, changes, tenure)
    going_on = (task for task in moved if task.wish is not Wish.NOTHING and task.held.record.id not in lost)
    untold = tuple(task for task in waiting if task.finding.id not in delivered)
    return Warned(warned, untold, (*others, *going_on))


def ask(chosen: Agenda, ports: Ports, tenure: Tenure) -> Asked:
    """Ask for approvals: the question is in the store before it is sent, and only a sent one waits for an answer."""
    told: list[tuple[Task, ApprovalRecord]] = []
    untold: list[Task] = []
    for task in chosen.ask:
        now = ports.clock()
        authorship = ports.authors(task.finding.verdict.policy)
        approval = question(task.finding, task.steps, task.held.record, now, ports.actor, authorship)
        stored = ports.store.get(Table.APPROVAL, approval.id)
        if stored is None:
            approval = replace(approval, shown=replace(approval.shown, lost=tuple(cautions(task, ports))))
            body: dict[str, Json] = {"finding": approval.finding, "authors": list(approval.authors)}
            note = Note(now, "approval.asked", approval.id, ports.run, ports.actor, body)
            ports.store.commit([put(approval, 0)], [note], tenure.current())
        else:
            # A run ended early after it had written the question down: people may have seen and decided it.
            approval = restored(ApprovalRecord, stored).record
        open_ = approval.status is Decision.PENDING and now < approval.expires
        if open_ and not ports.teller.ask(approval, task):
            untold.append(task)
            continue
        after = lifecycle.asked(task.held.record, approval.id, approval.fingerprint, now)
        note = finding_note(after, now, ports.run, ports.actor, approval=approval.id)
        try:
            ports.store.commit([put(after, task.held.version)], [note], tenure.current())
        except ConflictError:
            # Somebody changed the finding this very moment: the next run sees how it stands.
            continue
        told.append((task, approval))
    _catch_up(ports, tenure)
    return Asked(tuple(told), tuple(untold))


def _catch_up(ports: Ports, tenure: Tenure) -> None:
    """Let findings follow approvals that were decided before they waited for them."""
    now = ports.clock()
    for stored in list(ports.store.scan(Table.FINDING, Status.PENDING.value)):
        held = restored(FindingRecord, stored)
        found = ports.store.get(Table.APPROVAL, held.record.approval)
        if found is None:
            continue
        approval = restored(ApprovalRecord, found).record
        after = finding_after(held.record, approval, now)
        if approval.status is Decision.SUPERSEDED:
            after = lifecycle.answered(held.record, Status.EXPIRED, now, approval.reason)
        if after is not held.record:
            try:
                remember(after, held, ports, tenure)
            except ConflictError:
                # The vote itself was written this very moment, and its finding with it.
                continue


def expire(ports: Ports, tenure: Tenure) -> None:
    """End approvals that nobody decided in time, and those whose finding has gone on without them."""
    now = ports.clock()
    for stored in list(ports.store.scan(Table.APPROVAL, Decision.PENDING.value)):
        held = restored(ApprovalRecord, stored)
        found = ports.store.get(Table.FINDING, held.record.finding)
        finding = None if found is None else restored(FindingRecord, found)
        waits = (
            finding is not None
            and finding.record.status is Status.PENDING
            and finding.record.approval == held.record.id
        )
        if finding is not None and waits and now >= held.record.expires:
            _end(held, finding, Decision.EXPIRED, "nobody decided in time", ports, tenure)
        elif not waits and finding is not None and finding.record.status is not Status.DUE:
            _end(held, None, Decision.SUPERSEDED, "the finding has changed or is over", ports, tenure)


def _end(
    held: Held[ApprovalRecord],
    finding: Held[FindingRecord] | None,
    decision: Decision,
    reason: str,
    ports: Ports,
    tenure: Tenure,
) -> None:
    now = ports.clock()
    puts: list[Put] = [put(ended(held.record, decision, now, reason), held.version)]
    body: dict[str, Json] = {"finding": held.record.finding, "reason": reason}
    notes = [Note(now, f"approval.{decision.value}", held.record.id, ports.run, ports.actor, body)]
    if finding is not None:
        after = lifecycle.answered(finding.record, Status.EXPIRED, now, reason)
        puts.append(put(after, finding.version))
        notes.append(finding_note(after, now, ports.run, ports.actor))
    try:
        ports.store.commit(puts, notes, tenure.current())
    except ConflictError:
        # Somebody decided this very moment: that counts, and the next run sees it.
        return
