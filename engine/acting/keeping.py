"""What a run leaves behind for people to read: what findings say, and the dollars of its plan."""

from __future__ import annotations

from decimal import Decimal

from engine.acting.ports import Tenure
from engine.findings import Cost
from engine.plan import Plan
from engine.state.details import DetailRecord, details_of
from engine.state.records import restored
from engine.state.store import Store, Table


def keep_details(plan: Plan, store: Store, tenure: Tenure) -> None:
    """Write what findings say, where it is new."""
    held = (restored(DetailRecord, stored) for stored in store.scan(Table.DETAIL))
    news = list(details_of(plan, {one.record.finding: one for one in held}, tenure.ports.clock()))
    for start in range(0, len(news), store.batch):
        store.commit(news[start : start + store.batch], (), tenure.current())


def known_cost(plan: Plan) -> Decimal:
    """Return what the resources with findings cost a month: each once, however many policies find it."""
    costs = {f.subject.uid: f.cost.monthly for f in plan.findings if isinstance(f.cost, Cost)}
    return sum(costs.values(), Decimal(0))


def known_savings(plan: Plan) -> Decimal:
    """Return what the steps would save a month: of each resource the most that one of them does."""
    best: dict[str, Decimal] = {}
    for step in plan.steps:
        if isinstance(step.savings, Cost):
            best[step.subject.uid] = max(step.savings.monthly, best.get(step.subject.uid, Decimal(0)))
    return sum(best.values(), Decimal(0))
