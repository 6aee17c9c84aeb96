"""Open a store in SQLite or PostgreSQL: make it where it is new, bring it to this release's schema, or refuse."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from engine.errors import ConfigError
from integrations.store.addresses import PostgresAddress
from integrations.store.sql import WRITES, SqlStore
from integrations.store.sql_errors import told
from integrations.store.sql_schema import STEPS, migrate, version_of
from integrations.store.versions import check_version, nothing_there

BUSY_SECONDS = 30.0
"""How long a lock is waited for."""
CONNECT_SECONDS = 10
MAKING = 0x6275727361
"""The advisory lock of PostgreSQL under which a store is made or migrated."""


def open_sqlite(path: Path, *, create: bool = True, busy_seconds: float = BUSY_SECONDS) -> SqlStore:
    """
    Return the store in the file at `path`, made where there is none and `create` says so.

    Raises:
        StateError: the file cannot be used, or is of another version.
    """
    name = f"sqlite {path}"
    if not create and not path.exists():
        raise nothing_there(name)
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(
        url, hide_parameters=True, pool_size=1, max_overflow=0, connect_args={"timeout": busy_seconds}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return _opened(SqlStore(engine, name), create=create)


def open_postgres(address: PostgresAddress, *, create: bool = True) -> SqlStore:
    """
    Return the store in the PostgreSQL database at `address`; libpq finds the password.

    Raises:
        ConfigError: the driver is not installed.
        StateError: the database cannot be used, or is of another version.
    """
    name = address.name
    try:
        import psycopg  # noqa: F401  (it tells here that it is missing, and not somewhere inside SQLAlchemy)
    except ImportError as error:
        hint = "pip install 'bursar[postgres]'"
        raise ConfigError.of("missing-extra", "a state in PostgreSQL needs `psycopg`", where=name, hint=hint) from error
    url = sa.URL.create(
        "postgresql+psycopg",
        username=address.user or None,
        host=address.host or None,
        port=address.port,
        database=address.database or None,
        query={name: value for name, value in address.options if name != "options"},
    )
    own = dict(address.options).get("options", "")
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=1,
        max_overflow=0,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "bursar",
            "options": f"-c lock_timeout={BUSY_SECONDS:.0f}s {own}".strip(),
        },
    )
    return _opened(SqlStore(engine, name), create=create)


def _opened(store: SqlStore, *, create: bool) -> SqlStore:
    try:
        with told(store.name):
            _make(store, create=create)
    except BaseException:
        store.close()
        raise
    return store


def _make(store: SqlStore, *, create: bool) -> None:
    with store.engine.connect() as connection:
        version = version_of(connection)
    if version == 0 and not create:
        raise nothing_there(store.name)
    if version < len(STEPS):
        with store.engine.connect().execution_options(**WRITES) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MAKING)))
            migrate(connection, STEPS)
            version = version_of(connection)
    check_version(version, len(STEPS), store.name)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a connection to SQLite; transactions begin where `_begin` says so, not where the driver guesses."""
    connection.isolation_level = None
    # A damaged text is for the reader to notice: an entry of the ledger is then named, not lost in an error.
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cell_size_check=ON")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # Somebody else works in it: the next to open it switches, and it is right without, only slower.
        if "locked" not in str(error) and "readonly" not in str(error):
            raise


def _begin(connection: sa.Connection) -> None:
    writes: Any = connection.get_execution_options().get("bursar_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
