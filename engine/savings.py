"""What a policy's remediation would save on one resource, before commitments: the charges it ends."""

from __future__ import annotations

from decimal import Decimal

from engine.checks.schedule import share_outside
from engine.commitments import Ending, Part
from engine.findings import Cost
from engine.model import Resource, Usage
from engine.policy.checks import Schedule
from engine.policy.model import Policy
from engine.prices import PriceBook
from engine.values import Unknown

NOTHING = Cost(Decimal(0), "nothing is charged that the remediation would end")


def gross(policy: Policy, resource: Resource, roles: frozenset[str], prices: PriceBook) -> Cost | Unknown:
    """Return what ending the charges of `roles` saves; a charge that goes on all the same saves nothing."""
    if isinstance(resource.usage, Unknown):
        return prices.cost_of(resource.usage, resource.region, roles)
    ended = _ended(resource, roles)
    kept = dict.fromkeys(u.kept for u in resource.usage if u.role in roles and u.kept)
    charges = prices.cost_of(ended, resource.region)
    if isinstance(charges, Unknown):
        return charges
    share = _share(policy)
    beside = "; ".join(f"nothing: {why}" if not ended else f"all but what goes on: {why}" for why in kept)
    basis = charges.basis
    if share != 1:
        basis = f"{basis}; for the {share:.0%} of a week outside working hours"
    said = "; ".join(part for part in (beside, basis if ended or not kept else "") if part)
    return Cost(charges.hourly * share, said, charges.exact, beside)


def ending(policy: Policy, resource: Resource, roles: frozenset[str], prices: PriceBook, savings: Cost) -> Ending:
    """Return the charges that make up `savings`, each with its price."""
    share = _share(policy)
    parts = []
    for usage in _ended(resource, roles):
        cost = prices.cost_of((usage,), resource.region)
        assert isinstance(cost, Cost), "a sum is known where its parts are"
        parts.append(Part(usage, cost.hourly * share))
    return Ending(resource.uid, resource.region, savings, tuple(parts))


def _ended(resource: Resource, roles: frozenset[str]) -> tuple[Usage, ...]:
    assert not isinstance(resource.usage, Unknown)
    return tuple(u for u in resource.usage if u.role in roles and not u.kept)


def _share(policy: Policy) -> Decimal:
    """Return the share of the time in which the charges end: outside working hours where work goes on inside."""
    return share_outside(policy.check) if isinstance(policy.check, Schedule) else Decimal(1)
