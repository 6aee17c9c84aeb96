"""
A store in SQL: one code for SQLite and PostgreSQL.

Every commit first takes the lock of the one row that says where the ledger ends, so that commits follow each
other and never deadlock; SQLite takes its write lock at once for the same end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.state.commits import check_commit, check_key, conflict, lease_lost
from engine.state.ledger import Entry, Head, Note, chained, head_after
from engine.state.store import Lease, Put, Stored, Table
from integrations.store.encoding import decode_entry, decode_stored, encode_body, encode_entry
from integrations.store.leases import read_expiry, shown_expiry, taken
from integrations.store.sql_errors import told
from integrations.store.sql_schema import LEASE, LEDGER, RECORD, STATE, STEPS
from integrations.store.versions import check_version

BATCH = 10_000
PAGE = 2_000
"""Rows that are read at once. No transaction stays open between pages, so that whoever reads may write."""
WRITES = {"bursar_writes": True}
"""The execution option of a transaction that will write."""
KEYS_AT_ONCE = 500


@dataclass
class SqlStore:
    """A `Store` in the database that `engine` leads to; `integrations.store.sql_open` makes it."""

    engine: sa.Engine
    name: str
    batch: int = BATCH

    def get(self, table: Table, key: str) -> Stored | None:
        """Return one record."""
        check_key(key, self.name)
        wanted = _RECORDS.where(RECORD.c.kind == table.value, RECORD.c.key == key)
        with self._reading() as connection:
            row = connection.execute(wanted).first()
        return None if row is None else decode_stored(table, *row, store=self.name)

    def scan(self, table: Table, status: str | None = None) -> Iterator[Stored]:
        """Yield the records of a table in order of their keys."""
        wanted = _RECORDS.where(RECORD.c.kind == table.value).order_by(RECORD.c.key).limit(PAGE)
        if status is not None:
            wanted = wanted.where(RECORD.c.status == status)
        after = ""
        while True:
            with self._reading() as connection:
                rows = connection.execute(wanted.where(RECORD.c.key > after)).all()
            for row in rows:
                yield decode_stored(table, *row, store=self.name)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def commit(self, puts: Sequence[Put], notes: Sequence[Note] = (), lease: Lease | None = None) -> Head:
        """Write all of it or nothing."""
        check_commit(puts, notes, self.batch, self.name)
        if not puts and not notes:
            with self._reading() as connection:
                self._check_lease(connection, lease)
                return self._head(connection)
        rows = [_row(put) for put in puts]
        with self._writing() as connection:
            head = self._head(connection, locked=True)
            self._check_lease(connection, lease)
            whole = _written(connection, rows)
            if whole:
                return _appended(connection, head, notes)
            connection.rollback()
        raise conflict(self._moved(puts) or puts, self.name)

    def head(self) -> Head:
        """Return where the ledger ends."""
        with self._reading() as connection:
            return self._head(connection)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the entries with a serial above `after`, in order."""
        wanted = sa.select(LEDGER.c.serial, LEDGER.c.content, LEDGER.c.digest).order_by(LEDGER.c.serial).limit(PAGE)
        while True:
            with self._reading() as connection:
                rows = connection.execute(wanted.where(LEDGER.c.serial > after)).all()
            for serial, content, digest in rows:
                yield decode_entry(serial, content, digest)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def acquire(self, name: str, holder: str, ttl: timedelta, now: datetime) -> Lease | None:
        """Return a lease, or None while somebody else holds it."""
        with self._writing() as connection:
            self._head(connection, locked=True)
            row = connection.execute(_LEASES.where(LEASE.c.name == name)).first()
            token = 1 if row is None else row.token + 1
            if row is not None and taken(row.holder, read_expiry(row.expires, self.name), holder, now):
                return None
            lease = Lease(name, holder, token, now + ttl)
            values = {"holder": holder, "token": token, "expires": shown_expiry(lease.expires)}
            if row is None:
                connection.execute(LEASE.insert().values(name=name, **values))
            else:
                connection.execute(LEASE.update().where(LEASE.c.name == name).values(values))
            return lease

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> Lease:
        """Return the same lease, holding until `now + ttl`."""
        renewed = Lease(lease.name, lease.holder, lease.token, now + ttl)
        if not self._set_lease(lease, {"expires": shown_expiry(renewed.expires)}):
            raise lease_lost(lease, self.name)
        return renewed

    def release(self, lease: Lease) -> None:
        """Give the lease back."""
        self._set_lease(lease, {"holder": ""})

    def clock(self) -> datetime | None:
        """Return the database server's time; None for a file, whose clock is this machine's."""
        if self.engine.dialect.name == "sqlite":
            return None
        with self._reading() as connection:
            now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with told(self.name), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with told(self.name), self.engine.connect().execution_options(**WRITES) as connection, connection.begin():
            yield connection

    def _head(self, connection: sa.Connection, *, locked: bool = False) -> Head:
        wanted = sa.select(STATE.c.version, STATE.c.lineage, STATE.c.serial, STATE.c.digest)
        row = connection.execute(wanted.with_for_update() if locked else wanted).one()
        check_version(row.version, len(STEPS), self.name)
        return Head(row.lineage, row.serial, row.digest)

    def _check_lease(self, connection: sa.Connection, lease: Lease | None) -> None:
        if lease is None:
            return
        row = connection.execute(_LEASES.where(LEASE.c.name == lease.name)).first()
        if row is None or (row.holder, row.token) != (lease.holder, lease.token):
            raise lease_lost(lease, self.name)

    def _set_lease(self, lease: Lease, values: dict[str, str]) -> bool:
        held = (LEASE.c.name == lease.name) & (LEASE.c.holder == lease.holder) & (LEASE.c.token == lease.token)
        with self._writing() as connection:
            self._head(connection, locked=True)
            return connection.execute(LEASE.update().where(held).values(values)).rowcount == 1

    def _moved(self, puts: Sequence[Put]) -> list[Put]:
        """Return those of `puts` that are of another version than expected, as it is now."""
        found: dict[tuple[str, str], int] = {}
        with self._reading() as connection:
            for start in range(0, len(puts), KEYS_AT_ONCE):
                keys = [put.key for put in puts[start : start + KEYS_AT_ONCE]]
                wanted = sa.select(RECORD.c.kind, RECORD.c.key, RECORD.c.version).where(RECORD.c.key.in_(keys))
                found.update({(kind, key): version for kind, key, version in connection.execute(wanted)})
        return [put for put in puts if found.get((put.table.value, put.key), 0) != put.expected]


