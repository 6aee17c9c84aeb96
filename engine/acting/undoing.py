"""
What was done, undone: by the action that did it, from what its intent wrote down about the state before.

A person asks for it, so neither grace nor approval is waited for, and the freeze does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from engine.acting.action import ActError, Effect
from engine.acting.outcomes import facts, target_of
from engine.acting.ports import Ports, Result, Tenure
from engine.state.ledger import Note
from engine.state.records import ActionRecord, Held, Progress, SavingRecord, put, restored
from engine.state.store import Put, Table

UNDOABLE = frozenset({Progress.DONE, Progress.PENDING, Progress.UNDOING})


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of the undoing of one act."""

    action: ActionRecord
    result: Result
    reason: str = ""


def chosen(records: Iterable[Held[ActionRecord]], what: str) -> list[Held[ActionRecord]]:
    """Return the acts that `what` names, the last first: the id of a run, act or step, or a resource's id or name."""
    found = [
        held
        for held in records
        if what in (held.record.run, held.record.id, held.record.step, held.record.finding)
        or what in (held.record.subject.id, held.record.subject.name, held.record.subject.uid)
    ]
    return sorted(found, key=lambda held: (held.record.intended, held.record.id), reverse=True)


def refusal(record: ActionRecord) -> str:
    """Return why an act cannot be undone, by what is remembered of it; nothing where it can."""
    if record.status not in UNDOABLE:
        return f"it is {record.status.value}"
    return "" if record.reversible else "it cannot be undone"


def undo(held: Held[ActionRecord], ports: Ports, tenure: Tenure) -> Undone:
    """Undo one act and return what became of it; whatever it is, it is in the store by then."""
    record = held.record
    action = ports.actions.get((record.remediation, record.subject.kind))
    why = refusal(record) or ("" if action is not None else "it cannot be undone")
    if why or action is None:
        return Undone(record, Result.REFUSED, why)
    undoing = held
    if record.status is not Progress.UNDOING:
        undoing = _moved(held, Progress.UNDOING, "", ports, tenure)
    try:
        action.undo(target_of(record))
        effect = action.undone(target_of(record))
    except ActError as error:
        reason = error.problems[0].message
        _moved(undoing, Progress.DONE, f"undoing failed: {reason}", ports, tenure)
        return Undone(record, Result.RETRYABLE if error.retryable else Result.FAILED, reason)
    return concluded(undoing, effect, ports, tenure)


def concluded(held: Held[ActionRecord], effect: Effect, ports: Ports, tenure: Tenure) -> Undone:
    """Write down what is seen of an undoing that was begun."""
    match effect:
        case Effect.DONE:
            _moved(held, Progress.UNDONE, "", ports, tenure)
            return Undone(held.record, Result.DONE)
        case Effect.PENDING:
            return Undone(held.record, Result.PENDING, "it goes on; the next run looks for it")
        case Effect.GONE:
            _moved(held, Progress.DONE, "it cannot be undone any more: the resource is gone", ports, tenure)
            return Undone(held.record, Result.FAILED, "the resource is gone")
        case Effect.ABSENT:
            _moved(held, Progress.DONE, "undoing had no effect", ports, tenure)
            return Undone(held.record, Result.FAILED, "no effect of it is to be seen")


def _moved(held: Held[ActionRecord], status: Progress, reason: str, ports: Ports, tenure: Tenure) -> Held[ActionRecord]:
    now = ports.clock()
    record = replace(held.record, status=status, reason=reason)
    if status is Progress.UNDONE:
        record = replace(record, finished=now)
    puts = [put(record, held.version)]
    if status is Progress.UNDONE:
        puts += _over(record, now, ports)
    kind = "action.kept" if status is Progress.DONE else f"action.{status.value}"
    ports.store.commit(puts, [Note(now, kind, record.id, ports.run, ports.actor, facts(record))], tenure.current())
    return Held(record, held.version + 1)


def _over(record: ActionRecord, now: datetime, ports: Ports) -> list[Put]:
    """Return the end of what the act saved."""
    stored = ports.store.get(Table.SAVING, record.id)
    if stored is None:
        return []
    saving = restored(SavingRecord, stored)
    if saving.record.until is not None:
        return []
    return [put(replace(saving.record, until=now, status="over", reason="undone"), saving.version)]
