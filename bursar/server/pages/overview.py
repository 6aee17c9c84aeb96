"""The first page: what it costs, what waits for a person, whether Bursar is well."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal

from starlette.responses import Response

from bursar.server import charts
from bursar.server.desk import Asked
from bursar.server.listing import RANK, Query, listing
from bursar.server.pages.switch import HOURS, switch_of
from bursar.server.rights import may_freeze, may_operate
from bursar.server.view import Row, View
from engine.acting.savings import totals
from engine.state.records import Status

FEW = 5
RUNS = 60
"""Runs that the chart of costs shows at most."""


def overview(asked: Asked) -> Response:
    """Return the first page."""
    view = asked.view
    now = asked.desk.clock()
    saved = totals(view.savings, now)
    last = view.last_run
    switch = switch_of(asked, last.trips if last is not None else ())
    return asked.show(
        "overview.html",
        # The switch is looked at itself: the view may be some seconds old.
        freeze=switch.freeze if switch is not None else view.freeze,
        switch=switch,
        may_freeze=may_freeze(asked),
        may_operate=may_operate(asked),
        operators=asked.desk.settings.operators,
        hours=HOURS,
        figures=figures(view),
        realised=sum((total.realised for total in saved.values()), Decimal(0)),
        running=sum((total.monthly for total in saved.values()), Decimal(0)),
        acts=sum(total.acts for total in saved.values()),
        saved=charts.line(charts.realised(view.savings, now)),
        wasted=charts.line(_costs(view)),
        largest=listing(view, Query()).rows[:FEW],
        waiting=view.pending(now)[:FEW],
        rows=view.rows,
        schedule=asked.desk.schedule,
    )


def figures(view: View) -> dict[str, object]:
    """Return what is counted over all findings: once for each view, not for each request."""
    if "overview" not in view.memo:
        view.memo["overview"] = _figures(view)
    found: dict[str, object] = view.memo["overview"]
    return found


def _figures(view: View) -> dict[str, object]:
    current = view.current
    severities = Counter(row.severity or "unknown" for row in current)
    statuses = Counter(row.status for row in current)
    policies = Counter(row.policy for row in current)
    cost, savings, unpriced = _dollars(current)
    order = [*sorted(RANK, key=lambda name: -RANK[name]), "unknown"]
    return {
        "current": len(current),
        "cost": cost,
        "savings": savings,
        "unpriced": unpriced,
        "severities": charts.bar((name, severities[name]) for name in order),
        "statuses": charts.bar((status.value, statuses[status]) for status in Status),
        "policies": policies.most_common(8),
        "most": max(policies.values(), default=1),
    }


def _dollars(rows: list[Row]) -> tuple[Decimal, Decimal, int]:
    """Return cost and savings a month, each resource counted once, and how many have no known price."""
    costs: dict[tuple[str, ...], Decimal] = {}
    savings: dict[tuple[str, ...], Decimal] = {}
    unpriced = set()
    for row in rows:
        key = (row.kind, row.account, row.region, row.resource)
        if row.cost is None:
            unpriced.add(key)
        else:
            costs[key] = max(row.cost, costs.get(key, Decimal(0)))
        savings[key] = max(row.savings or Decimal(0), savings.get(key, Decimal(0)))
    return sum(costs.values(), Decimal(0)), sum(savings.values(), Decimal(0)), len(unpriced - costs.keys())


def _costs(view: View) -> list[tuple[datetime, float]]:
    """Return what resources with findings cost a month, as the last runs saw it, the oldest first."""
    runs = [run for run in view.runs if run.finished is not None][:RUNS]
    return [(run.began, float(run.cost)) for run in reversed(runs)]
