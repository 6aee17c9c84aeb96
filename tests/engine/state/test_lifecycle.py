"""The life of a finding: what every order of events keeps to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.findings import Subject
from engine.policy.model import Mode
from engine.state import lifecycle
from engine.state.lifecycle import (
    APPROVAL_HOLDS,
    ATTEMPTS,
    COOL_DOWN,
    QUESTIONS,
    START_OVER,
    Cleared,
    Excused,
    Snoozed,
    Unseen,
    Violated,
    Wish,
    advance,
    opened,
    wish,
)
from engine.state.records import FindingRecord, Status

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
SUBJECT = Subject("k/1/r/i", "k", "i", "i", "1", "r")
HOUR = timedelta(hours=1)
ACTING = Violated(Mode.ENFORCE, HOUR, "f", "stop")
ENDINGS = [Cleared("stopped"), Excused("a demo"), Snoozed("until Monday")]

spans = st.sampled_from(
    [timedelta(0), timedelta(minutes=9), HOUR, timedelta(hours=7), timedelta(hours=24), timedelta(days=8)]
)
violated = st.builds(
    Violated,
    mode=st.sampled_from(list(Mode)),
    grace=st.sampled_from([timedelta(0), HOUR, timedelta(days=1)]),
    fingerprint=st.sampled_from(["f", "g", ""]),
    announced=st.sampled_from(["stop", "terminate"]),
).map(lambda seen: seen if seen.fingerprint else replace(seen, announced=""))
sightings = st.one_of(violated, violated, violated, st.sampled_from(ENDINGS), st.just(Unseen()))


def record(status: Status = Status.OPEN, **changes) -> FindingRecord:
    """Return a finding that was warned of a stop two hours ago."""
    warned = {"warned": NOW - 2 * HOUR, "due": NOW - HOUR, "announced": "stop"}
    given = {**(warned if status is not Status.OPEN else {}), **changes}
    return replace(opened("a", "p", SUBJECT, NOW - 3 * HOUR), status=status, **given)


class Life(RuleBasedStateMachine):
    """A finding among runs, people and acts, in any order."""

    @initialize()
    def begin(self):
        self.now = NOW
        self.record = opened("a", "p", SUBJECT, NOW)
        self.seen = Unseen()
        self.promise = None
        """When and what was warned of since the last event that takes a warning back, and when its grace ends."""
        self.yes = ""
        """The fingerprint that was approved last."""

    @rule(span=spans)
    def time_passes(self, span):
        self.now += span

    @rule(seen=sightings)
    def a_run_sees(self, seen):
        before = self.record
        after = advance(before, seen, self.now)
        assert after == advance(before, seen, self.now)
        assert advance(after, seen, self.now) == after, "a second look changes nothing"
        self.record, self.seen = after, seen
        match seen:
            case Unseen():
                assert after is before
            case Cleared() | Excused() | Snoozed() if before.status is not Status.ACTING:
                self.promise = None
                assert after.status in (Status.RESOLVED, Status.EXEMPT, Status.SNOOZED)
            case Violated() if before.status is not Status.ACTING and lifecycle.told(seen) == "":
                # Nothing would be done: what was promised lapses.
                self.promise = None
        if before.status is Status.ACTING:
            assert after is before

    def wants(self) -> Wish:
        return wish(self.record, self.seen)

    @precondition(lambda self: self.wants() is Wish.WARN)
    @rule()
    def people_are_warned(self):
        self.record = lifecycle.warned(self.record, self.seen, self.now)
        told = lifecycle.told(self.seen)
        self.promise = (told, self.now + self.seen.grace) if told else None
        self.a_run_sees(self.seen)

    @precondition(lambda self: self.wants() is Wish.ASK)
    @rule()
    def people_are_asked(self):
        self.record = lifecycle.asked(self.record, "q", self.seen.fingerprint, self.now)

    @precondition(lambda self: self.record.status is Status.PENDING)
    @rule(status=st.sampled_from([Status.APPROVED, Status.DENIED, Status.EXPIRED]))
    def people_answer(self, status):
        if status is Status.APPROVED:
            self.yes = self.record.fingerprint
        self.record = lifecycle.answered(self.record, status, self.now)

    @precondition(lambda self: self.wants() is Wish.ACT)
    @rule(ending=st.sampled_from(["done", "failed", "for good", "refused", "crash"]))
    def it_is_acted_on(self, ending):
        acting = lifecycle.intended(self.record, self.now)
        match ending:
            case "done":
                self.record = lifecycle.done(acting, self.now)
            case "failed":
                self.record = lifecycle.failed(acting, self.now, "throttled", retryable=True)
            case "for good":
                self.record = lifecycle.failed(acting, self.now, "denied", retryable=False)
            case "refused":
                self.record = lifecycle.refused(self.record, self.now, "changed")
            case "crash":
                self.record = acting
        self.seen = Unseen()

    @precondition(lambda self: self.record.status is Status.ACTING)
    @rule(retryable=st.booleans())
    def an_intent_is_settled(self, retryable):
        self.record = lifecycle.failed(self.record, self.now, "no effect", retryable=retryable)

    @invariant()
    def no_act_without_its_warning_and_grace(self):
        if self.wants() in (Wish.ACT, Wish.ASK):
            assert self.promise is not None, "nobody was warned since it came up anew"
            announced, until = self.promise
            assert announced == self.seen.announced, "something else was announced"
            assert self.now >= until, "the grace is not over"

    @invariant()
    def no_act_without_its_approval(self):
        if self.wants() is Wish.ACT:
            assert self.seen.mode.rank >= Mode.APPROVE.rank
            if self.record.status is Status.APPROVED:
                assert self.yes == self.seen.fingerprint, "what was approved is not what is there"
            else:
                assert self.seen.mode is Mode.ENFORCE

    @invariant()
    def nothing_is_done_that_is_not_a_violation(self):
        if not isinstance(self.seen, Violated):
            assert self.wants() is Wish.NOTHING

    @invariant()
    def numbers_are_bounded(self):
        assert self.record.attempts <= ATTEMPTS
        assert self.record.status is not Status.EXPIRED or self.record.asked >= 1


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("status", [s for s in Status if s is not Status.ACTING])
def test_what_ends_a_finding_restarts_its_warning(status, ending):
    """After a resolution, an exemption or a snooze a finding is open in a new episode, with nothing of the old."""
    after = advance(advance(record(status, approval="q", fingerprint="f"), ending, NOW), ACTING, NOW)
    assert (after.status, after.warned, after.approval, after.announced) == (Status.OPEN, None, "", "")
    assert after.episode == 2
    assert wish(after, ACTING) is Wish.WARN


@pytest.mark.parametrize("seen", [*ENDINGS, Unseen(), ACTING], ids=lambda e: type(e).__name__)
def test_an_intent_without_outcome_is_not_settled_by_a_sighting(seen):
    """While an act is under way nothing that is seen of the finding changes it."""
    acting = record(Status.ACTING)
    assert advance(acting, seen, NOW + timedelta(days=30)) is acting


@pytest.mark.parametrize("status", list(Status))
def test_ignorance_changes_nothing(status):
    """What is not known now leaves every finding as it was, for however long."""
    before = record(status)
    assert advance(before, Unseen(), NOW + timedelta(days=365)) is before
    assert wish(before, Unseen()) is Wish.NOTHING


@pytest.mark.parametrize(("grace", "due"), [(HOUR, True), (2 * HOUR, True), (3 * HOUR, False)])
def test_a_grace_that_changes(grace, due):
    """A longer grace lengthens what was told; a shorter one takes nothing back."""
    told = record(Status.WARNED, due=NOW)
    assert (advance(told, replace(ACTING, grace=grace), NOW).status is Status.DUE) is due
    assert advance(told, replace(ACTING, grace=timedelta(0)), NOW - timedelta(seconds=1)) is told


def test_a_denied_finding_stays_denied():
    """A no holds for the episode, whatever changes on the resource."""
    denied = record(Status.DENIED, fingerprint="f", approval="q")
    for seen in (ACTING, replace(ACTING, fingerprint="g"), replace(ACTING, announced="terminate")):
        assert advance(denied, seen, NOW + timedelta(days=99)) is denied


@pytest.mark.parametrize(("asked", "again"), [(1, True), (QUESTIONS - 1, True), (QUESTIONS, False)])
def test_a_question_is_asked_three_times(asked, again):
    """What nobody decided is asked once more after a day, up to three times."""
    expired = record(Status.EXPIRED, asked=asked, since=NOW)
    assert advance(expired, ACTING, NOW + timedelta(hours=23)) is expired
    assert (advance(expired, ACTING, NOW + timedelta(hours=24)).status is Status.DUE) is again


def test_retries_grow_and_end():
    """A failed act waits 10, 20, 40 and 80 minutes, and has no fifth retry."""
    found, waits = record(Status.ACTING), []
    for _ in range(ATTEMPTS):
        found = lifecycle.failed(found, NOW, "throttled", retryable=True)
        waits.append(found.retry and found.retry - NOW)
    assert waits == [timedelta(minutes=10 * 2**n) for n in range(4)] + [None]


def test_a_retry_keeps_its_approval_only_for_the_same_state():
    """A second try needs no second approval, unless the resource or the policy changed."""
    failed = record(Status.FAILED, approval="q", fingerprint="f", retry=NOW, attempts=1)
    seen = replace(ACTING, mode=Mode.APPROVE)
    assert advance(failed, seen, NOW).status is Status.APPROVED
    changed = replace(seen, fingerprint="g")
    assert wish(advance(failed, changed, NOW), changed) is Wish.ASK


def test_an_approval_is_wished_for_its_own_state_only():
    """An approved finding that was not reconciled with what is there now is not acted on."""
    approved = record(Status.APPROVED, approval="q", fingerprint="f")
    assert wish(approved, ACTING) is Wish.ACT
    assert wish(approved, replace(ACTING, fingerprint="g")) is Wish.NOTHING


def test_an_approval_holds_a_day():
    """What was approved and not done for a day is asked about again."""
    approved = record(Status.APPROVED, approval="q", fingerprint="f", since=NOW)
    seen = replace(ACTING, mode=Mode.APPROVE)
    assert advance(approved, seen, NOW + APPROVAL_HOLDS - timedelta(seconds=1)) is approved
    assert wish(advance(approved, seen, NOW + APPROVAL_HOLDS), seen) is Wish.ASK


@pytest.mark.parametrize(("status", "wait"), [(Status.VERIFIED, COOL_DOWN), (Status.FAILED, START_OVER)])
def test_what_is_over_and_still_found_begins_anew(status, wait):
    """A finding that is there a day after its act, or a week after it failed for good, is warned of anew."""
    before = record(status, since=NOW)
    assert advance(before, ACTING, NOW + wait - timedelta(seconds=1)) is before
    after = advance(before, ACTING, NOW + wait)
    assert (after.status, after.episode) == (Status.OPEN, 2)


def test_modes_wish_what_they_may():
    """A report wishes nothing, a notice warns, an approval asks, and only enforcement acts by itself."""
    wishes = {
        mode: (wish(record(), seen), wish(record(Status.DUE), seen))
        for mode in Mode
        for seen in [replace(ACTING, mode=mode)]
    }
    assert wishes == {
        Mode.REPORT: (Wish.NOTHING, Wish.NOTHING),
        Mode.NOTIFY: (Wish.WARN, Wish.NOTHING),
        Mode.APPROVE: (Wish.WARN, Wish.ASK),
        Mode.ENFORCE: (Wish.WARN, Wish.ACT),
    }


@pytest.mark.parametrize("status", sorted(lifecycle.PROMISED))
def test_a_doubt_that_may_pass_keeps_the_promise(status):
    """While it is not known whether it is a finding nothing is done, and no warning is taken back."""
    before = record(status, fingerprint="f")
    assert advance(before, Unseen(), NOW) is before
    assert wish(before, Unseen()) is Wish.NOTHING
