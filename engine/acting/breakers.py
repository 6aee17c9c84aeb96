"""
Breakers: signs that what a run saw is not to be acted on, however clear each single finding is.

They compare with the figures of the last calm run, so that an outage that lasts keeps them tripped: what tripped
once does not become normal by being seen twice. A person who has looked may accept a breaker for a while.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.findings import Outcome
from engine.model import Scope, ScopeStatus
from engine.plan import Plan, Tally
from engine.state.reconcile import Task
from engine.state.records import PolicyFigures, ScopeFigures
from engine.state.settings import Figures

SURGE = 30
"""Percent of what a policy looks at that may become findings between two runs."""
COVERAGE = 20
"""Percentage points by which the share of undecided verdicts may grow between two runs."""
DROP = 50
"""Percent of a scope's resources that may disappear between two runs."""
FEW = 3
"""Fewer than so many resources are no sign of anything."""
SKEW = timedelta(seconds=30)
"""How far this machine's clock may be from that of the store."""

NAMES: Mapping[str, str] = {
    "finding-surge": "many resources became findings of one policy at once",
    "coverage-drop": "a policy cannot decide about many resources that it could decide about before",
    "inventory-drop": "many resources of a scope are gone at once",
    "scope-incomplete": "a scope could not be read completely",
    "first-in-production": "production would be touched for the first time",
    "clock-skew": "the clocks of this machine and of the store disagree",
}
"""Every breaker with what trips it."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker that tripped, and what it holds."""

    breaker: str
    why: str
    policy: str = ""
    """The policy it holds; every policy where it is empty."""
    account: str = ""
    """The account it holds; every account where it is empty."""
    kind: str = ""
    production: bool = False
    """True where it holds only what is part of production."""

    def holds(self, task: Task) -> bool:
        """Return whether `task` must wait."""
        subject = task.finding.subject
        return (
            self.policy in ("", task.finding.verdict.policy)
            and self.account in ("", subject.account)
            and self.kind in ("", subject.kind)
            and (not self.production or any(step.production for step in task.steps))
        )


def trips_of(
    plan: Plan, before: Figures | None, tasks: Sequence[Task], now: datetime, store_clock: datetime | None
) -> tuple[Trip, ...]:
    """Return every breaker that trips over `plan`; `before` are the figures of the last calm run."""
    found = [*_clock_trips(now, store_clock), *_scope_trips(plan), *_production_trips(tasks)]
    if before is not None:
        found += _inventory_trips(plan, before)
        found += _policy_trips(plan, before)
    return tuple(found)


def doubted_scopes(plan: Plan, before: Figures | None) -> frozenset[Scope]:
    """Return the scopes that came back so empty that nothing is concluded from what is not in them."""
    if before is None:
        return frozenset()
    known = {figures.scope: figures.resources for figures in before.scopes}
    return frozenset(
        report.scope
        for report in plan.scopes
        if report.status is ScopeStatus.COMPLETE and _dropped(known.get(str(report.scope), 0), report.resources)
    )


def _dropped(before: int, now: int) -> bool:
    return before - now >= FEW and (before - now) * 100 > before * DROP


def _clock_trips(now: datetime, store_clock: datetime | None) -> Iterator[Trip]:
    if store_clock is not None and abs(now - store_clock) > SKEW:
        seconds = (now - store_clock).total_seconds()
        yield Trip(
            "clock-skew",
            f"this machine's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the store's",
        )


def _scope_trips(plan: Plan) -> Iterator[Trip]:
    for report in plan.gaps:
        scope = report.scope
        why = f"{scope} was not read completely: {report.detail or report.status.value}"
        yield Trip("scope-incomplete", why, account=scope.account, kind=scope.kind)


def _production_trips(tasks: Sequence[Task]) -> Iterator[Trip]:
    touched = [task.finding.subject.name for task in tasks if any(step.production for step in task.steps)]
    if touched:
        more = f" and {len(touched) - 1} more" if len(touched) > 1 else ""
        yield Trip("first-in-production", f"{touched[0]}{more} is or may be part of production", production=True)


def _inventory_trips(plan: Plan, before: Figures) -> Iterator[Trip]:
    known = {figures.scope: figures.resources for figures in before.scopes}
    doubted = doubted_scopes(plan, before)
    for report in plan.scopes:
        if report.scope in doubted:
            why = f"{report.scope} has {report.resources} resources, and had {known[str(report.scope)]}"
            yield Trip("inventory-drop", why, account=report.scope.account)


def _policy_trips(plan: Plan, before: Figures) -> Iterator[Trip]:
    known = {figures.policy: figures for figures in before.policies}
    for tally in plan.tallies:
        earlier, now = known.get(tally.policy), policy_figures(tally)
        if earlier is None or not now.looked_at:
            continue
        more = now.violations - earlier.violations
        if more >= FEW and more * 100 > now.looked_at * SURGE:
            why = f"{now.violations} of {now.looked_at} resources are findings, and {earlier.violations} were"
            yield Trip("finding-surge", why, policy=tally.policy)
        lost = now.unknown - earlier.unknown
        if lost >= FEW and _share(now) - _share(earlier) > COVERAGE:
            why = f"{now.unknown} of {now.looked_at} resources are undecided, and {earlier.unknown} were"
            yield Trip("coverage-drop", why, policy=tally.policy)


def _share(figures: PolicyFigures) -> float:
    return 100 * figures.unknown / figures.looked_at if figures.looked_at else 0.0


def policy_figures(tally: Tally) -> PolicyFigures:
    """Return the figures of one policy in a run."""
    counts = tally.counts
    unknown = counts.get(Outcome.UNKNOWN, 0) + counts.get(Outcome.ERROR, 0)
    return PolicyFigures(tally.policy, sum(counts.values()), counts.get(Outcome.VIOLATION, 0), unknown)


def figures_of(plan: Plan, before: Figures | None, trips: Sequence[Trip]) -> Figures:
    """
    Return the figures that the next run compares with: this run's, but the earlier ones where a breaker tripped.

    What a policy sees while something cannot be read is no measure for when it can be again.
    """
    tripped = {trip.policy for trip in trips if trip.policy}
    unread = bool(plan.gaps or doubted_scopes(plan, before))
    doubted = {str(scope) for scope in doubted_scopes(plan, before)} if trips else set()
    scopes = {figures.scope: figures for figures in before.scopes} if before else {}
    policies = {figures.policy: figures for figures in before.policies} if before else {}
    for report in plan.scopes:
        if report.status is ScopeStatus.COMPLETE and str(report.scope) not in doubted:
            scopes[str(report.scope)] = ScopeFigures(str(report.scope), report.resources)
    for tally in plan.tallies:
        earlier, now = policies.get(tally.policy), policy_figures(tally)
        less = unread and earlier is not None and now.looked_at < earlier.looked_at
        if tally.policy not in tripped and not less:
            policies[tally.policy] = now
    return Figures(
        plan.taken_at,
        tuple(scopes[name] for name in sorted(scopes)),
        tuple(policies[name] for name in sorted(policies)),
    )
