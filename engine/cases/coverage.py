"""
Which conditions of a policy its cases show: seen true, false and unknown, and whether one ever decided.

A condition decides in a case when the verdict is another where the condition is made true than where it is made
false. Both are policies too, so that nothing here knows how a check comes to its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.cases.probes import Probe, probes_of
from engine.cases.run import Case, Contexts, View
from engine.cases.written import Written
from engine.checks.context import Context
from engine.compiled import compile_check, compile_policy
from engine.errors import Place
from engine.evaluate import Tallies, compile_policies, group_verdicts, judge_items
from engine.findings import Outcome
from engine.model import Resource
from engine.policy.model import Policy
from engine.ports import Item, Progress


@dataclass
class Condition:
    """One condition of a policy and what the cases show of it."""

    name: str
    """`where: resource.accelerator.count > 0`, `idle: gpu.utilization below 5%`."""
    place: Place
    true: int = 0
    """Cases in which it was true."""
    false: int = 0
    unknown: int = 0
    decided: int = 0
    """Cases whose verdict depended on it."""

    @property
    def covered(self) -> bool:
        """Whether it was seen true and false, and decided once."""
        return bool(self.true and self.false and self.decided)

    @property
    def lacks(self) -> str:
        """Return what was never seen, for a person; empty where nothing is missing."""
        seen = (("true", self.true), ("false", self.false))
        never = [f"never {word}" for word, times in seen if not times]
        return ", ".join([*never, *(() if self.decided else ("never decided",))])


@dataclass(frozen=True)
class PolicyCoverage:
    """What the cases show of one policy."""

    policy: str
    place: Place
    cases: int
    conditions: tuple[Condition, ...] = field(default=())


def percent(coverage: Iterable[PolicyCoverage]) -> Decimal:
    """Return the share of conditions that are covered, 0 to 100, rounded down to a tenth; 100 where there are none."""
    conditions = [condition for policy in coverage for condition in policy.conditions]
    if not conditions:
        return Decimal(100)
    covered = sum(condition.covered for condition in conditions)
    return Decimal(covered * 1000 // len(conditions)) / 10


def cover(
    policies: Iterable[Policy],
    cases: Mapping[str, Sequence[Case]],
    written: Written,
    contexts: Contexts,
    progress: Progress,
) -> tuple[PolicyCoverage, ...]:
    """Return what `cases`, by the name of their policy, show of each of `policies`."""
    return tuple(_cover(policy, cases.get(policy.name, ()), written, contexts, progress) for policy in policies)


def _cover(
    policy: Policy, cases: Sequence[Case], written: Written, contexts: Contexts, progress: Progress
) -> PolicyCoverage:
    found = []
    for probe in probes_of(policy, written):
        condition = Condition(probe.name, probe.place)
        for case in cases:
            _look(condition, probe, case, contexts)
        found.append(condition)
        progress("conditions looked at", 1)
    return PolicyCoverage(policy.name, policy.place, len(cases), tuple(found))


def _look(condition: Condition, probe: Probe, case: Case, contexts: Contexts) -> None:
    """Count what the case shows of the condition, once however many resources and moments it has."""
    seen: set[Outcome] = set()
    decided = False
    for view in case.views:
        if case.document.group and not probe.groups(view.subject):
            continue
        context = contexts(view.now)
        seen |= _outcomes(probe.alone, view, context)
        true, false = (_outcomes(forced, view, context) for forced in (probe.true, probe.false))
        decided = decided or true != false
    condition.true += probe.shows_true in seen
    condition.false += probe.shows_false in seen
    condition.unknown += Outcome.UNKNOWN in seen
    condition.decided += decided


def _outcomes(policy: Policy, view: View, context: Context) -> set[Outcome]:
    """Return what `policy` says of the subject, or of every resource where the subject is a group of them."""
    check = compile_check(policy, context)
    if check is None:
        found = (outcome for uid, outcome in _groups(policy, view.items, context) if uid == view.subject)
        return {next(found, Outcome.COMPLIANT)}
    decide = compile_policy(policy, check, context).decide
    resources = [item for item in view.items if isinstance(item, Resource)]
    chosen = [resource for resource in resources if resource.uid == view.subject] or resources
    return {decide(resource) or Outcome.COMPLIANT for resource in chosen}  # what it is not about is not found either


def _groups(policy: Policy, items: Sequence[Item], context: Context) -> Iterator[tuple[str, Outcome]]:
    compiled, tallies = compile_policies((policy,), context), Tallies()
    for _ in judge_items(compiled, items, tallies):
        pass
    for _, verdict in group_verdicts(compiled, tallies):
        yield verdict.subject.uid, verdict.outcome
