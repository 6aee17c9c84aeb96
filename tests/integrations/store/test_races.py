"""Threads and processes at the same state at once, and writers that are killed in the middle."""

import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import repeat

import pytest

from engine.state.ledger import Note, breaks_of
from engine.state.store import Put, Table
from tests.integrations.store.racing import HOUR, NOW, SIZE, open_at, put_once, take_lease, write_for_ever

PROCESSES, THREADS, KILLS = 20, 50, 12
by_fork_server = pytest.mark.enable_socket
"""The server that forks is reached by a socket of Unix, which is no host that could be allowed."""


@pytest.fixture(scope="module")
def forking():
    """A way to start processes that have everything loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integrations.store.racing", "psycopg"])
    return context


@pytest.fixture(params=["sqlite", "postgres"])
def address(request, tmp_path):
    """Where a state that is not made yet will be."""
    return tmp_path / "state.db" if request.param == "sqlite" else request.getfixturevalue("postgres_address")


@by_fork_server
def test_processes_want_one_lease(address, forking):
    """Of twenty processes that open a new state and want the lease, one gets it, and the state is made once."""
    with ProcessPoolExecutor(PROCESSES, mp_context=forking) as pool:
        tokens = list(pool.map(take_lease, repeat(address), range(PROCESSES)))
    assert sorted(tokens) == [0] * (PROCESSES - 1) + [1]


def test_threads_want_one_lease(reopen):
    """Of many threads, each with its store, one gets the lease."""
    stores = [reopen() for _ in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        leases = list(pool.map(lambda n: stores[n].acquire("act", f"thread {n}", HOUR, NOW), range(PROCESSES)))
    assert [lease.token for lease in leases if lease is not None] == [1]


def test_threads_change_one_record(reopen):
    """Of fifty that change the same version one succeeds; every note is in the ledger, and the ledger is whole."""
    stores = [reopen() for _ in range(THREADS)]
    stores[0].commit([Put(Table.FINDING, "k", "new", {}, 0)])
    with ThreadPoolExecutor(THREADS) as pool:
        won = list(pool.map(put_once, stores, range(THREADS)))
    assert won.count(True) == 1
    record = stores[0].get(Table.FINDING, "k")
    assert (record.version, record.body) == (2, {"by": won.index(True)})
    entries = list(stores[0].entries())
    assert sorted(e.note.subject for e in entries) == sorted(f"racer {n}" for n in range(THREADS))
    assert list(breaks_of(entries, stores[0].head())) == []


@by_fork_server
def test_a_killed_writer(address, forking):
    """Whenever a writer is killed: all of a commit is there or nothing, and the ledger is whole."""
    drawn = random.Random(4)
    store = open_at(address)
    rounds = 0
    for _ in range(KILLS):
        child = forking.Process(target=write_for_ever, args=(address,))
        child.start()
        _written(store, rounds + 1, child)
        child.join(drawn.uniform(0.0, 0.08))
        child.kill()
        child.join()
        # A database server may still be at the last commit of a client that is gone.
        head = store.commit([], [Note(NOW, "kill.seen", "parent")])
        entries = list(store.entries())
        assert list(breaks_of(entries, head)) == []
        written = [e.note.body["round"] for e in entries if e.note.kind == "round.written"]
        rounds = len(written) // SIZE
        assert written == [number for number in range(1, rounds + 1) for _ in range(SIZE)]
        records = list(store.scan(Table.FINDING))
        assert [(r.version, r.body) for r in records] == [(rounds, {"round": rounds})] * SIZE
    store.close()


def _written(store, rounds, child):
    """Wait until the writer has committed so many rounds in all."""
    while (found := store.get(Table.FINDING, "k0")) is None or found.version < rounds:
        assert child.is_alive(), "the writer ended by itself"
