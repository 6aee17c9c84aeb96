"""What the ledger says of each finding, from its last entries, kept so that a page need not read all of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from engine.state.ledger import Entry

KEPT = 100_000
"""Entries that are kept."""
WORDS = ("reason", "until", "due", "result")
"""What of an entry's body is shown."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the ledger, as a page shows it."""

    serial: int
    at: datetime
    kind: str
    finding: str
    run: str
    actor: str
    words: str


@dataclass
class History:
    """The last entries of the ledger, by finding. One thread adds; any may read."""

    kept: int = KEPT
    first: int = 0
    """The serial after which entries are known."""
    _all: deque[Event] = field(default_factory=deque)
    _by_finding: dict[str, tuple[Event, ...]] = field(default_factory=dict)

    def of(self, finding: str) -> tuple[Event, ...]:
        """Return what happened to `finding`, the last first."""
        return self._by_finding.get(finding, ())[::-1]

    def add(self, entry: Entry) -> None:
        """Take one more entry; forget the oldest where there are too many."""
        event = event_of(entry)
        if not event.finding:
            return
        self._all.append(event)
        self._by_finding[event.finding] = (*self._by_finding.get(event.finding, ()), event)
        if len(self._all) > self.kept:
            oldest = self._all.popleft()
            self.first = oldest.serial
            rest = self._by_finding[oldest.finding][1:]
            if rest:
                self._by_finding[oldest.finding] = rest
            else:
                del self._by_finding[oldest.finding]

    def clear(self) -> None:
        self.first = 0
        self._all.clear()
        self._by_finding.clear()


def event_of(entry: Entry) -> Event:
    note = entry.note
    said = (note.body.get(word) for word in WORDS)
    words = "; ".join(text for text in said if isinstance(text, str) and text)
    return Event(entry.serial, note.at, note.kind, finding_of(entry), note.run, note.actor, words)


def finding_of(entry: Entry) -> str:
    """Return the finding that an entry is about; nothing where it is about none."""
    note = entry.note
    match note.kind.partition(".")[0]:
        case "finding":
            return note.subject
        case "approval" | "exemption":
            named = note.body.get("finding")
            return named if isinstance(named, str) else ""
        case "action" | "saving":
            # `<finding>-<remediation>.<episode>`
            return note.subject.partition("-")[0]
        case _:
            return ""
