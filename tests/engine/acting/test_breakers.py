"""Breakers: what trips them, what they hold, and that nothing becomes normal by being seen twice."""

from datetime import timedelta

import pytest

from engine.acting.breakers import DROP, FEW, NAMES, SURGE, doubted_scopes, figures_of, trips_of
from engine.findings import Outcome
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Plan, Tally
from engine.policy.model import Mode
from engine.state.records import put
from engine.state.settings import Acceptance
from tests.engine.acting.world import HOUR, World, due, entry, loaded
from tests.engine.estates import NOW, expression

SCOPE = Scope("1", "r", "k")


def seen(
    *, resources: int = 100, violations: int = 0, unknown: int = 0, status: ScopeStatus = ScopeStatus.COMPLETE
) -> Plan:
    """Return the plan of one policy over one scope."""
    counts = {
        Outcome.VIOLATION: violations,
        Outcome.UNKNOWN: unknown,
        Outcome.COMPLIANT: resources - violations - unknown,
    }
    return Plan(
        "test", NOW, "d", Mode.ENFORCE, (), (), (), (), (), (),
        (ScopeReport(SCOPE, status, resources),), (Tally("p", {k: v for k, v in counts.items() if v}),), resources,
    )  # fmt: skip


def tripped(before: Plan, now: Plan) -> list[str]:
    return [trip.breaker for trip in trips_of(now, figures_of(before, None, ()), (), NOW, None)]


@pytest.mark.parametrize(
    ("before", "now", "breakers"),
    [
        (seen(violations=5), seen(violations=5 + SURGE), []),
        (seen(violations=5), seen(violations=6 + SURGE), ["finding-surge"]),
        (seen(resources=5), seen(resources=5, violations=FEW - 1), []),
        (seen(resources=5), seen(resources=5, violations=FEW), ["finding-surge"]),
        (seen(), seen(unknown=20), []),
        (seen(), seen(unknown=21), ["coverage-drop"]),
        (seen(unknown=50), seen(unknown=50), []),
        (seen(), seen(resources=100 - DROP), []),
        (seen(), seen(resources=99 - DROP), ["inventory-drop"]),
        (seen(resources=FEW - 1), seen(resources=0), []),
        (seen(resources=FEW), seen(resources=0), ["inventory-drop"]),
        (seen(), seen(status=ScopeStatus.PARTIAL), ["scope-incomplete"]),
        (seen(), seen(status=ScopeStatus.DENIED), ["scope-incomplete"]),
    ],
)
def test_what_trips(before, now, breakers):
    """Each breaker trips just beyond its bound."""
    assert tripped(before, now) == breakers


def test_the_first_run_compares_with_nothing():
    """Without figures of an earlier run only what is wrong by itself trips."""
    assert trips_of(seen(violations=90), None, (), NOW, None) == ()


@pytest.mark.parametrize(
    "outage", [seen(violations=80), seen(unknown=60), seen(resources=10), seen(resources=0)], ids=lambda p: p.tallies
)
def test_what_tripped_stays_tripped(outage):
    """An outage that lasts for ten runs is as suspicious in the last as in the first, and is over when it is over."""
    figures = figures_of(seen(violations=5), None, ())
    for _ in range(10):
        trips = trips_of(outage, figures, (), NOW, None)
        assert trips
        figures = figures_of(outage, figures, trips)
    assert trips_of(seen(violations=5), figures, (), NOW, None) == ()


def test_a_run_that_saw_less_is_no_measure():
    """What a policy finds while a scope cannot be read does not make the whole fleet a surge afterwards."""
    normal, partial = seen(violations=40), seen(resources=10, violations=4, status=ScopeStatus.PARTIAL)
    figures = figures_of(normal, None, ())
    for _ in range(3):
        figures = figures_of(partial, figures, trips_of(partial, figures, (), NOW, None))
    assert trips_of(normal, figures, (), NOW, None) == ()


def test_an_accepted_breaker_becomes_normal():
    """What somebody accepted is what the next run compares with."""
    figures = figures_of(seen(violations=5), None, ())
    figures = figures_of(seen(violations=80), figures, ())
    assert trips_of(seen(violations=80), figures, (), NOW, None) == ()


def test_only_what_was_read_is_doubted():
    """A scope that came back empty is doubted where it was read completely; one that was not is a gap already."""
    figures = figures_of(seen(), None, ())
    assert doubted_scopes(seen(resources=1), figures) == {SCOPE}
    assert doubted_scopes(seen(resources=1, status=ScopeStatus.FAILED), figures) == frozenset()
    assert doubted_scopes(seen(resources=1), None) == frozenset()


def test_a_policy_that_matches_everything():
    """A typo that selects the fleet is warned of and not acted on, for as long as nobody accepts it."""
    quiet = entry("nothing", "enforce")
    here = World(loaded(quiet))
    for number in range(50):
        here.cloud.add(f"i-{number:02}")
    here.run()
    here.policies = loaded(quiet.replace('where: tags.environment == "nothing"', "where: resource.running"))
    for _ in range(5):
        report = here.after(HOUR)
        assert [trip.breaker for trip in report.trips] == ["finding-surge"]
    assert here.cloud.effects() == []


def test_limits_stand_behind_breakers():
    """With the breaker accepted, the limit of a run still holds all of it."""
    quiet = entry("nothing", "enforce")
    here = World(loaded(quiet))
    for number in range(50):
        here.cloud.add(f"i-{number:02}")
    here.run()
    here.policies = loaded(quiet.replace('where: tags.environment == "nothing"', "where: resource.running"))
    accept(here, "finding-surge")
    here.run()
    report = here.after(HOUR)
    assert report.trips == ()
    assert len(report.blocked) == 50
    assert {b.reason.split(",")[0] for b in report.blocked} == {"max_actions of a run is 20"}
    assert here.cloud.effects() == []


def accept(here: World, breaker: str, span: timedelta = HOUR) -> None:
    here.store.commit([put(Acceptance(breaker, "ana", here.now, here.now + span, "looked at it"), 0)])


def test_an_acceptance_ends():
    """A breaker that was accepted for an hour holds again after it."""
    here = due(operator={"production": (expression('tags.owner == "ana"'),)})
    accept(here, "first-in-production", timedelta(minutes=1))
    here.pass_(timedelta(minutes=1))
    assert [trip.breaker for trip in here.run().trips] == ["first-in-production"]
    assert here.cloud.effects() == []
    here.store.commit([put(Acceptance("first-in-production", "ana", here.now, here.now + HOUR), 1)])
    here.run()
    assert here.cloud.stopped() == ["i-dev"]


def test_every_breaker_is_named():
    """What trips is in the list that `bursar accept` knows, and all of that list is seen to trip here."""
    clock = trips_of(seen(), None, (), NOW, NOW + HOUR)
    production = due(operator={"production": (expression('tags.owner == "ana"'),)}).run().trips
    before, cases = figures_of(seen(), None, ()), (seen(violations=99), seen(unknown=99), seen(resources=1))
    others = [trip for plan in cases for trip in trips_of(plan, before, (), NOW, None)]
    gap = trips_of(seen(status=ScopeStatus.DENIED), None, (), NOW, None)
    assert {trip.breaker for trip in (*clock, *production, *others, *gap)} == set(NAMES)
