"""
From plan to agenda on generated estates: ignorance never adds an act, nor does an exemption.

Limits and breakers are left wide here. They hold a plan whole, so a plan that was over a limit may come within it
when a finding is exempt or cannot be decided: that is what they are for, and each act is still of a certain
violation, warned of, in its grace and with its approval.
"""

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acting.agenda import Bounds, agenda
from engine.exemptions import Exemption
from engine.plan import Plan
from engine.policy.model import Mode, PolicySet, RunLimits
from engine.state.reconcile import Memory, announcement, reconcile, steps_fingerprint
from engine.state.records import FindingRecord, Held, Status
from tests.engine.estates import NOW, expression, plan
from tests.engine.generate import PROTECT, Estate, deletions, estate, every_check

RUNS = settings(max_examples=10, deadline=None)
CHANCE = st.randoms(use_true_random=False)
WIDE = Bounds(limits=RunLimits(10**6, 10**6, None))


def enforcing() -> PolicySet:
    """Return every check, half of those that may act doing so without asking."""
    policies = every_check().policies
    return replace(
        every_check(),
        policies=tuple(
            replace(p, mode=Mode.ENFORCE) if p.remediate and number % 2 else p for number, p in enumerate(policies)
        ),
    )


def made(found: Estate, **operator) -> Plan:
    return plan(enforcing(), found.items, **operator)


def ripe(rng: Random, found: Plan) -> Memory:
    """Return a memory in which the findings of a plan are ripe to be acted on, or nearly."""
    held = {}
    for finding in found.findings:
        steps = tuple(step for step in found.steps if step.finding == finding.id)
        record = FindingRecord(
            finding.id,
            finding.verdict.policy,
            finding.subject,
            rng.choice((Status.WARNED, Status.DUE, Status.APPROVED, Status.FAILED, Status.OPEN)),
            NOW - timedelta(hours=1),
            warned=NOW - timedelta(hours=9),
            due=NOW,
            announced=announcement(steps) if steps else "",
            fingerprint=steps_fingerprint(steps) if steps else "",
            approval=rng.choice(("", "q")),
            retry=NOW,
        )
        held[finding.id] = Held(record, 1)
    return Memory(held)


def done(found: Plan, memory: Memory) -> tuple[set[str], set[str]]:
    """Return the steps that would be carried out, and the findings that would be asked about."""
    chosen = agenda(reconcile(found, memory, NOW, "r").tasks, WIDE, NOW)
    return {step.id for task in chosen.act for step in task.steps}, {task.finding.id for task in chosen.ask}


@RUNS
@given(CHANCE)
def test_deleting_data_never_creates_an_act(rng):
    """Whatever single datum is taken away, no step is carried out that would not have been with it."""
    found = estate(rng, 1)
    before = made(found)
    memory = ripe(rng, before)
    acts, _ = done(before, memory)
    taken = list(deletions(rng, found))
    for what, less in rng.sample(taken, min(15, len(taken))):
        more = done(made(less), memory)[0] - acts
        assert not more, (what, more)


@RUNS
@given(CHANCE)
def test_deleting_a_whole_resource_or_scope_leaves_its_findings(rng):
    """With no scope readable nothing is done, asked or changed."""
    found = estate(rng, 4)
    memory = ripe(rng, made(found))
    blind = plan(enforcing(), [replace(report, status="denied") for report in found.reports])
    assert done(blind, memory) == (set(), set())


exemptions = st.lists(
    st.builds(
        lambda text, policies, days: Exemption(
            "x", "ana", "a demo", NOW + timedelta(days=days), policies, expression(text) if text else None
        ),
        st.sampled_from([*PROTECT, ""]),
        st.sampled_from([(), ("p0",), ("p2", "p8")]),
        st.sampled_from([-1, 0, 1]),
    ),
    min_size=1,
    max_size=3,
)


@RUNS
@given(CHANCE, exemptions)
def test_an_exemption_never_adds_an_act(rng, excuses):
    """With one more exemption the same or less is done and asked."""
    found = estate(rng, 4)
    before = made(found)
    memory = ripe(rng, before)
    acts, asks = done(before, memory)
    fewer_acts, fewer_asks = done(made(found, exemptions=tuple(excuses)), memory)
    assert fewer_acts <= acts
    assert fewer_asks <= asks


@RUNS
@given(CHANCE)
def test_the_same_twice(rng):
    """What is done is a function of the plan and the memory."""
    found = estate(rng, 4)
    memory = ripe(rng, made(found))
    assert done(made(found), memory) == done(made(found), memory)


def test_the_estates_are_worth_it():
    """In the generated estates much is done and asked, so that the properties say something."""
    acts, asks = 0, 0
    for seed in range(30):
        rng = Random(f"acting {seed}")
        found = made(estate(rng, 4))
        steps, findings = done(found, ripe(rng, found))
        acts, asks = acts + len(steps), asks + len(findings)
    assert acts > 30
    assert asks > 5
