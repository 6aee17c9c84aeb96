"""SQLite and PostgreSQL where they fail: every failure is one clear error, and nothing is half written."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from engine.errors import ConfigError
from engine.state.ledger import Note, breaks_of
from engine.state.store import Put, StateError, Table
from integrations.store.addresses import PostgresAddress
from integrations.store.sql import PAGE, SqlStore
from integrations.store.sql_errors import state_error
from integrations.store.sql_open import open_postgres, open_sqlite
from integrations.store.sql_schema import METADATA, STEPS, migrate, version_of

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def refusal(ask, *arguments, **named):
    """Return code, message, place and hint of the error."""
    with pytest.raises(StateError) as caught:
        ask(*arguments, **named)
    (problem,) = caught.value.problems
    return problem.code, problem.message, problem.place.file, problem.hint


def puts(count, size=0):
    return [Put(Table.FINDING, f"k{number}", "open", {"text": "x" * size}, 0) for number in range(count)]


def written(store):
    return len(list(store.scan(Table.FINDING))), store.head().serial


# --- opening -------------------------------------------------------------------------------------


def test_no_folder(tmp_path):
    """A folder that does not exist is told with the file and what to look at."""
    path = tmp_path / "no" / "state.db"
    expected = ("state-unavailable", "the file cannot be opened", f"sqlite {path}")
    assert refusal(open_sqlite, path) == (*expected, "see that its folder exists and may be written")


def test_a_folder_in_its_place(tmp_path):
    """A folder is no file."""
    assert refusal(open_sqlite, tmp_path)[:2] == ("state-unavailable", "the file cannot be opened")


@pytest.mark.parametrize("content", [b"name,owner\n" * 500, b"\xff" * 4096, b"SQLite format 3\0" + b"\x7f" * 4080])
def test_another_file_in_its_place(tmp_path, content):
    """A file that is no database is refused and left as it is."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    assert refusal(open_sqlite, path)[:2] == ("state-damaged", "the file is damaged, or is no database")
    assert path.read_bytes() == content


def test_nothing_there_and_nothing_made(tmp_path):
    """Who only reads makes no state."""
    path = tmp_path / "state.db"
    assert refusal(open_sqlite, path, create=False)[:2] == ("state-unavailable", "there is no state here yet")
    assert not path.exists()
    path.touch()
    assert refusal(open_sqlite, path, create=False)[1] == "there is no state here yet"


def test_postgres_nothing_there_and_nothing_made(postgres_address):
    """An empty database stays one."""
    assert refusal(open_postgres, postgres_address, create=False)[1] == "there is no state here yet"
    with closing(open_postgres(postgres_address)) as store:
        assert store.head().serial == 0


