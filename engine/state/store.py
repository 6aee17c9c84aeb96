"""
The Protocol of state stores: versioned records, the ledger, leases.

A store knows nothing of what the records mean; `engine.state.records` does. Everything that belongs together is
one `commit`: all of it holds or none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from engine.errors import BursarError
from engine.state.ledger import Entry, Head, Json, Note


class Table(StrEnum):
    """What kinds of record there are."""

    FINDING = "finding"
    DETAIL = "detail"
    """What a finding says: its words, evidence and dollars."""
    ACTION = "action"
    APPROVAL = "approval"
    EXEMPTION = "exemption"
    SNOOZE = "snooze"
    SAVING = "saving"
    RUN = "run"
    MESSAGE = "message"
    CLICK = "click"
    UNDO = "undo"
    """Acts that somebody wants undone."""
    SETTING = "setting"
    """What is set for the whole installation: the freeze, the figures of the last run that breakers compare with."""


LIVE: Mapping[Table, str] = MappingProxyType(
    {Table.CLICK: "new", Table.MESSAGE: "open", Table.APPROVAL: "pending", Table.RUN: "running", Table.UNDO: "asked"}
)
"""The status of the few records of a growing table that every run asks for. A store finds these by key, and reads none
of the others for it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands in a store."""

    table: Table
    key: str
    """Unique in its table; at most 512 characters."""
    version: int
    """1 for the first; one more with every `Put`."""
    status: str
    """What `scan` can choose by; empty where the table has no use for it."""
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Put:
    """A record to be written over the version it was made from."""

    table: Table
    key: str
    status: str
    body: Mapping[str, Json]
    expected: int
    """The version that has to be there; 0 where there must be none."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act, until it expires or somebody else takes it after that."""

    name: str
    holder: str
    token: int
    """Grows with every acquisition, so that a holder who slept too long can be told apart."""
    expires: datetime
    """UTC, by the clock of whoever acquired it."""


class StateError(BursarError):
    """The state cannot be read or written: nothing is done without it."""

    exit_code = 4


class ConflictError(StateError):
    """A record is not of the version that a `Put` was made from: somebody else was faster. Nothing was written."""


class LeaseLostError(StateError):
    """The lease that a commit was made under is no longer held. Nothing was written."""


class Store(Protocol):
    """
    Where state lives. Safe to use from several processes and, one store object each, from several threads.

    Every method raises `StateError` (code `state-unavailable`) where the store cannot be reached or is full, and
    (code `state-version`) where it was written by a release with another schema.
    """

    @property
    def name(self) -> str:
        """For people, without credentials: `sqlite bursar.db`, `postgresql bursar@db.example`."""

    @property
    def batch(self) -> int:
        """How many puts and notes together one commit may hold, at most."""

    def get(self, table: Table, key: str) -> Stored | None:
        """Return one record."""

    def scan(self, table: Table, status: str | None = None) -> Iterator[Stored]:
        """
        Yield the records of a table in order of their keys, those with `status` only where one is given.

        With the status that `LIVE` names, no other records are read.
        """

    def commit(self, puts: Sequence[Put], notes: Sequence[Note] = (), lease: Lease | None = None) -> Head:
        """
        Write all of it or nothing, and return the new head of the ledger.

        Raises:
            ConflictError: a record is of another version than expected.
            LeaseLostError: `lease` is not held any more.
        """

    def head(self) -> Head:
        """Return where the ledger ends."""

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the entries with a serial above `after`, in order."""

    def acquire(self, name: str, holder: str, ttl: timedelta, now: datetime) -> Lease | None:
        """Return a lease that holds until `now + ttl`; None while somebody else holds one that has not expired."""

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> Lease:
        """Return the same lease, holding until `now + ttl`; raise `LeaseLostError` where it was taken."""

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing where it is not held any more."""

    def clock(self) -> datetime | None:
        """Return the time by the store's own clock, UTC; None where it is this machine's."""

    def close(self) -> None:
        """Let go of connections."""


class Anchor(Protocol):
    """A place outside the store that keeps heads, so that a store put back in an old state is noticed."""

    @property
    def name(self) -> str:
        """For people: `file /var/lib/bursar/anchor.jsonl`, `s3://bucket/bursar/anchor`."""

    def latest(self) -> Head | None:
        """Return the last head that was kept; None where none was. Raises `StateError` where it cannot be read."""

    def keep(self, head: Head, at: datetime) -> None:
        """Keep `head` beside the earlier ones. Raises `StateError` where it cannot."""
