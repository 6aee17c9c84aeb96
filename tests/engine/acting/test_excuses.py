"""What people say while a run goes on, or between runs: freeze, snooze, exemption, cut-short questions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.acting.ports import TTL, Result
from engine.state.records import ApprovalRecord, Decision, ExemptionRecord, Status, put
from engine.state.settings import Freeze
from engine.state.store import StateError, Table
from tests.engine.acting.world import ENFORCED, HOUR, World, due, entry, freeze, loaded, results, snooze, thaw

# --- questions that were cut short


def cut_question(here: World) -> ApprovalRecord:
    """Let a run end between the question that people saw and the note that it is waited for."""

    def end(what: str) -> None:
        if what == "asked":
            raise StateError.of("state-unavailable", "the disk is full")

    here.tick = end
    with pytest.raises(StateError):
        here.run()
    here.tick = lambda _what: None
    (approval,) = here.approvals()
    assert approval.status is Decision.PENDING
    assert here.finding("i-test").status is Status.DUE
    here.pass_(TTL)
    return approval


@pytest.mark.parametrize("yes", [True, False])
def test_a_decision_on_a_question_that_was_cut_short(yes):
    """People may decide a question whose run ended before it wrote down that it waits: their word counts."""
    here = due()
    cut_question(here)
    here.decide("i-test", yes=yes)
    here.run()
    assert here.finding("i-test").status is (Status.APPROVED if yes else Status.DENIED)
    here.after(HOUR)
    assert ("i-test" in here.cloud.stopped()) is yes
    assert len(here.cloud.told("ask")) == 1


def test_a_question_that_was_cut_short_is_sent_as_it_was():
    """The same question is sent once more, with the expiry that it had, and not a second one beside it."""
    here = due()
    before = cut_question(here)
    (asked,) = here.run().asked
    assert asked[1] == before
    assert len(list(here.approvals())) == 1


def test_a_question_that_was_cut_short_expires():
    """An old question is not sent any more: nobody decided it."""
    here = due()
    cut_question(here)
    here.pass_(timedelta(hours=9))
    here.run()
    here.after(HOUR)
    assert here.finding("i-test").status is Status.EXPIRED


# --- exemptions, snoozes, the freeze
def test_a_freeze_stops_everything_but_warnings():
    """While acting is frozen nothing is done or asked, and what was due goes on afterwards."""
    here = due()
    freeze(here)
    report = here.run()
    assert report.outcomes == report.asked == ()
    assert {blocked.reason for blocked in report.blocked} == {
        "frozen by ana since 2026-03-04 17:00 UTC: an incident",
    }
    here.cloud.add("i-new")
    assert [task.finding.subject.id for task in here.after(HOUR).warned] == ["i-new"]
    thaw(here)
    here.run()
    assert here.cloud.stopped() == ["i-dev"]


def test_a_freeze_between_two_acts():
    """The freeze is looked at before each act: the second of two is not done."""
    here = World(loaded(ENFORCED))
    here.cloud.add("i-1")
    here.cloud.add("i-2")
    here.run()

    def set_after_first(what: str) -> None:
        if what == "did" and not here.store.get(Table.SETTING, Freeze.NAME):
            freeze(here)

    here.tick = set_after_first
    report = here.after(HOUR)
    assert len(here.cloud.stopped()) == 1
    assert [blocked.reason[:13] for blocked in report.blocked] == ["frozen by ana"]
    assert report.held


def test_a_freeze_between_two_steps():
    """A freeze that comes while a finding's first step is done holds its second one; later it goes on from there."""
    here = World(loaded(entry("dev", "enforce", remediate="[{tag: {idle: yes}}, stop]")))
    here.cloud.add("i-dev")
    here.run()

    def set_it(what: str) -> None:
        if what == "did tag":
            freeze(here)

    here.tick = set_it
    report = here.after(HOUR)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE, Result.REFUSED]
    assert here.cloud.stopped() == []
    here.tick = lambda _what: None
    thaw(here)
    here.after(HOUR)
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]
    assert [what for _, what, _ in here.cloud.effects()] == ["tag", "stop"]