def test_a_newer_schema(tmp_path):
    """A state of a newer release is not touched, with a word on what to do."""
    path = tmp_path / "state.db"
    open_sqlite(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE bursar_state SET version = 99")
    code, message, _, hint = refusal(open_sqlite, path)
    assert (code, message) == (
        "state-version",
        f"the state has version 99 of its schema; this release knows version {len(STEPS)}",
    )
    assert "a newer release" in hint


def test_a_schema_that_changed_meanwhile(tmp_path):
    """A program that has the state open writes nothing once another release has migrated it."""
    path = tmp_path / "state.db"
    with closing(open_sqlite(path)) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE bursar_state SET version = 99")
        assert refusal(store.commit, puts(1))[0] == "state-version"
        assert list(store.scan(Table.FINDING)) == []


def test_a_table_that_is_gone(tmp_path):
    """Parts that are missing are told as damage."""
    path = tmp_path / "state.db"
    with closing(open_sqlite(path)) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DROP TABLE bursar_ledger")
        assert refusal(store.commit, puts(1), [Note(NOW, "a", "b")])[:2] == (
            "state-damaged",
            "parts of the state are missing",
        )
        assert list(store.scan(Table.FINDING)) == []


def test_a_row_that_is_gone(tmp_path):
    """Without the row that says where the ledger ends nothing is written."""
    path = tmp_path / "state.db"
    with closing(open_sqlite(path)) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM bursar_state")
        assert refusal(store.commit, puts(1))[0] == "state-damaged"
    assert refusal(open_sqlite, path)[0] == "state-damaged"


@pytest.mark.parametrize("body", ["{", "[]", "null", "", "\xff\xfe", "[" * 100_000])
def test_a_damaged_record(tmp_path, body):
    """A record whose body is none is refused with its table and key, by both ways to read it."""
    path = tmp_path / "state.db"
    with closing(open_sqlite(path)) as store:
        store.commit(puts(1))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE bursar_record SET body = ?", (body,))
        for ask in (lambda: store.get(Table.FINDING, "k0"), lambda: list(store.scan(Table.FINDING))):
            assert refusal(ask)[:2] == ("state-damaged", "the finding `k0` is damaged")


# --- locks, space, rights ------------------------------------------------------------------------


def test_locked(tmp_path):
    """Somebody who holds the lock too long is told, and a lock that ends in time is waited for."""
    path = tmp_path / "state.db"
    open_sqlite(path).close()
    with closing(open_sqlite(path, busy_seconds=0.05)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refusal(store.commit, puts(1))[:2] == (
            "state-unavailable",
            "another process holds the state locked",
        )
        assert written(store) == (0, 0)
        other.rollback()
        store.commit(puts(1))


def test_disk_full(tmp_path):
    """A commit for which there is no room leaves nothing behind, and the next smaller one goes through."""
    with closing(open_sqlite(tmp_path / "state.db")) as store:
        with store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
        full = refusal(store.commit, puts(100, size=10_000), [Note(NOW, "a", "b")])
        assert full[:2] == ("state-unavailable", "the disk is full")
        assert written(store) == (0, 0)
        head = store.commit(puts(1), [Note(NOW, "a", "b")])
        assert list(breaks_of(store.entries(), head)) == []


LIMITED = """
import resource, sys
from pathlib import Path
from engine.state.store import Put, StateError, Table
from integrations.store.sql_open import open_sqlite
store = open_sqlite(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
done = 0
try:
    while True:
        store.commit([Put(Table.FINDING, f"k{done}", "open", {"text": "x" * 10_000}, 0)])
        done += 1
except StateError as error:
    print(done, error.problems[0].code, error.problems[0].message)
"""


def test_a_write_that_fails(tmp_path):
    """Where the system refuses a write, what was committed before is there, and no more."""
    ran = _in_python(LIMITED, tmp_path / "state.db")
    done, code, message = ran.split(" ", 2)
    assert (code, message) == ("state-unavailable", "the state cannot be used: disk I/O error")
    with closing(open_sqlite(tmp_path / "state.db")) as store:
        assert written(store) == (int(done), 0)
    assert int(done) > 5


READING = """
import os, sys
from pathlib import Path
from engine.state.store import Put, StateError, Table
from integrations.store.sql_open import open_sqlite
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    store = open_sqlite(Path(sys.argv[1]))
    print(len(list(store.scan(Table.FINDING))), end=" ")
    store.commit([Put(Table.FINDING, "k", "open", {}, 0)])
except StateError as error:
    print(error.problems[0].code, error.problems[0].message)
"""


def test_read_only():
    """Who may only read can read, and is told that it cannot write."""
    with tempfile.TemporaryDirectory() as place:
        folder, path = Path(place), Path(place) / "state.db"
        with closing(open_sqlite(path)) as store:
            store.commit(puts(3))
            for file in folder.iterdir():
                file.chmod(0o444)
            folder.chmod(0o555)
            ran = _in_python(READING, path)
            folder.chmod(0o755)
    assert ran == "3 state-unavailable the state may not be written"


def _in_python(script, path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout.strip()


# --- migrations ----------------------------------------------------------------------------------


def _second(connection):
    connection.exec_driver_sql("CREATE TABLE bursar_more (x INTEGER)")
    connection.exec_driver_sql("INSERT INTO bursar_more VALUES (1)")


def _broken(connection):
    _second(connection)
    connection.exec_driver_sql("INSERT INTO bursar_nowhere VALUES (1)")


@pytest.fixture(params=["sqlite", "postgres"])
def made(request, tmp_path) -> SqlStore:
    """A store with a record and a note."""
    if request.param == "sqlite":
        store = open_sqlite(tmp_path / "state.db")
    else:
        store = open_postgres(request.getfixturevalue("postgres_address"))
    store.commit(puts(1), [Note(NOW, "a", "b")])
    yield store
    store.close()


def _migrated(store, steps):
    with store.engine.connect().execution_options(bursar_writes=True) as connection, connection.begin():
        migrate(connection, steps)


def test_migrating(made):
    """A database takes the steps it lacks, once, and keeps what it holds."""
    for _ in range(2):
        _migrated(made, (*STEPS, _second))
    with made.engine.connect() as connection:
        assert version_of(connection) == len(STEPS) + 1
        assert connection.exec_driver_sql("SELECT count(*) FROM bursar_more").scalar_one() == 1
    assert [record.key for record in made.scan(Table.FINDING)] == ["k0"]


def test_a_migration_that_fails(made):
    """It leaves the database at the version it had, with nothing of the step."""
    with pytest.raises(sa.exc.DBAPIError):
        _migrated(made, (*STEPS, _broken))
    with made.engine.connect() as connection:
        assert version_of(connection) == len(STEPS)
        assert not sa.inspect(connection).has_table("bursar_more")
    assert written(made) == (1, 1)


def test_the_schema_is_that_of_the_steps(made):
    """What the steps make is what the code reads."""
    inspector = sa.inspect(made.engine)
    for table in METADATA.sorted_tables:
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        assert columns == {column.name for column in table.columns}


def test_more_than_a_page(made):
    """Records and entries that are read in several pages come once each, in order."""
    count = 2 * PAGE + 1
    made.commit([Put(Table.RUN, f"{number:05d}", "", {}, 0) for number in range(count)])
    head = made.commit([], [Note(NOW, "k", "s") for _ in range(count)])
    assert [record.key for record in made.scan(Table.RUN)] == [f"{number:05d}" for number in range(count)]
    assert [entry.serial for entry in made.entries(1)] == list(range(2, count + 2))
    assert list(breaks_of(made.entries(), head)) == []


# --- PostgreSQL ----------------------------------------------------------------------------------


def test_postgres_is_not_there(tmp_path):
    """A server that cannot be reached is told with its place, and the state is not taken for empty."""
    address = PostgresAddress("bursar", database="x", options=(("host", str(tmp_path)),))
    code, message, place, hint = refusal(open_postgres, address)
    assert (code, place) == ("state-unavailable", f"postgresql bursar@{tmp_path}")
    assert message == "the database cannot be reached"
    assert "that the server runs" in hint


def test_postgres_has_no_such_database(postgres_address):
    """A database that does not exist is told."""
    other = PostgresAddress("postgres", database="nowhere", options=postgres_address.options)
    assert refusal(open_postgres, other)[:2] == ("state-unavailable", "there is no such database")
    nobody = PostgresAddress("nobody", database="postgres", options=postgres_address.options)
    assert refusal(open_postgres, nobody)[:2] == ("state-unavailable", "there is no such database user")


def test_postgres_connection_lost(postgres_address):
    """A connection that the server ended while nobody used it is made anew."""
    with closing(open_postgres(postgres_address)) as store:
        store.commit(puts(1), [Note(NOW, "a", "b")])
        _end_connections(postgres_address)
        assert written(store) == (1, 1)


def test_postgres_connection_lost_while_reading(postgres_address):
    """A connection lost between two pages does not end the scan; one lost inside a call is an error."""
    with closing(open_postgres(postgres_address)) as store:
        store.commit(puts(5000))
        scanned = store.scan(Table.FINDING)
        next(scanned)
        _end_connections(postgres_address)
        assert len(list(scanned)) == 4999


def test_postgres_with_another_order_of_characters(postgres_address):
    """Keys are in order of code points whatever the database's language is."""
    with closing(open_postgres(postgres_address)) as store:
        columns = {column["name"]: column["type"] for column in sa.inspect(store.engine).get_columns("bursar_record")}
    assert columns["key"].collation == "C"


def test_postgres_may_not_write(postgres_address):
    """A session that is read only is told so."""
    with closing(open_postgres(postgres_address)) as store:
        store.commit(puts(1))
    options = dict(postgres_address.options)
    options["options"] += " -c default_transaction_read_only=on"
    with closing(open_postgres(replace(postgres_address, options=tuple(options.items())))) as store:
        assert refusal(store.commit, puts(2)[1:])[:2] == ("state-unavailable", "the state may not be written")
        assert written(store) == (1, 0)


def test_without_the_driver(monkeypatch):
    """Without psycopg the extra to install is named."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError) as caught:
        open_postgres(PostgresAddress("bursar", "db.example"))
    assert "pip install 'bursar[postgres]'" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (
            'FATAL:  password authentication failed for user "x"',
            "state-unavailable",
            "the database refused the password",
        ),
        ("could not extend file: No space left on device", "state-unavailable", "the disk is full"),
        ("canceling statement due to lock timeout", "state-unavailable", "another process holds the state locked"),
        ("permission denied for table bursar_record", "state-unavailable", "the database user may not do this"),
        ("database disk image is malformed", "state-damaged", "the file is damaged, or is no database"),
        ("something new", "state-unavailable", "the state cannot be used: something new"),
    ],
)
def test_what_databases_say(said, code, message):
    """Known complaints are told in our words, others in theirs."""
    error = sa.exc.OperationalError("SELECT secret", {"p": "parameter"}, Exception(said))
    (problem,) = state_error(error, "postgresql db").problems
    assert (problem.code, problem.message, problem.place.file) == (code, message, "postgresql db")
    assert "parameter" not in str(problem)


def _end_connections(address):
    """End every connection but this one."""
    host = dict(address.options)["host"]
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
