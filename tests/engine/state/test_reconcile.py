"""A plan against what is remembered: order-free, deterministic, and nothing concluded from what was not seen."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.findings import Outcome
from engine.ids import finding_id
from engine.model import ScopeStatus
from engine.plan import Plan
from engine.state.lifecycle import Wish
from engine.state.reconcile import Memory, Reconciled, announcement, reconcile, steps_fingerprint
from engine.state.records import FindingRecord, Held, SnoozeRecord, Status
from tests.engine.acting.world import ASKED, ENFORCED, HOUR, World, entry, loaded
from tests.engine.estates import NOW, plan
from tests.engine.generate import Estate, estate, every_check

RUNS = settings(max_examples=25, deadline=None)
CHANCE = st.randoms(use_true_random=False)
LIVE = (Status.OPEN, Status.WARNED, Status.DUE, Status.PENDING, Status.APPROVED, Status.FAILED, Status.VERIFIED)


def made(found: Estate) -> Plan:
    return plan(every_check(), found.items)


def remembered(rng: Random, *plans: Plan) -> Memory:
    """Return a memory in which the findings of `plans`, and some that are in none, stand anywhere."""
    held = {}
    for found in plans:
        for finding in found.findings:
            status = rng.choice(list(Status))
            steps = tuple(step for step in found.steps if step.finding == finding.id)
            record = FindingRecord(
                finding.id,
                finding.verdict.policy,
                finding.subject,
                status,
                NOW - timedelta(hours=rng.randrange(300)),
                warned=NOW - 10 * HOUR,
                due=NOW - 9 * HOUR,
                announced=rng.choice(("", announcement(steps) if steps else "stop")),
                fingerprint=rng.choice(("", steps_fingerprint(steps) if steps else "")),
                approval=rng.choice(("", "q")),
                asked=rng.randrange(4),
                attempts=rng.randrange(4),
                retry=rng.choice((None, NOW, NOW + HOUR)),
            )
            held[finding.id] = Held(record, rng.randrange(1, 9))
    return Memory(held)


def after(memory: Memory, found: Reconciled) -> Memory:
    """Return the memory once the changes are written."""
    changed = {c.held.record.id: Held(c.held.record, c.held.version + 1) for c in found.changes}
    return replace(memory, findings={**memory.findings, **changed})


@RUNS
@given(CHANCE)
def test_order_does_not_matter(rng):
    """The same plan and memory in another order mean the same changes and tasks."""
    found = made(estate(rng, 5))
    memory = remembered(rng, found)
    shuffled = list(found.findings)
    rng.shuffle(shuffled)
    mixed = list(memory.findings.items())
    rng.shuffle(mixed)
    one = reconcile(found, memory, NOW, "r")
    other = reconcile(replace(found, findings=tuple(shuffled)), Memory(dict(mixed)), NOW, "r")
    assert {c.held.record.id: c for c in one.changes} == {c.held.record.id: c for c in other.changes}
    assert {t.finding.id: t for t in one.tasks} == {t.finding.id: t for t in other.tasks}


@RUNS
@given(CHANCE)
def test_a_second_look_changes_nothing(rng):
    """The same plan on what the first one left changes nothing and has the same tasks."""
    found = made(estate(rng, 5))
    memory = remembered(rng, found)
    first = reconcile(found, memory, NOW, "r")
    assert first == reconcile(found, memory, NOW, "r")
    second = reconcile(found, after(memory, first), NOW, "r")
    assert second.changes == ()
    assert second.tasks == first.tasks


@RUNS
@given(CHANCE)
def test_each_record_is_written_once_over_what_was_read(rng):
    """No finding changes twice, each change is made from the version that was read, and each has its note."""
    found = made(estate(rng, 5))
    memory = remembered(rng, found)
    changes = reconcile(found, memory, NOW, "r").changes
    assert len({c.held.record.id for c in changes}) == len(changes)
    for change in changes:
        before = memory.findings.get(change.held.record.id)
        assert change.held.version == (before.version if before else 0)
        assert change.note.subject == change.held.record.id
        assert change.note.kind == f"finding.{change.held.record.status.value}"
        assert before is None or before.record != change.held.record


@RUNS
@given(CHANCE)
def test_gaps_resolve_nothing(rng):
    """
    With every scope unread nothing that is not in the plan changes; nor does what is undecided, or what stands in a
    doubted scope.
    """
    full = estate(rng, 5)
    memory = remembered(rng, made(full))
    denied = tuple(replace(report, status=ScopeStatus.DENIED) for report in full.reports)
    blind = plan(every_check(), [*denied])
    assert reconcile(blind, memory, NOW, "r").changes == ()
    empty = plan(every_check(), [*(replace(report, status=ScopeStatus.COMPLETE) for report in full.reports)])
    doubted = frozenset(report.scope for report in full.reports)
    assert reconcile(empty, memory, NOW, "r", doubted=doubted).changes == ()


@RUNS
@given(CHANCE)
def test_the_unknown_stays(rng):
    """A finding about which nothing is known now stays as it was."""
    found = made(estate(rng, 6))
    memory = remembered(rng, found)
    unknown = {finding_id(v.policy, v.subject.uid): v for v in found.undecided if v.outcome is not Outcome.VIOLATION}
    extra = {id_: Held(FindingRecord(id_, v.policy, v.subject, rng.choice(LIVE), NOW), 1) for id_, v in unknown.items()}
    changed = {c.held.record.id for c in reconcile(found, Memory({**memory.findings, **extra}), NOW, "r").changes}
    assert not changed & set(unknown)


def world() -> World:
    here = World(loaded(ENFORCED, ASKED))
    here.cloud.add("i-dev", "dev")
    here.cloud.add("i-test", "test")
    here.run()
    return here


def memory_of(here: World) -> Memory:
    return Memory({record.id: Held(record, 1) for record in here.records(FindingRecord)})


def test_what_is_gone_or_right_is_over():
    """In a complete scope, what is not found any more is resolved."""
    here = world()
    here.cloud.remove("i-dev")
    (change,) = reconcile(here.plan(), memory_of(here), NOW, "r").changes
    assert change.held.record.status is Status.RESOLVED
    assert change.held.record.subject.id == "i-dev"


@pytest.mark.parametrize("whole", [True, False])
def test_a_policy_that_is_gone(whole):
    """Findings of a policy that is not there any more are over, where the plan is of all policies."""
    here = world()
    here.policies = loaded(ENFORCED)
    changes = reconcile(here.plan(), memory_of(here), NOW, "r", whole=whole).changes
    assert [c.held.record.subject.id for c in changes] == (["i-test"] if whole else [])


def test_a_plan_of_one_resource_concludes_nothing_of_others():
    """A plan without scopes, as `apply` makes it, changes nothing but what is in it."""
    here = world()
    found = replace(here.plan(), findings=(), steps=(), scopes=(), tallies=())
    assert reconcile(found, memory_of(here), NOW, "r", whole=False).changes == ()


@pytest.mark.parametrize(("left", "status"), [(HOUR, Status.SNOOZED), (timedelta(0), Status.DUE)])
def test_a_snooze_counts_until_its_end(left, status):
    """A snooze holds up to its moment, and not beyond."""
    here = world()
    now = NOW + HOUR
    found = memory_of(here)
    (dev,) = [h.record for h in found.findings.values() if h.record.subject.id == "i-dev"]
    snoozed = replace(found, snoozes={dev.id: SnoozeRecord(dev.id, now + left, "ana")})
    here.pass_(HOUR)
    changes = {c.held.record.id: c.held.record for c in reconcile(here.plan(), snoozed, now, "r").changes}
    assert changes[dev.id].status is status


def test_tasks_have_the_versions_after_the_changes():
    """What a task is to be written over is what the changes leave."""
    here = world()
    here.pass_(HOUR)
    found = reconcile(here.plan(), memory_of(here), here.now, "r")
    assert {(t.finding.subject.id, t.wish, t.held.version) for t in found.tasks} == {
        ("i-dev", Wish.ACT, 2),
        ("i-test", Wish.ASK, 2),
    }


def test_an_announcement_says_what_would_be_done_to_what():
    """Remediations, their parameters and the birth of the resource make the announcement."""
    here = World(loaded(entry("dev", "enforce", remediate="[{tag: {idle: yes}}, stop]")))
    here.cloud.add("i-dev", "dev", created="2026-01-01")
    assert announcement(here.plan().steps) == "tag idle=yes; stop (2026-01-01)"