def test_a_freeze_while_a_resource_is_looked_at():
    """A freeze that comes between the fresh look and the intent holds the act."""
    here = due()
    checks: list[str] = []

    def set_it(what: str) -> None:
        # The first is made before the question about another machine is asked.
        checks.extend([what] if what == "check" else [])
        if len(checks) == 2 and not here.store.get(Table.SETTING, Freeze.NAME):
            freeze(here)

    here.tick = set_it
    assert results(here.run()) == {"i-dev": Result.REFUSED}
    assert here.cloud.stopped() == []
    assert here.finding("i-dev").status is Status.DUE


def test_an_unreadable_freeze_is_a_freeze():
    """Where it cannot be read whether acting is frozen, nothing is done."""
    here = due()
    here.store.commit([put(Freeze(False, "ana", here.now), 0)])
    stored = here.store.memory.records[Table.SETTING, Freeze.NAME]
    here.store.memory.records[Table.SETTING, Freeze.NAME] = replace(stored, body={"frozen": "perhaps"})
    report = here.run()
    assert report.outcomes == ()
    assert all(blocked.reason.startswith("it cannot be read whether acting is frozen") for blocked in report.blocked)


def test_a_snooze_restarts_the_warning():
    """After a snooze a finding is warned of anew, and nothing is done within the new grace."""
    here = due()
    snooze(here, "i-dev")
    here.run()
    assert here.finding("i-dev").status is Status.SNOOZED
    assert here.after(HOUR).outcomes == ()
    assert here.finding("i-dev").status is Status.WARNED
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_snooze_in_the_middle_of_a_run():
    """A snooze that comes after the plan was made still holds the act."""
    here = World(loaded(ENFORCED))
    here.cloud.add("i-1")
    here.cloud.add("i-2")
    here.run()

    def snooze_both(what: str) -> None:
        if what == "did":
            for identity in ("i-1", "i-2"):
                snooze(here, identity)
            here.tick = lambda _what: None

    here.tick = snooze_both
    report = here.after(HOUR)
    assert len(here.cloud.stopped()) == 1
    assert [blocked.reason for blocked in report.blocked] == ["it was snoozed by ana"]


def test_an_exemption_in_the_middle_of_a_run():
    """An exemption of a finding that comes after the plan was made still holds the act."""
    here = World(loaded(ENFORCED))
    here.cloud.add("i-1")
    here.cloud.add("i-2")
    here.run()

    def exempt_both(what: str) -> None:
        if what == "did":
            for identity in ("i-1", "i-2"):
                until = here.now + HOUR
                record = ExemptionRecord(identity, "ana", "a demo", until, here.now, finding=here.finding(identity).id)
                here.store.commit([put(record, 0)])
            here.tick = lambda _what: None

    here.tick = exempt_both
    report = here.after(HOUR)
    assert len(here.cloud.stopped()) == 1
    assert [blocked.reason for blocked in report.blocked] == ["it is exempt, or may be: ana answers for it"]


@pytest.mark.parametrize(
    ("policies", "where", "ago", "held"),
    [
        (("p0",), "", HOUR, True),
        (("p1",), "", HOUR, False),
        (("p0",), "tags.owner == 'ana'", timedelta(0), True),
        ((), "tags.owner == 'ana'", timedelta(0), True),
        (("p0",), "tags.owner == 'ana'", timedelta(minutes=1), False),
    ],
)
def test_an_exemption_that_the_plan_may_not_know_of(policies, where, ago, held):
    """An exemption of a policy holds its acts; one with a condition does where it came after the plan was made."""
    here = due()
    record = ExemptionRecord("x", "ana", "a demo", here.now + HOUR, here.now - ago, policies, where)
    here.store.commit([put(record, 0)])
    assert bool(here.run().outcomes) is not held
