"""The limits of one plan: when a policy would do more than it may, none of its steps is carried out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

from engine.evaluate import Tallies
from engine.findings import Cost
from engine.plan import Hold, Step
from engine.policy.model import Mode, Policy


def holds_of(policies: Sequence[Policy], steps: Sequence[Step], tallies: Tallies) -> tuple[Hold, ...]:
    """Return the limits that the steps would exceed, in order of the policies' names."""
    by_policy: dict[str, list[Step]] = {}
    for step in steps:
        if step.wanted in (Mode.APPROVE, Mode.ENFORCE):
            by_policy.setdefault(step.policy, []).append(step)
    found: list[Hold] = []
    for policy in sorted(policies, key=lambda p: p.name):
        own = by_policy.get(policy.name, [])
        if own:
            looked_at = sum(tallies.counts.get(policy.name, {}).values())
            found.extend(_holds(policy, own, looked_at))
    return tuple(found)


def _holds(policy: Policy, steps: Sequence[Step], looked_at: int) -> Iterator[Hold]:
    limits = policy.limits
    targets = {step.subject.uid: step for step in steps}
    if len(targets) > limits.max_actions:
        yield Hold(policy.name, "max_actions", str(limits.max_actions), str(len(targets)))
    allowed = max(1, math.floor(looked_at * limits.max_share / 100))
    if len(targets) > allowed:
        share = Decimal(len(targets) * 100) / Decimal(max(looked_at, 1))
        yield Hold(
            policy.name,
            "max_share",
            f"{limits.max_share.normalize():f}% ({allowed} of {looked_at})",
            f"{share:.0f}% ({len(targets)} of {looked_at})",
        )
    if limits.max_cost_impact is not None:
        yield from _cost_hold(policy, list(targets.values()), limits.max_cost_impact)


def _cost_hold(policy: Policy, targets: Sequence[Step], allowed: Decimal) -> Iterator[Hold]:
    known = [step.savings for step in targets if isinstance(step.savings, Cost)]
    total = sum((cost.monthly for cost in known), Decimal(0))
    unpriced = len(targets) - len(known)
    if total > allowed or unpriced:
        more = f" and {unpriced} without a known price" if unpriced else ""
        yield Hold(policy.name, "max_cost_impact", f"${allowed:,.0f}/mo", f"${total:,.0f}/mo{more}")
