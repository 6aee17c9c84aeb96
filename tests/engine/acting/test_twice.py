"""Applied twice is applied once, and what was done and undone is as it was before: on worlds of any machines."""

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acting.ports import LEASE, TTL, Result, Tenure
from engine.acting.run import begin, proceed
from engine.acting.undoing import undo
from engine.state.records import ActionRecord, restored
from engine.state.store import Table
from tests.engine.acting.world import ASKED, HOUR, World, entry, loaded

RUNS = settings(max_examples=60, deadline=None)
MACHINES = st.dictionaries(st.integers(0, 30), st.sampled_from(["dev", "test", "production"]), min_size=1, max_size=8)
POLICIES = st.sampled_from(
    [
        (entry("dev", "enforce"), ASKED),
        (entry("dev", "enforce", remediate="[{tag: {seen: bursar}}, stop]"), ASKED),
        (entry("dev", "enforce"), entry("production", "enforce", grace="0s")),
    ]
)
SPANS = st.lists(st.sampled_from([0, 1, 10, 60, 600]), max_size=5)
"""Minutes between one run and the next; together less than the day for which a resource is left alone."""


def built(machines, entries, **knobs) -> World:
    here = World(policies=loaded(*entries), **knobs)
    for number, environment in machines.items():
        here.cloud.add(f"i-{number:02}", environment)
    here.run()
    here.pass_(HOUR)
    return here


def apply(here: World, plan) -> list[str]:
    """Carry out `plan` as it was made, whatever has happened since; return the machines that were acted on."""
    begun = begin(here.ports(f"apply-{here.runs}"))
    here.runs += 1
    assert begun is not None
    report = proceed(begun, plan, here.rules, whole=False)
    return [o.step.subject.id for o in report.outcomes if o.result in (Result.DONE, Result.PENDING)]


def machines_of(machines, environment) -> list[tuple[str, str]]:
    return [(f"i-{number:02}", found) for number, found in machines.items() if found == environment]


def state(here: World) -> list[tuple]:
    return here.cloud.db.execute("SELECT id, running, until, tags, fields FROM machine ORDER BY id").fetchall()


@given(MACHINES, POLICIES, SPANS, st.booleans(), st.sampled_from([0, 5]))
@RUNS
def test_applied_twice_is_once(machines, entries, spans, by_token, takes):
    """However often and when one plan is applied, each machine sees each of its steps once."""
    here = built(machines, entries, by_token=by_token, takes=timedelta(minutes=takes))
    earlier = len(here.cloud.effects())
    plan = here.plan()
    first = apply(here, plan)
    once = here.cloud.effects()
    assert {machine for machine, what, _ in once[earlier:] if what == "stop"} == set(first)
    assert {machine for machine, _ in machines_of(machines, "dev")} <= set(first)
    for span in spans:
        here.pass_(timedelta(minutes=span))
        apply(here, plan)
        here.run()
    counted = Counter((machine, what) for machine, what, _ in here.cloud.effects())
    assert set(counted.values()) <= {1}
    assert [effect for effect in once if effect not in here.cloud.effects()] == []


@given(MACHINES, st.sampled_from([0, 1, 60, 600]))
@RUNS
def test_done_and_undone_is_before(machines, wait):
    """Undoing every act of a run, whenever that is, leaves the machines as they were."""
    here = built(machines, (entry("dev", "enforce"), entry("production", "enforce")))
    before = state(here)
    done = apply(here, here.plan())
    assert (state(here) != before) == bool(done)
    here.pass_(timedelta(minutes=wait))
    ports = here.ports("undo")
    lease = here.store.acquire(LEASE, "undo", TTL, here.now)
    results = [
        undo(restored(ActionRecord, stored), ports, Tenure(ports, lease)).result
        for stored in list(here.store.scan(Table.ACTION))
    ]
    assert results == [Result.DONE] * len(done)
    assert state(here) == before
    here.store.release(lease)
    assert here.run().outcomes == ()