_RECORDS = sa.select(RECORD.c.key, RECORD.c.version, RECORD.c.status, RECORD.c.body)
_LEASES = sa.select(LEASE.c.holder, LEASE.c.token, LEASE.c.expires)
_UPDATE = (
    RECORD.update()
    .where(
        RECORD.c.kind == sa.bindparam("of_kind"),
        RECORD.c.key == sa.bindparam("of_key"),
        RECORD.c.version == sa.bindparam("expected"),
    )
    .values(version=sa.bindparam("new"), status=sa.bindparam("now"), body=sa.bindparam("holds"))
)
_INSERTS = {
    "sqlite": sqlite.insert(RECORD).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(RECORD).on_conflict_do_nothing(),
}


def _row(put: Put) -> dict[str, str | int]:
    body = encode_body(put.body)
    if put.expected == 0:
        return {"kind": put.table.value, "key": put.key, "version": 1, "status": put.status, "body": body}
    return {
        "of_kind": put.table.value,
        "of_key": put.key,
        "expected": put.expected,
        "new": put.expected + 1,
        "now": put.status,
        "holds": body,
    }


def _written(connection: sa.Connection, rows: Sequence[dict[str, str | int]]) -> bool:
    """Write records; return whether every one of them was of the version expected."""
    new = [row for row in rows if "expected" not in row]
    changed = [row for row in rows if "expected" in row]
    count = 0
    if new:
        # Without the option the count of an INSERT is not kept: nobody but us reads it.
        counted = {"preserve_rowcount": True}
        count += connection.execute(_INSERTS[connection.dialect.name], new, execution_options=counted).rowcount
    if changed:
        count += connection.execute(_UPDATE, changed).rowcount
    return count == len(rows)


def _appended(connection: sa.Connection, head: Head, notes: Sequence[Note]) -> Head:
    """Append `notes` behind `head`, whose lock is held."""
    if not notes:
        return head
    entries = chained(head, notes)
    connection.execute(
        LEDGER.insert(), [{"serial": e.serial, "content": encode_entry(e), "digest": e.digest} for e in entries]
    )
    after = head_after(head, entries)
    connection.execute(STATE.update().values(serial=after.serial, digest=after.digest))
    return after
