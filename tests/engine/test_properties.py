"""
What holds for every estate and every policy: order, determinism, and that ignorance never acts.

The estates are full of gaps and lies; the policies are of all checks, and those that can act do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from math import isfinite
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.findings import Outcome, Verdict
from engine.model import Series
from engine.plan import Plan
from engine.policy.checks import Idle, Rule
from engine.policy.model import PolicySet
from tests.engine.estates import CATALOG, NOW, expression, plan
from tests.engine.generate import (
    PROTECT,
    UNLESS,
    Estate,
    deletions,
    estate,
    every_check,
    sample_deletions,
)

SEEDS = 150
RUNS = settings(max_examples=25, deadline=None)
CHANCE = st.randoms(use_true_random=False)


def steps(found: Plan) -> set[str]:
    return {step.id for step in found.steps}


def made(found: Estate, policies: PolicySet | None = None, **operator) -> Plan:
    return plan(policies or every_check(), found.items, **operator)


def verdicts(found: Plan) -> list[Verdict]:
    return [*(f.verdict for f in found.findings), *found.undecided, *found.exempt]


# --- order and determinism


@RUNS
@given(CHANCE)
def test_the_order_of_resources_does_not_matter(rng):
    """An estate read in another order gives the same plan."""
    found = estate(rng, 6)
    items = found.items
    rng.shuffle(items)
    assert plan(every_check(), items) == made(found)


@RUNS
@given(CHANCE)
def test_the_order_of_policies_does_not_matter(rng):
    """Policies in another order give the same plan."""
    found = estate(rng, 4)
    shuffled = list(every_check().policies)
    rng.shuffle(shuffled)
    assert made(found, replace(every_check(), policies=tuple(shuffled))) == made(found)


@RUNS
@given(CHANCE)
def test_the_same_twice(rng):
    """A plan is a function of its input."""
    found = estate(rng, 4)
    assert made(found) == made(found)


@RUNS
@given(CHANCE)
def test_resources_are_judged_by_themselves(rng):
    """The steps of an estate are those of its resources one by one: no resource can bring down another."""
    found = estate(rng, 4)
    alone = [steps(made(Estate((one,), found.reports))) for one in found.resources]
    assert steps(made(found)) == set().union(*alone)


# --- what every plan says


@pytest.mark.parametrize("part", range(5))
def test_every_verdict_explains_itself(part):
    """
    Unknowns name reasons, violations have evidence, steps are for violations alone, tallies add up and
    nothing that a generated estate holds makes a policy fail.
    """
    policies, seen = every_check(), Counter()
    scope = {policy.name: {kind.name for kind in policy.kinds} for policy in policies.policies}
    for seed in range(part, SEEDS, 5):
        found = estate(Random(f"explain {seed}"), 6)
        drawn = made(found)
        for verdict in verdicts(drawn):
            seen[verdict.outcome] += 1
            assert verdict.summary
            assert bool(verdict.unknowns) is (verdict.outcome in (Outcome.UNKNOWN, Outcome.ERROR)), verdict
            assert verdict.evidence or verdict.outcome is not Outcome.VIOLATION, verdict
            assert verdict.outcome is not Outcome.ERROR, verdict
        findings = {finding.id: finding for finding in drawn.findings}
        assert len(findings) == len(drawn.findings)
        assert len(steps(drawn)) == len(drawn.steps)
        for step in (*drawn.steps, *drawn.withheld):
            assert findings[step.finding].verdict.outcome is Outcome.VIOLATION
            assert findings[step.finding].verdict.actionable
        counts = {tally.policy: tally.counts for tally in drawn.tallies}
        told = Counter((verdict.policy, verdict.outcome) for verdict in verdicts(drawn))
        for policy in policies.policies:
            tally = counts[policy.name]
            for outcome in set(Outcome) - {Outcome.COMPLIANT}:
                assert tally.get(outcome, 0) == told[policy.name, outcome]
            if policy.where is None and policy.name in scope and policy.check.__class__.__name__ != "Quota":
                looked_at = sum(one.kind in scope[policy.name] for one in found.resources)
                assert sum(tally.values()) == (looked_at if policy.kinds else 1)
    assert min(seen[outcome] for outcome in (Outcome.VIOLATION, Outcome.UNKNOWN, Outcome.EXEMPT)) > 10, seen


# --- ignorance never acts


def assert_never_more(rng: Random, found: Estate) -> int:
    """Take every datum out in turn; return how often that took a step away."""
    before, fewer = steps(made(found)), 0
    for what, less in deletions(rng, found):
        after = steps(made(less))
        assert after <= before, f"without {what}: {after - before}"
        fewer += after < before
    return fewer


@pytest.mark.parametrize("part", range(5))
def test_deleting_data_never_creates_a_step(part):
    """
    Whatever single datum is taken out of an estate, no step appears.

    A datum is a field (its value not known, or absent with its group reported as a gap; absent or null
    while the group is attested complete only where the kind does not declare the field optional), a
    group with all its fields, all tags, the usage, one series, all series of a metric, a whole scope.

    Two things are no deletions. An absent optional field, or a single absent tag, of a group that is
    attested complete is a statement: that there is none. And the silence of an event-driven metric
    whose source is alive is a count of zero; when its samples cannot be read, its collector says so.

    It holds for steps, not for holds: a plan of eleven steps that a limit of ten holds back is let go
    when one of the eleven is not known any more.
    """
    fewer = sum(assert_never_more(rng, estate(rng, 1)) for rng in (Random(f"less {n}") for n in range(part, SEEDS, 5)))
    assert fewer > 100, "deleting hardly ever mattered"


@RUNS
@given(CHANCE)
def test_deleting_data_never_creates_a_step_small(rng):
    """As above, with choices that shrink."""
    assert_never_more(rng, estate(rng, 1))


def newest(series: Series, index: int) -> bool:
    """Return whether no sample follows the one at `index` that is dated before now and can have been measured."""
    step = timedelta(seconds=series.step)
    return not any(
        value is not None and isfinite(value) and value >= 0 and series.start + number * step < NOW
        for number, value in enumerate(series.values)
        if number > index
    )


def idle_of(plan: Plan) -> set[tuple[str, str]]:
    """Return what is found idle, as policy and resource; what is broken is not."""
    verdicts = [finding.verdict for finding in plan.findings]
    return {(v.policy, v.subject.uid) for v in verdicts if v.classification != "faulted"}


def test_deleting_a_sample():
    """
    Taking out a sample never makes anything idle that was at work or unknown, and so never creates a step.

    That is what `unseen` is 0 for unless a policy says otherwise: work could have been where a sample is missing.
    Two kinds of samples are no such data. The newest of a series may not have been delivered yet: without it, the
    answer is about the time before. And silence of an event-driven metric whose source is alive is a count of zero.

    Rules over metric functions have no such property: an average without its highest sample is lower.
    """
    taken, exceptions = 0, 0
    policies = [p for p in every_check().policies if isinstance(p.check, Idle)]
    loaded = replace(every_check(), policies=tuple(policies))
    for seed in range(SEEDS * 2):
        rng = Random(f"sample {seed}")
        found = estate(rng, 1)
        before = made(found, loaded)
        for name, series, index, less in sample_deletions(rng, found.resources[0], 12):
            taken += 1
            after = made(replace(found, resources=(less,)), loaded)
            created = (idle_of(after) - idle_of(before)) | (steps(after) - steps(before))
            if not created:
                continue
            exceptions += 1
            event = CATALOG.kinds[less.kind].metric_by_name[name].event_driven
            assert event or newest(series, index), (seed, name, index, series.values[index], created)
    assert taken > 3000
    assert exceptions, "the exception never occurred"


@RUNS
@given(CHANCE, st.sampled_from(UNLESS))
def test_an_excuse_never_adds_a_step(rng, text):
    """With one more `unless`, a policy does the same or less."""
    found = estate(rng, 4)
    excuses = {
        policy.name: (expression(text, policy.kinds),)
        for policy in every_check().policies
        if policy.kinds and all("running" in kind.field_by_name or "running" not in text for kind in policy.kinds)
    }
    excused = tuple(replace(p, unless=(*p.unless, *excuses.get(p.name, ()))) for p in every_check().policies)
    assert steps(made(found, replace(every_check(), policies=excused))) <= steps(made(found))


@RUNS
@given(CHANCE, st.lists(st.sampled_from(PROTECT), min_size=1, max_size=3))
def test_protection_never_adds_a_step(rng, texts):
    """With conditions of protection a plan does the same or less, and finds the same."""
    found = estate(rng, 4)
    before = made(found)
    after = made(found, protect=tuple(map(expression, texts)))
    assert steps(after) <= steps(before)
    assert after.findings == before.findings
    assert steps(after) | {f"{w.finding}-{w.remediation}" for w in after.withheld} >= steps(before)


def test_the_estates_are_worth_it():
    """Among the generated estates every acting policy acts somewhere, so that the properties say something."""
    acted = Counter(step.policy for seed in range(SEEDS) for step in made(estate(Random(f"worth {seed}"), 6)).steps)
    able = {p.name for p in every_check().policies if p.remediate}
    # Reads and writes of a volume are one signal, which is never enough.
    one_signal = {
        p.name for p in every_check().policies if isinstance(p.check, Idle) and "volume.read_ops" in p.check.below
    }
    assert set(acted) == able - one_signal
    assert min(acted.values()) >= 5, acted
    assert any(isinstance(p.check, Rule) for p in every_check().policies)
