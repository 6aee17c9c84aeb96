"""Approvals: whatever the order of votes, one end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Subject
from engine.state.approvals import NotCounted, ended, finding_after, question, voted
from engine.state.lifecycle import opened
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord, Decision, Held, Status, Vote
from tests.engine.acting.world import ASKED, World, loaded

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
SUBJECT = Subject("k/1/r/i", "k", "i", "i", "1", "r")
PEOPLE = ("ana", "Ana", " ana ", "bob", "eve", "mira")
"""The first three are one person; `mira` is who asked."""


def approval(quorum: int = 1, **changes) -> ApprovalRecord:
    found = ApprovalRecord(
        "q",
        "a",
        1,
        "p",
        SUBJECT,
        Decision.PENDING,
        ("stop the machine",),
        "d",
        "f",
        NOW,
        NOW + timedelta(hours=8),
        "#gpu",
        ("@ml",),
        quorum,
        requester="mira",
    )
    return replace(found, **changes)


def vote(who: str = "ana", *, yes: bool = True, at: datetime = NOW, reason: str = "") -> Vote:
    return Vote(who, "cli", yes, at, reason)


votes = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.booleans(), st.booleans(), st.integers(0, 9 * 60)), max_size=12
).map(lambda drawn: sorted(drawn, key=lambda one: one[3]))


@given(votes, st.integers(1, 3))
def test_any_order_of_votes_has_one_end(drawn, quorum):
    """
    A decision never changes; one entitled no that came in time denies, whatever comes later; a yes takes as many
    different people as the quorum says, none of them who asked.
    """
    record, agreed, expected = approval(quorum), set(), Decision.PENDING
    for who, yes, entitled, minutes in drawn:
        at = NOW + timedelta(minutes=minutes)
        after = voted(record, vote(who, yes=yes, at=at), entitled=entitled)
        counts = entitled and at < record.expires and not (yes and who == "mira")
        if expected is Decision.PENDING and counts:
            person = who.strip().casefold()
            if not yes:
                expected = Decision.DENIED
            else:
                agreed.add(person)
                expected = Decision.APPROVED if len(agreed) >= quorum else Decision.PENDING
        elif not counts or expected is not Decision.PENDING:
            assert isinstance(after, NotCounted) or record.status is Decision.PENDING
        if isinstance(after, ApprovalRecord):
            assert record.status is Decision.PENDING, "an end is an end"
            record = after
        assert record.status is expected
    assert (record.decided is not None) is (record.status is not Decision.PENDING)


def test_deny_wins_over_a_later_yes():
    """After a no the yes of everybody else changes nothing."""
    denied = voted(approval(), vote("bob", yes=False, reason="in use"), entitled=True)
    assert isinstance(denied, ApprovalRecord)
    assert (denied.status, denied.reason) == (Decision.DENIED, "in use")
    late = voted(denied, vote("ana"), entitled=True)
    assert isinstance(late, NotCounted)
    assert late.reason == "it is denied already"


def test_a_no_after_ones_own_yes():
    """Who said yes may think better of it while the quorum is not reached."""
    once = voted(approval(2), vote("ana"), entitled=True)
    assert isinstance(once, ApprovalRecord)
    assert once.status is Decision.PENDING
    denied = voted(once, vote("ana", yes=False), entitled=True)
    assert isinstance(denied, ApprovalRecord)
    assert denied.status is Decision.DENIED


def test_a_quorum_counts_people():
    """One person is not two by clicking twice, by another door, or by writing an address in capitals."""
    once = voted(approval(2), vote("ana@example.com"), entitled=True)
    assert isinstance(once, ApprovalRecord)
    for again in (vote("ana@example.com"), vote("Ana@Example.com ")):
        assert isinstance(voted(once, again, entitled=True), NotCounted)
    other_door = voted(once, Vote("Ana@example.com", "slack", True, NOW), entitled=True)
    assert isinstance(other_door, ApprovalRecord)
    assert other_door.status is Decision.PENDING
    both = voted(once, vote("bob@example.com"), entitled=True)
    assert isinstance(both, ApprovalRecord)
    assert both.status is Decision.APPROVED


@pytest.mark.parametrize("who", ["tomas@example.com", "Tomas@Example.com ", "zoe@example.com"])
def test_nobody_approves_his_own_policy(who):
    """T33: each of those who changed the policy last may deny, and not approve; another may."""
    own = approval(authors=("tomas@example.com", "zoe@example.com"))
    refused = voted(own, vote(who), entitled=True)
    assert isinstance(refused, NotCounted)
    assert "was the last to change the policy" in refused.reason
    assert isinstance(voted(own, vote(who, yes=False), entitled=True), ApprovalRecord)
    assert isinstance(voted(own, vote("ana"), entitled=True), ApprovalRecord)


def test_an_unknown_author_blocks_nobody():
    """Where it is not known who changed the policy, whoever is entitled approves."""
    assert isinstance(voted(approval(author_unknown="no git"), vote("ana"), entitled=True), ApprovalRecord)


@pytest.mark.parametrize("who", ["mira", "Mira", " mira"])
def test_nobody_approves_what_he_asked_for(who):
    """Who asked may deny, and not approve."""
    assert isinstance(voted(approval(), vote(who), entitled=True), NotCounted)
    assert isinstance(voted(approval(), vote(who, yes=False), entitled=True), ApprovalRecord)


@pytest.mark.parametrize(("second", "counts"), [(-1, True), (0, False), (1, False)])
def test_a_late_click(second, counts):
    """A vote counts up to the second before the approval expires."""
    at = approval().expires + timedelta(seconds=second)
    assert isinstance(voted(approval(), vote(at=at), entitled=True), ApprovalRecord) is counts


def test_a_stranger_does_not_count():
    """Neither the yes nor the no of who is no approver counts."""
    for yes in (True, False):
        assert isinstance(voted(approval(), vote(yes=yes), entitled=False), NotCounted)


@pytest.mark.parametrize("status", list(Decision))
def test_what_a_decision_makes_of_its_finding(status):
    """A finding follows the approval it waits for, and no other."""
    waiting = replace(opened("a", "p", SUBJECT, NOW), status=Status.PENDING, approval="q")
    decided = approval(status=status)
    followed = {
        Decision.APPROVED: Status.APPROVED,
        Decision.DENIED: Status.DENIED,
        Decision.EXPIRED: Status.EXPIRED,
    }
    assert finding_after(waiting, decided, NOW).status is followed.get(status, Status.PENDING)
    another = replace(waiting, approval="another")
    assert finding_after(another, decided, NOW) is another
    due = replace(waiting, status=Status.DUE)
    assert finding_after(due, decided, NOW) is due


def test_an_end_without_votes():
    """An approval may expire or be superseded, and says why."""
    over = ended(approval(), Decision.SUPERSEDED, NOW, "the finding has changed or is over")
    assert (over.status, over.decided, over.votes) == (Decision.SUPERSEDED, NOW, ())


def task() -> Task:
    here = World(loaded(ASKED))
    here.cloud.add("i-1", "test")
    here.run()
    plan = here.plan()
    return Task(plan.findings[0], plan.steps, Held(here.records(type(opened("a", "p", SUBJECT, NOW)))[0]), None)  # type: ignore[arg-type]


def test_a_question_is_bound_to_its_steps_and_their_state():
    """The same question has the same id; another state, step, parameter, episode or number has another."""
    found = task()
    step, record = found.steps[0], found.held.record

    def asked(steps=found.steps, record=record) -> str:
        return question(found.finding, steps, record, NOW).id

    same = question(found.finding, found.steps, record, NOW + timedelta(days=1)).id
    assert asked() == same
    others = {
        asked((replace(step, fingerprint="other"),)),
        asked((replace(step, parameters={"to": "g5.xlarge"}),)),
        asked((step, replace(step, id="another"))),
        asked(record=replace(record, episode=9)),
        asked(record=replace(record, asked=1)),
    }
    assert len(others) == 5
    assert asked() not in others
