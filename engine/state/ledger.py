"""
The ledger: an append-only chain of entries, each of which carries the digest of the one before.

Stores append with `chained`; `bursar audit verify` reads with `breaks_of`. What was changed, removed or put back
in an old state is named by the serial where it shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from typing_extensions import TypeAliasType

Json = TypeAliasType("Json", "bool | int | str | list[Json] | dict[str, Json] | None")
"""What records and entries hold. No floats: amounts are decimal texts, times ISO 8601 texts in UTC."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened, before it has a place in the chain."""

    at: datetime
    """UTC."""
    kind: str
    """`finding.opened`, `approval.granted`, `action.intended`, `freeze.set` …"""
    subject: str
    """The id of what it happened to: a finding, step, approval, run."""
    run: str = ""
    """The run it happened in; empty for what a person did."""
    actor: str = "bursar"
    """Who did it: `bursar`, or a person as `cli:mira`, `slack:U024BE7LH`."""
    body: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A note in its place."""

    serial: int
    """1 for the first; no gaps."""
    note: Note
    previous: str
    """The digest of the entry before; of the first, `origin` of the ledger's lineage."""
    digest: str
    """SHA-256 in hex over `content`."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: enough to notice, from outside, that it was cut, changed or replaced."""

    lineage: str
    """A random id that a store is given when it is made: another database is another lineage."""
    serial: int
    """0 while the ledger is empty."""
    digest: str


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold."""

    serial: int
    what: str
    """For people: `the entry was changed`, `entries 17 to 20 are missing` …"""


def origin(lineage: str) -> str:
    """Return what stands for the digest before the first entry."""
    return hashlib.sha256(f"bursar ledger {lineage}".encode()).hexdigest()


def chained(head: Head, notes: Iterable[Note]) -> list[Entry]:
    """Return `notes` as the entries that follow `head`, in order."""
    entries: list[Entry] = []
    serial, previous = head.serial, head.digest
    for note in notes:
        serial += 1
        digest = digest_of(serial, note, previous)
        entries.append(Entry(serial, note, previous, digest))
        previous = digest
    return entries


def head_after(head: Head, entries: Sequence[Entry]) -> Head:
    """Return the head once `entries` have been appended."""
    return Head(head.lineage, entries[-1].serial, entries[-1].digest) if entries else head


def digest_of(serial: int, note: Note, previous: str) -> str:
    return hashlib.sha256(content(serial, note, previous)).hexdigest()


def content(serial: int, note: Note, previous: str) -> bytes:
    """Return the bytes that an entry's digest is over: JSON with sorted keys, no spaces, ASCII only."""
    facts = {
        "serial": serial,
        "at": note.at.astimezone(UTC).isoformat(),
        "kind": note.kind,
        "subject": note.subject,
        "run": note.run,
        "actor": note.actor,
        "body": note.body,
        "previous": previous,
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def breaks_of(entries: Iterable[Entry], head: Head, anchor: Head | None = None) -> Iterator[Break]:
    """
    Yield every place where the chain from the first entry to `head` does not hold.

    `anchor` is a head that was kept elsewhere: a ledger that has not grown from it was cut or put back.
    """
    serial, previous = 0, origin(head.lineage)
    anchored = ""
    for entry in entries:
        if entry.serial != serial + 1:
            yield Break(entry.serial, _missing(serial, entry.serial))
        elif entry.previous != previous:
            yield Break(entry.serial, "it does not follow the entry before")
        if digest_of(entry.serial, entry.note, entry.previous) != entry.digest:
            yield Break(entry.serial, "the entry was changed")
        serial, previous = entry.serial, entry.digest
        if anchor is not None and serial == anchor.serial:
            anchored = entry.digest
    if (serial, previous) != (head.serial, head.digest):
        yield Break(head.serial, f"the ledger should end with entry {head.serial} and ends with entry {serial}")
    if anchor is not None:
        yield from _anchor_breaks(serial, head, anchor, anchored)


def _anchor_breaks(serial: int, head: Head, anchor: Head, anchored: str) -> Iterator[Break]:
    if anchor.lineage != head.lineage:
        yield Break(0, f"this is another store than the anchored one: lineage {head.lineage}, not {anchor.lineage}")
    elif serial < anchor.serial:
        yield Break(serial, f"an older state was put back: entries up to {anchor.serial} were anchored")
    elif anchor.serial and anchored != anchor.digest:
        yield Break(anchor.serial, "the anchored entry was replaced")


def _missing(before: int, after: int) -> str:
    if after <= before:
        return f"it stands behind entry {before}"
    first, last = before + 1, after - 1
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
