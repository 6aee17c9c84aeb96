"""Stores and anchors in memory, for tests of everything that needs one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from engine.state.commits import check_commit, check_key, conflict, lease_lost
from engine.state.ledger import Entry, Head, Note, chained, head_after, origin
from engine.state.store import Lease, Put, StateError, Stored, Table


@dataclass
class Memory:
    """What several stores share, as processes share a database."""

    lineage: str = "memory"
    records: dict[tuple[Table, str], Stored] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    leases: dict[str, Lease | None] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    @property
    def head(self) -> Head:
        return head_after(Head(self.lineage, 0, origin(self.lineage)), self.entries)


@dataclass
class MemoryStore:
    """A `Store` in memory. Another one over the same `memory` is another process."""

    memory: Memory = field(default_factory=Memory)
    before: Callable[[str], None] = lambda _method: None
    """Called with the name of each method of the Protocol first; raise here what the store should fail with."""
    now: Callable[[], datetime | None] = lambda: None
    """The store's own clock."""
    batch: int = 1000
    commits: int = 0
    """How many commits wrote something."""

    @property
    def name(self) -> str:
        return "memory"

    def get(self, table: Table, key: str) -> Stored | None:
        self.before("get")
        check_key(key, self.name)
        with self.memory.lock:
            return self.memory.records.get((table, key))

    def scan(self, table: Table, status: str | None = None) -> Iterator[Stored]:
        self.before("scan")
        with self.memory.lock:
            found = [r for (t, _), r in self.memory.records.items() if t is table and status in (None, r.status)]
        yield from sorted(found, key=lambda record: record.key)

    def commit(self, puts: Sequence[Put], notes: Sequence[Note] = (), lease: Lease | None = None) -> Head:
        self.before("commit")
        check_commit(puts, notes, self.batch, self.name)
        bodies = [_as_kept(put.body) for put in puts]
        kept = [replace(note, body=_as_kept(note.body)) for note in notes]
        with self.memory.lock:
            if lease is not None and not self._held(lease):
                raise lease_lost(lease, self.name)
            wrong = [put for put in puts if self._version(put) != put.expected]
            if wrong:
                raise conflict(wrong, self.name)
            for put, body in zip(puts, bodies, strict=True):
                self.memory.records[put.table, put.key] = Stored(put.table, put.key, put.expected + 1, put.status, body)
            self.memory.entries += chained(self.memory.head, kept)
            self.commits += bool(puts or notes)
            return self.memory.head

    def head(self) -> Head:
        self.before("head")
        with self.memory.lock:
            return self.memory.head

    def entries(self, after: int = 0) -> Iterator[Entry]:
        self.before("entries")
        with self.memory.lock:
            found = self.memory.entries[after:]
        yield from found

    def acquire(self, name: str, holder: str, ttl: timedelta, now: datetime) -> Lease | None:
        self.before("acquire")
        with self.memory.lock:
            current = self.memory.leases.get(name)
            if current is not None and current.holder != holder and now < current.expires:
                return None
            token = self.memory.tokens[name] = self.memory.tokens.get(name, 0) + 1
            lease = self.memory.leases[name] = Lease(name, holder, token, now + ttl)
            return lease

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> Lease:
        self.before("renew")
        with self.memory.lock:
            if not self._held(lease):
                raise lease_lost(lease, self.name)
            renewed = self.memory.leases[lease.name] = replace(lease, expires=now + ttl)
            return renewed

    def release(self, lease: Lease) -> None:
        self.before("release")
        with self.memory.lock:
            if self._held(lease):
                self.memory.leases[lease.name] = None

    def clock(self) -> datetime | None:
        self.before("clock")
        return self.now()

    def close(self) -> None:
        pass

    def _held(self, lease: Lease) -> bool:
        current = self.memory.leases.get(lease.name)
        return current is not None and current.token == lease.token

    def _version(self, put: Put) -> int:
        current = self.memory.records.get((put.table, put.key))
        return current.version if current is not None else 0


@dataclass
class MemoryAnchor:
    """An `Anchor` in memory."""

    kept: list[Head] = field(default_factory=list)
    broken: bool = False
    """Whether it cannot be reached."""

    @property
    def name(self) -> str:
        return "memory"

    def latest(self) -> Head | None:
        self._reach()
        return self.kept[-1] if self.kept else None

    def keep(self, head: Head, at: datetime) -> None:
        self._reach()
        self.kept.append(head)

    def _reach(self) -> None:
        if self.broken:
            raise StateError.of("state-unavailable", "the anchor cannot be reached", where=self.name)


def _as_kept(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` as it comes back from a store: lists for tuples, and nothing shared with the caller."""
    kept: dict[str, Any] = json.loads(json.dumps(body, allow_nan=False))
    return kept
