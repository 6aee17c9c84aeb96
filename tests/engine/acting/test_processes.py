"""Processes beside one another on one SQLite file: one acts, the others say so and end."""

import os
from pathlib import Path

import pytest

from engine.acting.run import begin, proceed
from engine.state.ledger import breaks_of
from engine.state.records import ActionRecord, Progress, RunRecord
from integrations.store.sql_open import open_sqlite
from tests.engine.acting.killing import Place, fork
from tests.engine.acting.world import HOUR, NOW

PROCESSES = 20


@pytest.fixture
def place(tmp_path) -> Place:
    """A world in files whose one machine is due at the next run."""
    found = Place(tmp_path, by_token=False, takes=HOUR * 0)
    world = found.world(NOW)
    world.cloud.add("i-dev", "dev")
    world.run()
    world.store.close()
    world.cloud.db.close()
    return found


def together(place: Place, *, wait: bool) -> str:
    """
    Run `PROCESSES` runs at once, and return what they say in order: `a` for one that acts, `x` for one that ends.

    Where they `wait`, whoever holds the lease goes on only once all of them have asked for it.
    """
    start, answers, go = os.pipe(), os.pipe(), os.pipe()
    children = []
    for number in range(PROCESSES):
        child = fork()
        if child == 0:
            status = 1
            try:
                os.close(start[1])
                os.close(go[1])
                os.read(start[0], 1)
                world = place.world(NOW + HOUR)
                begun = begin(world.ports(f"run-{number}"))
                os.write(answers[1], b"x" if begun is None else b"a")
                if begun is not None:
                    if wait:
                        os.read(go[0], 1)
                    proceed(begun, world.plan(), world.rules)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    os.close(start[1])
    said = "".join(os.read(answers[0], 1).decode() for _ in range(PROCESSES))
    os.close(go[1])
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * PROCESSES
    for end in (start[0], answers[0], answers[1], go[0]):
        os.close(end)
    return said


def check(place: Place, folder: Path) -> list[RunRecord]:
    """Check that there was one effect with its outcome, and that the ledger is whole; return the runs."""
    world = place.world(NOW + HOUR)
    try:
        assert world.cloud.stopped() == ["i-dev"]
        assert world.cloud.db.execute("SELECT count(*) FROM call").fetchone() == (1,)
        assert [record.status for record in world.records(ActionRecord)] == [Progress.DONE]
        assert list(breaks_of(world.store.entries(), world.store.head())) == []
        return world.records(RunRecord)
    finally:
        world.store.close()
        world.cloud.db.close()


def test_twenty_at_once(place, tmp_path):
    """Of twenty runs that ask for the lease while one holds it, that one acts and nineteen end."""
    assert sorted(together(place, wait=True)) == ["a"] + ["x"] * (PROCESSES - 1)
    assert len(check(place, tmp_path)) == 2


def test_twenty_as_they_come(place, tmp_path):
    """Twenty runs that come as they may, some after others are over, have one effect between them."""
    said = together(place, wait=False)
    assert "a" in said
    runs = check(place, tmp_path)
    assert len(runs) == 1 + said.count("a")
    assert {run.status for run in runs} == {"done"}


def test_the_file_is_the_state(place, tmp_path):
    """What one process wrote the next one reads."""
    store = open_sqlite(tmp_path / "state.db", create=False)
    assert store.head().serial > 0
    store.close()
