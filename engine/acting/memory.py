"""What a run reads of the state, and changes of findings written to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.acting.breakers import Trip
from engine.acting.ports import Tenure
from engine.state.reconcile import Change
from engine.state.records import (
    ActionRecord,
    FindingRecord,
    Held,
    Progress,
    SnoozeRecord,
    put,
    restored,
)
from engine.state.settings import Acceptance, Figures
from engine.state.store import ConflictError, Put, Store, Table


def findings_of(store: Store) -> Mapping[str, Held[FindingRecord]]:
    """Return what is remembered of every finding, by its id."""
    held = (restored(FindingRecord, stored) for stored in store.scan(Table.FINDING))
    return {one.record.id: one for one in held}


def snoozes_of(store: Store) -> Mapping[str, SnoozeRecord]:
    """Return the snoozes that were not ended by hand, by finding."""
    held = (restored(SnoozeRecord, stored) for stored in store.scan(Table.SNOOZE, "active"))
    return {one.record.finding: one.record for one in held}


def write(store: Store, changes: Sequence[Change], tenure: Tenure) -> frozenset[str]:
    """
    Write `changes`, in batches of what the store takes at once; return the ids of those that were not written.

    Somebody who votes at this moment is faster by right: his finding is left as he made it, and the next run goes on.
    """
    size = max(1, store.batch // 2)
    lost: frozenset[str] = frozenset()
    for start in range(0, len(changes), size):
        batch = [change for change in changes[start : start + size] if change.held.record.id not in lost]
        while batch:
            puts = [put(change.held.record, change.held.version) for change in batch]
            try:
                store.commit(puts, [change.note for change in batch], tenure.current())
                break
            except ConflictError:
                moved = _moved_since(store, puts)
                if not moved:
                    raise
                lost |= moved
                batch = [change for change in batch if change.held.record.id not in moved]
    return lost


def _moved_since(store: Store, puts: Sequence[Put]) -> frozenset[str]:
    """Return the keys of those of `puts` that were made from a version that is not there."""
    there = {one.key: store.get(one.table, one.key) for one in puts}
    return frozenset(one.key for one in puts if (found.version if (found := there[one.key]) else 0) != one.expected)


def figures_kept(store: Store) -> Held[Figures] | None:
    stored = store.get(Table.SETTING, Figures.NAME)
    return None if stored is None else restored(Figures, stored)


def accepted(store: Store, trip: Trip, now: datetime) -> bool:
    stored = store.get(Table.SETTING, f"accepted:{trip.breaker}")
    return stored is not None and restored(Acceptance, stored).record.until > now


def recent_acts(store: Store) -> Mapping[str, ActionRecord]:
    """Return the last act that had an effect, or that a person undid, by subject."""
    found: dict[str, ActionRecord] = {}
    for status in (Progress.DONE, Progress.PENDING, Progress.UNDOING, Progress.UNDONE):
        for stored in store.scan(Table.ACTION, status.value):
            record = restored(ActionRecord, stored).record
            last = found.get(record.subject.uid)
            if last is None or record.intended > last.intended:
                found[record.subject.uid] = record
    return found


def write_in_order(store: Store, changes: Sequence[Change], tenure: Tenure) -> frozenset[str]:
    """Write `changes` where one record may change twice: its second change in a later commit. As `write`."""
    rest = list(changes)
    lost: frozenset[str] = frozenset()
    while rest:
        first: dict[str, Change] = {}
        later: list[Change] = []
        for change in rest:
            if change.held.record.id in first:
                later.append(change)
            else:
                first[change.held.record.id] = change
        lost |= write(store, tuple(first.values()), tenure)
        rest = [change for change in later if change.held.record.id not in lost]
    return lost
