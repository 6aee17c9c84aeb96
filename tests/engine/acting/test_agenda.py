"""The agenda: what is held is held whole."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acting.agenda import Agenda, Bounds, agenda
from engine.acting.breakers import Trip
from engine.findings import Cost, Subject
from engine.plan import Hold
from engine.policy.model import Mode, RunLimits
from engine.state.lifecycle import COOL_DOWN, Wish
from engine.state.reconcile import Task
from engine.state.records import ActionRecord, FindingRecord, Held, Progress, Status
from engine.values import Reason, Unknown
from tests.engine.acting.world import ENFORCED, World, loaded
from tests.engine.estates import NOW


def template() -> Task:
    here = World(loaded(ENFORCED))
    here.cloud.add("i-0")
    plan = here.plan()
    finding = plan.findings[0]
    record = FindingRecord(finding.id, "p0", finding.subject, Status.DUE, NOW)
    return Task(finding, plan.steps, Held(record, 1), Wish.ACT)


TEMPLATE = template()


def task(number: int, wish: Wish = Wish.ACT, account: str = "1", dollars: int | None = 1, policy: str = "p0") -> Task:
    """Return a task about the machine of that number; it saves so many dollars an hour, None for not known."""
    subject = Subject(f"k/{account}/r/{number}", "k", str(number), f"n-{number}", account, "r")
    savings = Unknown(Reason.NOT_COLLECTED) if dollars is None else Cost(Decimal(dollars), "test")
    verdict = replace(TEMPLATE.finding.verdict, subject=subject, policy=policy)
    finding = replace(TEMPLATE.finding, id=f"f{number}", verdict=verdict, savings=savings)
    return replace(TEMPLATE, finding=finding, held=Held(replace(TEMPLATE.held.record, id=f"f{number}"), 1), wish=wish)


tasks = st.lists(
    st.builds(
        task,
        number=st.integers(0, 10**6),
        wish=st.sampled_from([Wish.WARN, Wish.ASK, Wish.ACT, Wish.ACT]),
        account=st.sampled_from(["1", "2"]),
        dollars=st.sampled_from([0, 1, 5, None]),
        policy=st.sampled_from(["p0", "p1"]),
    ),
    max_size=30,
    unique_by=lambda one: one.finding.id,
)
SURGE = Trip("finding-surge", "many", policy="p1")
DROP = Trip("inventory-drop", "few", account="2")
bounds = st.builds(
    Bounds,
    holds=st.sampled_from([(), (Hold("p0", "max_actions", "5", "6"),)]),
    trips=st.sampled_from([(), (SURGE,), (DROP,)]),
    limits=st.builds(
        RunLimits,
        max_actions=st.integers(0, 30),
        max_actions_per_account=st.integers(0, 30),
        max_cost_impact=st.sampled_from([None, Decimal(730), Decimal(7300)]),
    ),
    frozen=st.sampled_from(["", "", "", "frozen by ana"]),
)


def ids(found) -> set[str]:
    return {one.finding.id for one in found}


@settings(max_examples=300, deadline=None)
@given(tasks, bounds)
def test_limits_hold_whole(given_, held):
    """
    Every task is in one place; warnings always go out; of what may be done either all is within every limit or none
    is done; nothing under a freeze, a hold or a breaker goes on.
    """
    found = agenda(given_, held, NOW)
    places = [*found.warn, *found.ask, *found.act, *(b.task for b in found.blocked)]
    assert sorted(t.finding.id for t in places) == sorted(t.finding.id for t in given_)
    assert ids(found.warn) == {t.finding.id for t in given_ if t.wish is Wish.WARN}
    going = [*found.ask, *found.act]
    assert not (going and held.frozen)
    for one in going:
        assert one.finding.verdict.policy not in {hold.policy for hold in held.holds}
        assert not any(trip.holds(one) for trip in held.trips)
    limits = held.limits
    assert len(found.act) <= limits.max_actions
    for account in ("1", "2"):
        assert sum(t.finding.subject.account == account for t in found.act) <= limits.max_actions_per_account
    costs = [t.finding.savings for t in found.act]
    if limits.max_cost_impact is not None:
        assert not any(isinstance(cost, Unknown) for cost in costs)
        assert sum((cost.monthly for cost in costs), Decimal(0)) <= limits.max_cost_impact
    over = [b.task for b in found.blocked if "max_" in b.reason and b.task.finding.verdict.policy != "p0"]
    assert not (found.act and [t for t in over if t.wish is Wish.ACT]), "a plan over a limit is cut, not held"


@settings(max_examples=100, deadline=None)
@given(tasks, bounds, st.randoms(use_true_random=False))
def test_the_order_of_tasks_does_not_matter(given_, held, rng):
    """Tasks in another order have the same agenda."""
    one = agenda(given_, held, NOW)
    shuffled = list(given_)
    rng.shuffle(shuffled)
    other = agenda(shuffled, held, NOW)
    assert _plain(one) == _plain(other)


def _plain(found: Agenda) -> list[object]:
    blocked = sorted((b.task.finding.id, b.reason) for b in found.blocked)
    return [ids(found.warn), ids(found.ask), ids(found.act), blocked]


@pytest.mark.parametrize("count", [2, 3])
def test_one_more_than_a_limit_is_none(count):
    """Two of two are done, and of three none."""
    found = agenda([task(n) for n in range(count)], Bounds(limits=RunLimits(max_actions=2)), NOW)
    assert len(found.act) == (2 if count == 2 else 0)
    assert {b.reason for b in found.blocked} == (
        set() if count == 2 else {"max_actions of a run is 2, this would be 3"}
    )


def acted(number: int, ago: timedelta, status: Progress = Progress.DONE, **changes) -> ActionRecord:
    subject = task(number).finding.subject
    record = ActionRecord(
        "a", "s", "another", 1, "p", "stop", subject, status, "t", "r", "bursar", NOW - ago, finished=NOW - ago
    )
    return replace(record, **changes)


@pytest.mark.parametrize(
    ("ago", "changes", "free"),
    [
        (timedelta(0), {}, False),
        (COOL_DOWN - timedelta(seconds=1), {}, False),
        (COOL_DOWN, {}, True),
        (timedelta(0), {"status": Progress.UNDONE}, False),
        (timedelta(0), {"finding": "f1", "last": False}, True),
        (timedelta(0), {"finding": "f1", "last": False, "status": Progress.UNDONE}, False),
        (timedelta(0), {"finding": "f1", "last": True}, False),
        (timedelta(0), {"finding": "f1", "last": False, "episode": 2}, False),
    ],
)
def test_what_was_acted_on_is_left_alone(ago, changes, free):
    """A resource rests for a day after an act of any policy, but for the next step of the same finding."""
    one = task(1)
    recent = {one.finding.subject.uid: acted(1, ago, **changes)}
    assert bool(agenda([one], Bounds(recent=recent), NOW).act) is free


def test_an_account_that_is_not_listed():
    """What may not be acted on is neither done nor asked about, and is warned of all the same."""
    closed = Bounds(closed=lambda subject: "account 2 is not listed" if subject.account == "2" else "")
    given_ = [task(1, account="2"), task(2, Wish.ASK, account="2"), task(3, Wish.WARN, account="2"), task(4)]
    found = agenda(given_, closed, NOW)
    assert (ids(found.act), ids(found.ask), ids(found.warn)) == ({"f4"}, set(), {"f3"})


def test_a_policy_about_which_nobody_is_asked():
    """Where the author has to be known and is not, nothing is asked; warnings go on, and so does what is approved."""
    unasked = Bounds(unasked=lambda policy: f"{policy}: not known")
    found = agenda([task(1), task(2, Wish.ASK), task(3, Wish.WARN)], unasked, NOW)
    assert (ids(found.act), ids(found.ask), ids(found.warn)) == ({"f1"}, set(), {"f3"})
    assert [blocked.reason.endswith(": not known") for blocked in found.blocked] == [True]


def test_a_question_needs_somebody_to_ask():
    """Where the policy names no approvers nothing is asked, and the agenda says so."""
    one = task(1, Wish.ASK)
    alone = replace(one, steps=tuple(replace(step, approval=None, mode=Mode.APPROVE) for step in one.steps))
    (blocked,) = agenda([alone], Bounds(), NOW).blocked
    assert blocked.reason == "an approval is needed, and its policy does not say whose"
