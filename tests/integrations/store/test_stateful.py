"""Any sequence of calls does in every store what it does in memory."""

import itertools
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from engine.state.ledger import Note, breaks_of
from engine.state.store import Put, StateError, Table
from integrations.store.dynamodb_open import open_dynamodb
from integrations.store.sql_open import open_sqlite
from integrations.store.sql_schema import METADATA
from tests.engine.state.fakes import MemoryStore

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEYS = st.sampled_from(["a", "b", "B", "é", "x/y"])
TABLES = st.sampled_from([Table.FINDING, Table.RUN])
STATUSES = st.sampled_from(["", "open", "due"])
BODIES = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=3
)
PUTS = st.lists(st.builds(Put, TABLES, KEYS, STATUSES, BODIES, st.integers(0, 3)), max_size=3)
NOTES = st.lists(st.builds(Note, st.just(NOW), st.sampled_from(["a.b", "c"]), KEYS, body=BODIES), max_size=3)
HOLDERS = st.sampled_from(["me", "you"])
MINUTES = st.integers(0, 120).map(lambda minutes: NOW + timedelta(minutes=minutes))
HOUR = timedelta(hours=1)


class Machine(RuleBasedStateMachine):
    """A store beside one in memory; `make` is set by whoever runs it."""

    make = staticmethod(lambda _stack: MemoryStore())

    def __init__(self):
        super().__init__()
        self.stack = ExitStack()
        self.real = self.make(self.stack)
        self.memory = MemoryStore()
        self.leases = []

    def both(self, ask):
        """Return what both stores answer, which has to be the same; errors by their type and code."""
        answers = [told(ask, store) for store in (self.real, self.memory)]
        assert answers[0] == answers[1]
        return answers[0]

    @rule(puts=PUTS, notes=NOTES, which=st.none() | st.integers(0, 5))
    def commit(self, puts, notes, which):
        lease = self.leases[which % len(self.leases)] if which is not None and self.leases else None
        self.both(lambda store: store.commit(puts, notes, lease).serial)

    @rule(table=TABLES, key=KEYS)
    def commit_over_what_is_there(self, table, key):
        found = self.memory.get(table, key)
        self.both(lambda store: store.commit([Put(table, key, "due", {}, found.version if found else 0)]).serial)

    @rule(table=TABLES, key=KEYS)
    def get(self, table, key):
        self.both(lambda store: store.get(table, key))

    @rule(table=TABLES, status=st.none() | STATUSES)
    def scan(self, table, status):
        self.both(lambda store: list(store.scan(table, status)))

    @rule(name=st.sampled_from(["act", "other"]), holder=HOLDERS, now=MINUTES)
    def acquire(self, name, holder, now):
        lease = self.both(lambda store: store.acquire(name, holder, HOUR, now))
        if lease is not None:
            self.leases.append(lease)

    @rule(which=st.integers(0, 5), now=MINUTES)
    def renew(self, which, now):
        if self.leases:
            self.both(lambda store: store.renew(self.leases[which % len(self.leases)], HOUR, now))

    @rule(which=st.integers(0, 5))
    def release(self, which):
        if self.leases:
            self.both(lambda store: store.release(self.leases[which % len(self.leases)]))

    @rule(after=st.integers(0, 6))
    def entries(self, after):
        self.both(lambda store: [(entry.serial, entry.note) for entry in store.entries(after)])

    @invariant()
    def the_ledger_is_whole(self):
        assert list(breaks_of(self.real.entries(), self.real.head())) == []

    def teardown(self):
        self.stack.close()


def told(ask, store):
    try:
        return ask(store)
    except StateError as error:
        return type(error).__name__, error.problems[0].code


def run(make, examples, steps=25):
    machine = type("Chosen", (Machine,), {"make": staticmethod(make)})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps))


def test_sqlite(tmp_path):
    """SQLite, in a new file each time."""
    numbers = itertools.count()

    def make(stack):
        store = open_sqlite(tmp_path / f"{next(numbers)}.db")
        stack.callback(store.close)
        return store

    run(make, 60)


def test_postgres(postgres_address):
    """PostgreSQL, in the same database, emptied each time."""
    from integrations.store.sql_open import open_postgres

    def make(stack):
        store = open_postgres(postgres_address)
        stack.callback(store.close)
        stack.callback(METADATA.drop_all, store.engine)
        return store

    run(make, 25)


@pytest.mark.parametrize("table", ["bursar-stateful"])
def test_dynamodb(dynamodb_client, table):
    """DynamoDB, in a new table each time."""
    numbers = itertools.count()
    client = dynamodb_client()

    def make(_stack):
        return open_dynamodb(client, f"{table}-{next(numbers)}")

    run(make, 10, 15)
