"""
The tables of a store in SQL, and the numbered steps that bring a database to them.

A released step is never changed: another schema is another step at the end. Every step runs in the transaction
that also counts the version up, so that a database is never between two versions.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TypeAlias

import sqlalchemy as sa

from engine.state.ledger import origin

ONLY = 1
"""The id of the one row of `bursar_state`."""
# Bytewise order, which is that of code points, in every database and whatever its language.
_KEY = sa.String(512).with_variant(sa.String(512, collation="C"), "postgresql")

METADATA = sa.MetaData()
STATE = sa.Table(
    "bursar_state",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("lineage", sa.String(64), nullable=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)
"""One row: the version of the schema, and where the ledger ends. Every commit takes its lock first."""
RECORD = sa.Table(
    "bursar_record",
    METADATA,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("key", _KEY, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("status", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("bursar_record_status", "kind", "status", "key"),
    sqlite_with_rowid=False,
)
LEDGER = sa.Table(
    "bursar_ledger",
    METADATA,
    sa.Column("serial", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)
LEASE = sa.Table(
    "bursar_lease",
    METADATA,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("holder", sa.String(256), nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.String(40), nullable=False),
)
"""`holder` is empty once a lease was given back; the row stays, so that tokens go on growing."""

Step: TypeAlias = Callable[[sa.Connection], None]


def _first(connection: sa.Connection) -> None:
    METADATA.create_all(connection)
    lineage = secrets.token_hex(16)
    connection.execute(
        STATE.insert(), {"id": ONLY, "version": 0, "lineage": lineage, "serial": 0, "digest": origin(lineage)}
    )


STEPS: tuple[Step, ...] = (_first,)
"""Step N brings a database from version N - 1 to N."""


def version_of(connection: sa.Connection) -> int:
    """Return the schema's version; 0 where there is none."""
    if not sa.inspect(connection).has_table(STATE.name):
        return 0
    return int(connection.execute(sa.select(STATE.c.version)).scalar_one())


def migrate(connection: sa.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Take every step that the database has not taken; the caller holds a transaction that keeps others out."""
    for number in range(version_of(connection) + 1, len(steps) + 1):
        steps[number - 1](connection)
        connection.execute(STATE.update().values(version=number))
