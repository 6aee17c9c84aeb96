"""State in SQLite: writing, reading and verifying 100,000 records and as many notes, in CPU seconds and bytes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from engine.state.ledger import Note, breaks_of
from engine.state.store import Put, Store, Table
from integrations.store.sql_open import open_sqlite

COUNT = 100_000
BATCH = 5_000
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BODY = {
    "id": "f-8d1c0a77",
    "policy": "stop-idle-gpus",
    "subject": {
        "uid": "aws:123456789012:us-east-1:i-0123456789abcdef0",
        "kind": "aws.ec2.instance",
        "id": "i-0123456789abcdef0",
        "name": "vla-sweep-7",
        "account": "123456789012",
        "region": "us-east-1",
        "owner": "ml-platform",
    },
    "status": "open",
    "since": "2026-11-25T12:00:00+00:00",
    "episode": 1,
}


def main() -> None:
    print(f"  {COUNT:,} findings with a note each, in commits of {BATCH:,}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        store = open_sqlite(path)
        _measure("first puts and notes", lambda: _write(store, 0))
        _measure("changes and notes", lambda: _write(store, 1))
        _measure("scan of all", lambda: sum(1 for _ in store.scan(Table.FINDING)))
        _measure("scan by a status of none", lambda: sum(1 for _ in store.scan(Table.FINDING, "due")))
        _measure("ledger verified", lambda: len(list(breaks_of(store.entries(), store.head()))))
        store.close()
        size = path.stat().st_size
        store = open_sqlite(path)
        _measure("commits of nothing, 1,000", lambda: [store.commit([]) for _ in range(1000)])
        written = sum(file.stat().st_size for file in path.parent.iterdir() if not file.match("*-shm")) - size
        print(f"    {'written by those':<26} {written:>8,} bytes of {size:,}")
        store.close()


def _write(store: Store, expected: int) -> None:
    for start in range(0, COUNT, BATCH):
        keys = [f"finding-{number:012d}" for number in range(start, start + BATCH)]
        puts = [Put(Table.FINDING, key, "open", BODY, expected) for key in keys]
        told = [Note(NOW, "finding.opened", key, "run-1", body={"policy": "stop-idle-gpus"}) for key in keys]
        store.commit(puts, told)


def _measure(title: str, work: Callable[[], object]) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    spent = time.process_time() - cpu
    print(f"    {title:<26} {spent:>8.2f} s of CPU, {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
