"""Runs beside one another, runs that end early, a state that fails, clocks that disagree."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.acting.breakers import SKEW
from engine.acting.ports import TTL, Result
from engine.acting.run import begin, proceed
from engine.state.ledger import breaks_of
from engine.state.records import Progress, RunRecord, Status
from engine.state.store import LeaseLostError, StateError, Table
from tests.engine.acting.world import HOUR, World, due, results, world
from tests.engine.estates import expression
from tests.engine.state.fakes import MemoryStore

# --- runs beside one another, and runs that end early


def test_two_runs_at_once():
    """While one run holds the lease no other begins; when it is over the next one does."""
    here = due()
    first = begin(here.ports("first"))
    assert first is not None
    assert begin(here.ports("second")) is None
    proceed(first, here.plan(), here.rules)
    assert begin(here.ports("second")) is not None


def test_a_lease_that_is_lost_in_the_middle():
    """A run that slept through its lease writes nothing and does nothing more; the other one acts, once."""
    here = due()
    slow = begin(here.ports("slow"))
    assert slow is not None
    seen = here.plan()
    here.pass_(TTL)
    assert results(here.run("fast")) == {"i-dev": Result.DONE}
    with pytest.raises(LeaseLostError):
        proceed(slow, seen, here.rules)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_run_that_sleeps_between_intent_and_call():
    """A run that wakes up without its lease does not make the call that it had written down."""
    here = due()
    other = World(here.policies, here.cloud, MemoryStore(here.store.memory), here.now)
    slept = []

    def clock():
        if not slept and list(here.store.scan(Table.ACTION, "intended")):
            slept.append(True)
            here.pass_(TTL + HOUR)
            other.now = here.now
            other.run("other")
        return here.now

    begun = begin(replace(here.ports("sleeper"), clock=clock))
    assert begun is not None
    with pytest.raises(LeaseLostError):
        proceed(begun, here.plan(), here.rules)
    assert here.cloud.effects() == []
    assert here.action("i-dev").status is Progress.FAILED
    other.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_dead_run_is_not_running():
    """The record of a run that ended early says so once another one begins."""
    here = world()
    assert begin(here.ports("dead")) is not None
    here.after(TTL)
    assert {record.id: record.status for record in here.records(RunRecord)}["dead"] == "failed"


@pytest.mark.parametrize("number", range(60))
def test_a_store_that_fails_at_each_call(number):
    """
    Whichever call of the store fails, and however (gone or full), the next runs converge: one effect, one outcome, a
    whole ledger.
    """
    here = due()
    left = [number]

    def fail(method: str) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise StateError.of("state-unavailable", "the disk is full" if method == "commit" else "it is gone")

    here.store.before = fail
    with suppress(StateError):
        here.run()
    here.store.before = lambda _method: None
    here.after(TTL)
    here.after(HOUR)
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]
    assert here.action("i-dev").status is Progress.DONE
    assert len(here.savings()) == 1
    assert list(breaks_of(here.store.entries(), here.store.head())) == []


def test_a_vote_at_the_moment_of_a_run():
    """A decision that lands while a run writes its changes counts, and does not bring the run down."""
    here = due()
    here.run()
    here.cloud.add("i-new")
    plan = here.after(HOUR).plan
    assert plan.findings
    here.cloud.change("i-test", tags='{"environment": "test", "owner": "bob"}')
    begun = begin(here.ports("racing"))
    assert begun is not None
    seen = here.plan()

    def vote(method: str) -> None:
        if method == "commit":
            here.store.before = lambda _method: None
            here.decide("i-test", yes=False)

    here.store.before = vote
    proceed(begun, seen, here.rules)
    assert here.finding("i-test").status is Status.DENIED
    assert here.finding("i-new").status is Status.WARNED


def test_apply_twice_is_once():
    """The same plan carried out twice has one effect."""
    here = due()
    seen = here.plan()
    for name in ("one", "two"):
        begun = begin(here.ports(name))
        assert begun is not None
        proceed(begun, seen, here.rules, whole=False)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_run_without_changes_writes_only_itself():
    """A second run over the same estate writes that it ran, and nothing else."""
    here = world()
    here.run()
    before = here.store.memory.records.copy()
    here.after(timedelta(minutes=5))
    changed = {key for key, stored in here.store.memory.records.items() if before.get(key) != stored}
    assert {table for table, _ in changed} == {Table.RUN}
    assert len(changed) == 1


# --- clocks


@pytest.mark.parametrize(("offset", "held"), [(SKEW, False), (SKEW + timedelta(seconds=1), True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_that_disagree(offset, held, sign):
    """More than half a minute between this clock and the store's, in either direction, holds every act."""
    here = due()
    here.store.now = lambda: here.now + sign * offset
    report = here.run()
    assert [trip.breaker for trip in report.trips] == (["clock-skew"] if held else [])
    assert here.cloud.stopped() == ([] if held else ["i-dev"])


def test_a_slow_delivery_is_no_skew():
    """Time that passes while people are told is not taken for clocks that disagree."""
    here = due()
    here.cloud.add("i-new")
    here.store.now = lambda: here.now
    here.tick = lambda what: here.pass_(timedelta(minutes=2)) if what == "warn" else None
    assert here.run().trips == ()
    assert here.cloud.stopped() == ["i-dev"]


# --- production


def test_production_is_not_touched_unseen():
    """What is, or may be, part of production is held until somebody accepts it."""
    here = due(operator={"production": (expression('tags.owner == "ana"'),)})
    report = here.run()
    assert [trip.breaker for trip in report.trips] == ["first-in-production"]
    assert here.cloud.stopped() == []
