"""Whole runs: warn, wait, ask, act, and what is remembered of it."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.acting.action import ActError
from engine.acting.ports import Result
from engine.acting.run import begin, proceed
from engine.acting.undoing import undo
from engine.model import ScopeStatus
from engine.policy.model import Mode
from engine.state.records import ActionRecord, Decision, Status, restored
from engine.state.store import Table
from tests.engine.acting.world import ENFORCED, HOUR, World, due, entry, freeze, loaded, results, thaw, world

THROTTLED = ActError("rate exceeded", retryable=True)

# --- the way of a finding


def test_a_warning_then_its_grace_then_the_act():
    """Nothing is done at first sight or within the grace; after it the act is done once and its saving begins."""
    here = world()
    first = here.run()
    assert {task.finding.subject.id for task in first.warned} == {"i-dev", "i-test"}
    assert here.after(timedelta(minutes=59)).outcomes == ()
    assert here.cloud.stopped() == []
    assert results(here.after(timedelta(minutes=1))) == {"i-dev": Result.DONE}
    assert here.cloud.stopped() == ["i-dev"]
    assert here.finding("i-dev").status is Status.VERIFIED
    assert [saving.status for saving in here.savings()] == ["running"]
    here.after(HOUR)
    assert here.finding("i-dev").status is Status.RESOLVED
    assert here.cloud.stopped() == ["i-dev"]


def test_a_grace_of_nothing_still_warns_first():
    """Without grace the act follows in the same run, behind its warning; where no warning arrives there is none."""
    here = World(loaded(entry("dev", "enforce", grace="0h")), deaf=True)
    here.cloud.add("i-dev")
    here.run()
    assert here.cloud.stopped() == []
    here.deaf = False
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]
    assert len(here.cloud.told("warn")) == 1


def test_a_warning_that_does_not_arrive_is_none():
    """A grace begins with a warning that was delivered, however long the finding was open before."""
    here = world(deaf=True)
    for _ in range(3):
        here.after(HOUR)
    here.deaf = False
    here.run()
    assert here.after(timedelta(minutes=59)).outcomes == ()
    assert len(here.after(timedelta(minutes=1)).outcomes) == 1


def test_a_report_of_a_mode_that_cannot_act_is_no_warning_of_an_act():
    """
    Findings that people were told of while nothing could be done are warned of when it can be, and get their grace.

    The usual way to begin is weeks of `notify`; the day `max_mode` goes up must not be the day all of it is done.
    """
    here = world(max_mode=Mode.NOTIFY)
    here.run()
    assert here.finding("i-dev").due is None
    here.pass_(timedelta(days=30))
    here.max_mode = Mode.ENFORCE
    assert {task.finding.subject.id for task in here.run().warned} == {"i-dev", "i-test"}
    assert here.after(timedelta(minutes=59)).outcomes == ()
    here.after(timedelta(minutes=1))
    assert here.cloud.stopped() == ["i-dev"]


@pytest.mark.parametrize("mode", [Mode.REPORT, Mode.NOTIFY])
def test_a_mode_that_was_lowered_and_raised(mode):
    """A promise lapses while the mode cannot keep it: the act needs a new warning."""
    here = due()
    here.max_mode = mode
    here.run()
    here.pass_(timedelta(days=30))
    here.max_mode = Mode.ENFORCE
    assert here.run().outcomes == ()
    assert here.cloud.stopped() == []
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_another_remediation_than_was_announced():
    """Who was warned of a tag is not to lose the machine: an edited policy warns anew."""
    here = World(loaded(entry("dev", "enforce", remediate="[{tag: {idle: yes}}]")))
    here.cloud.add("i-dev")
    here.run()
    here.policies = loaded(ENFORCED)
    report = here.after(HOUR)
    assert report.outcomes == ()
    assert len(report.warned) == 1
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_protection_that_was_lifted():
    """What was protected in between is warned of anew."""
    here = due()
    here.cloud.change("i-dev", tags='{"environment": "dev", "bursar/protect": "true"}')
    here.run()
    assert here.cloud.stopped() == []
    here.cloud.change("i-dev", tags='{"environment": "dev"}')
    assert here.after(HOUR).outcomes == ()
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_an_approval_leads_to_the_act():
    """What is to be approved is asked about after its grace, and done in the next run after a yes."""
    here = due()
    assert [approval.subject.id for _, approval in here.run().asked] == ["i-test"]
    assert here.after(HOUR).asked == ()
    here.decide("i-test", yes=True)
    assert results(here.after(HOUR)) == {"i-test": Result.DONE}
    assert sorted(here.cloud.stopped()) == ["i-dev", "i-test"]


def test_a_no_is_kept():
    """What was denied is neither done nor asked about again."""
    here = due()
    here.run()
    here.decide("i-test", yes=False)
    for _ in range(100):
        here.after(timedelta(hours=12))
    assert here.cloud.stopped() == ["i-dev"]
    assert here.finding("i-test").status is Status.DENIED
    assert len(here.cloud.told("ask")) == 1


def test_nobody_decides():
    """A question that nobody answers is asked three times, a day apart, and is never a yes."""
    here = due()
    for _ in range(30):
        here.after(timedelta(hours=8))
    assert len(here.cloud.told("ask")) == 3
    assert here.finding("i-test").status is Status.EXPIRED
    assert here.cloud.stopped() == ["i-dev"]
    assert {approval.status for approval in here.approvals()} == {Decision.EXPIRED}


def test_an_approval_waits_a_day_at_most():
    """A yes that a freeze held back for days is asked for again."""
    here = due()
    here.run()
    here.decide("i-test", yes=True)
    freeze(here)
    here.after(timedelta(hours=23))
    thaw(here)
    assert here.finding("i-test").status is Status.APPROVED
    freeze(here, 2)
    here.after(HOUR)
    thaw(here, 3)
    here.run()
    assert "i-test" not in here.cloud.stopped()
    assert len(here.cloud.told("ask")) == 2


def test_an_approval_does_not_outlive_a_change():
    """What was approved is asked about anew when the resource changes before the act."""
    here = due()
    here.run()
    here.decide("i-test", yes=True)
    here.cloud.change("i-test", tags='{"environment": "test", "owner": "bob"}')
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]
    assert len(here.cloud.told("ask")) == 2


def test_an_approval_does_not_outlive_a_change_between_two_tries():
    """A failed act whose resource changed before its second try needs another approval."""
    here = due()
    here.run()
    here.decide("i-test", yes=True)
    here.faults["do"] = THROTTLED
    here.after(HOUR)
    assert here.finding("i-test").status is Status.FAILED
    here.faults.clear()
    here.cloud.change("i-test", tags='{"environment": "test", "owner": "bob"}')
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]
    assert here.finding("i-test").status is Status.PENDING


def test_an_enforcing_policy_that_may_only_ask_and_knows_nobody():
    """A policy that would act by itself, capped to asking, is held where it does not say whom to ask."""
    alone = entry("dev", "enforce").split("\n    approval:")[0]
    here = World(loaded(alone), max_mode=Mode.APPROVE)
    here.cloud.add("i-dev")
    here.run()
    report = here.after(HOUR)
    assert [blocked.reason for blocked in report.blocked] == [
        "an approval is needed, and its policy does not say whose"
    ]
    assert here.cloud.stopped() == []


# --- gaps


@pytest.mark.parametrize("status", [ScopeStatus.PARTIAL, ScopeStatus.DENIED, ScopeStatus.FAILED])
def test_a_gap_resolves_nothing(status):
    """While a scope cannot be read its findings stay as they are."""
    here = due()
    here.status = status
    before = [here.finding("i-dev"), here.finding("i-test")]
    here.run()
    assert [here.finding("i-dev"), here.finding("i-test")] == before
    here.status = ScopeStatus.COMPLETE
    here.run()
    assert here.cloud.stopped() == ["i-dev"]


def test_a_sudden_emptiness_resolves_nothing():
    """A scope that lost most of its resources at once is not believed, in the first run and in the tenth."""
    here = World(loaded(ENFORCED))
    for number in range(8):
        here.cloud.add(f"i-{number}")
    here.run()
    rows = here.cloud.db.execute("SELECT * FROM machine").fetchall()
    for number in range(1, 8):
        here.cloud.remove(f"i-{number}")
    for _ in range(10):
        report = here.after(HOUR)
        assert [trip.breaker for trip in report.trips] == ["inventory-drop"]
        assert report.outcomes == ()
    assert {record.status for record in here.records(type(here.finding("i-0")))} == {Status.DUE, Status.WARNED}
    here.cloud.db.executemany("INSERT INTO machine VALUES (?, ?, ?, ?, ?)", rows[1:])
    assert here.after(HOUR).trips == ()


# --- undoing and doing again


def undone(here: World, identity: str) -> None:
    ports = here.ports(f"undo {here.now}")
    begun = begin(ports)
    assert begun is not None
    stored = here.store.get(Table.ACTION, here.action(identity).id)
    assert stored is not None
    assert undo(restored(ActionRecord, stored), ports, begun.tenure).result is Result.DONE
    here.store.release(begun.tenure.lease)


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(hours=30)])
def test_what_a_person_undid_is_left_alone_for_a_day(wait):
    """Even without grace, an act that was undone is not done again within a day, however old it was."""
    here = World(loaded(entry("dev", "enforce", grace="0h")))
    here.cloud.add("i-dev")
    here.run()
    here.after(HOUR)
    here.pass_(wait)
    undone(here, "i-dev")
    for _ in range(23):
        here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_what_was_undone_before_it_was_finished():
    """An act that a person undid while it was still going on is over with: it is not simply done again."""
    here = due(takes=timedelta(days=1))
    here.run()
    undone(here, "i-dev")
    assert here.after(timedelta(minutes=5)).outcomes == ()
    assert here.finding("i-dev").status is Status.VERIFIED
    for _ in range(23):
        here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_something_starts_it_again():
    """A machine that something else starts at once is stopped once a day at most, each time behind a warning."""
    here = World(loaded(ENFORCED))
    here.cloud.add("i-dev")
    for _ in range(5 * 24 * 2):
        here.after(timedelta(minutes=30))
        here.cloud.start("i-dev")
    moments = [at for _, _, at in here.cloud.effects()]
    assert len(moments) >= 4
    assert all(after - before >= timedelta(days=1) for before, after in itertools.pairwise(moments))
    assert len(here.cloud.told("warn")) >= len(moments)


def test_one_saving_of_two_steps():
    """Of a tag and a stop, one saves: the price of the machine counts once."""
    here = World(loaded(entry("dev", "enforce", remediate="[{tag: {idle: yes}}, stop]")))
    here.cloud.add("i-dev")
    here.run()
    here.after(HOUR)
    assert [(saving.remediation, saving.hourly) for saving in here.savings()] == [("stop", 1)]


def test_breakers_look_at_the_whole_plan_where_a_part_is_carried_out():
    """A plan of single resources is held by what the plan of the whole estate could not see."""
    here = due()
    begun = begin(here.ports("apply"))
    fresh = here.plan()
    (report,) = fresh.scopes
    judged = replace(fresh, scopes=(replace(report, status=ScopeStatus.PARTIAL, detail="cut short"),))
    told = proceed(begun, replace(fresh, scopes=(), tallies=()), here.rules, whole=False, judged=judged)
    assert [trip.breaker for trip in told.trips] == ["scope-incomplete"]
    assert told.outcomes == ()
    assert here.cloud.effects() == []
