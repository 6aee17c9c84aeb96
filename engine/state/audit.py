"""Reading the ledger of any store: the newest entries first, one entry, and whether all of it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from engine.state.ledger import Break, Entry, Head, Note, breaks_of
from engine.state.store import Store

WINDOW = 1_000
"""Entries that are read at once when the ledger is read from its end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to show; what is empty chooses none out."""

    subject: str = ""
    kind: str = ""
    """The whole kind, or what stands before one of its dots: `finding`, `finding.opened`."""
    run: str = ""
    since: datetime | None = None

    def __call__(self, note: Note) -> bool:
        return (
            self.subject in ("", note.subject)
            and self.run in ("", note.run)
            and (not self.kind or note.kind == self.kind or note.kind.startswith(f"{self.kind}."))
            and (self.since is None or note.at >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of looking at every entry."""

    head: Head
    anchor: Head | None
    breaks: tuple[Break, ...]


def newest(store: Store, wanted: Wanted, limit: int) -> Iterator[Entry]:
    """
    Yield at most `limit` entries that are wanted, newest first.

    With `since`, reading ends at the first window of entries that are all older: clocks of several machines differ
    by less than a window's time.
    """
    last = store.head().serial
    found = 0
    while last > 0 and found < limit:
        window = _upto(store.entries(max(last - WINDOW, 0)), last)
        for entry in reversed(window):
            if wanted(entry.note) and found < limit:
                found += 1
                yield entry
        if wanted.since is not None and window and all(entry.note.at < wanted.since for entry in window):
            return
        last -= WINDOW


def entry_at(store: Store, serial: int) -> Entry | None:
    """Return the entry with `serial`; None where there is none."""
    found = next(store.entries(serial - 1), None)
    return found if found is not None and found.serial == serial else None


def verify(store: Store, anchor: Head | None = None, progress: Callable[[int], None] = lambda _done: None) -> Verified:
    """Look at every entry up to where the ledger ends; what others append meanwhile is left for the next time."""
    head = store.head()
    entries = _counted(takewhile(lambda entry: entry.serial <= head.serial, store.entries()), progress)
    breaks = list(breaks_of(entries, head, anchor))
    behind = next(store.entries(head.serial), None)
    if behind is not None and store.head() == head:
        breaks.append(Break(behind.serial, f"it stands behind the end of the ledger, which is entry {head.serial}"))
    return Verified(head, anchor, tuple(breaks))


def _counted(entries: Iterable[Entry], progress: Callable[[int], None]) -> Iterator[Entry]:
    for entry in entries:
        progress(1)
        yield entry


def _upto(entries: Iterable[Entry], last: int) -> list[Entry]:
    return list(takewhile(lambda entry: entry.serial <= last, entries))
