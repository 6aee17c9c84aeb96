"""What the processes of the races do. Each opens the store for itself, and may be the one that makes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.state.ledger import Note
from engine.state.store import ConflictError, Put, Store, Table
from integrations.store.addresses import PostgresAddress
from integrations.store.sql_open import open_postgres, open_sqlite

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIZE = 20
"""Records and notes of each commit of `write_for_ever`."""


def open_at(address: Path | PostgresAddress) -> Store:
    return open_sqlite(address) if isinstance(address, Path) else open_postgres(address)


def take_lease(address: Path | PostgresAddress, number: int) -> int:
    """Return the token of the lease; 0 where somebody else has it."""
    store = open_at(address)
    lease = store.acquire("act", f"process {number}", HOUR, NOW)
    store.close()
    return lease.token if lease is not None else 0


def put_once(store: Store, number: int) -> bool:
    """Return whether this was the one that changed version 1 of the record; write a note in any case."""
    note = Note(NOW, "race.ran", f"racer {number}")
    try:
        store.commit([Put(Table.FINDING, "k", "won", {"by": number}, 1)], [note])
    except ConflictError:
        store.commit([], [note])
        return False
    return True


def write_for_ever(address: Path | PostgresAddress) -> None:
    """Commit `SIZE` records with a note for each, again and again, over all of them at once."""
    store = open_at(address)
    while True:
        found = {record.key: record.version for record in store.scan(Table.FINDING)}
        round_ = max(found.values(), default=0) + 1
        keys = [f"k{number}" for number in range(SIZE)]
        puts = [Put(Table.FINDING, key, "open", {"round": round_}, found.get(key, 0)) for key in keys]
        store.commit(puts, [Note(NOW, "round.written", key, body={"round": round_}) for key in keys])
