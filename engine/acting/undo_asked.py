"""
Undoings that somebody asked for where nothing may be done at once: the next run does them, before it judges anything.

They are done like those of `bursar undo`, in the name of whoever asked, and the freeze holds neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from engine.acting.ports import FAILURES, Ports, Result, Tenure
from engine.acting.undoing import Undone, undo
from engine.state.ledger import Json, Note
from engine.state.records import ActionRecord, Held, UndoRecord, put, restored
from engine.state.store import ConflictError, Table

HOLDS = timedelta(hours=24)
"""How long it is waited for a run: what nobody undid by then may be wanted as it is."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one that was asked for."""

    asked: UndoRecord
    undone: Undone | None
    """None where nothing was tried: it came too late, or the act is not remembered."""

    @property
    def failed(self) -> bool:
        return self.undone is not None and self.undone.result in FAILURES


def undo_asked(ports: Ports, tenure: Tenure) -> Iterator[Answered]:
    """Undo every act that somebody asked for, the last act first, and yield what became of each."""
    waiting = [restored(UndoRecord, stored).record.action for stored in ports.store.scan(Table.UNDO, "asked")]
    acts = {key: None if (stored := ports.store.get(Table.ACTION, key)) is None else restored(ActionRecord, stored)
            for key in waiting}  # fmt: skip
    for key in sorted(acts, key=lambda key: _intended(acts[key]), reverse=True):
        stored = ports.store.get(Table.UNDO, key)
        held = None if stored is None else restored(UndoRecord, stored)
        # Whoever asked may have thought better of it since.
        if held is not None and held.record.status == "asked":
            yield _answered(held, acts[key], ports, tenure)


def _intended(act: Held[ActionRecord] | None) -> tuple[str, str]:
    return ("", "") if act is None else (act.record.intended.isoformat(), act.record.id)


def _answered(held: Held[UndoRecord], act: Held[ActionRecord] | None, ports: Ports, tenure: Tenure) -> Answered:
    asked = held.record
    if ports.clock() >= asked.until:
        return _closed(held, "lapsed", "no run came in time", None, ports, tenure)
    if act is None:
        return _closed(held, "refused", "the act is not remembered", None, ports, tenure)
    undone = undo(act, replace(ports, actor=asked.by), tenure)
    match undone.result:
        case Result.DONE | Result.PENDING:
            status = "done"
        case Result.RETRYABLE:
            status = "asked"
        case _:
            status = "refused"
    return _closed(held, status, undone.reason, undone, ports, tenure)


def _closed(
    held: Held[UndoRecord], status: str, outcome: str, undone: Undone | None, ports: Ports, tenure: Tenure
) -> Answered:
    """Write down how far it has come, where that is news."""
    after = replace(held.record, status=status, outcome=outcome)
    if after != held.record:
        body: dict[str, Json] = {"result": status, **({"reason": outcome} if outcome else {})}
        note = Note(ports.clock(), "action.undo-answered", after.action, ports.run, ports.actor, body)
        try:
            ports.store.commit([put(after, held.version)], [note], tenure.current())
        except ConflictError:
            # It was taken back while it was done: what was done is in the ledger by its own entries.
            return Answered(after, undone)
    return Answered(after, undone)
