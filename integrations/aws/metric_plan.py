"""
Decide what to ask CloudWatch for: from resources and needs to queries and the gaps already known.

Pure. `cloudwatch` fetches the listings that `listings_due` names, then calls `plan_queries`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from engine.kinds import Kind, Metric
from engine.model import KindNeeds, Resource
from engine.values import Unknown
from integrations.aws.metric_query import Query, frame_of
from integrations.aws.metric_scale import SLACK, ceiling_of, divisor_of, interval_of, senders_of
from integrations.aws.metric_series import Found, Index, by_identity, found_series, listings_of
from integrations.aws.metric_sources import Dimensions, Listed, Source, published_name, sends
from integrations.aws.registry import source_of
from integrations.telemetry.frame import Frame

Listings: TypeAlias = Mapping[Listed, tuple[Dimensions, ...] | Unknown]
"""The series CloudWatch lists for each namespace and metric, or why the list is not known."""


INFINITE = float("inf")
PERCENT = 100 * SLACK
"""The highest number of one accelerator."""
TOTAL_PERIOD = 3_600
"""Seconds. What a device has of memory does not change; a few data points tell it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One series of one resource, and where its parts stand among the queries."""

    resource: int
    metric: Metric
    source: Source
    device: str
    frame: Frame
    divisor: float | Unknown = 1.0
    """What its values are divided by, unless `total` has an answer."""
    ceiling: float = INFINITE
    """The highest number that can be published; infinity where nothing says."""
    value: int = 0
    count: int | None = None
    """The query of its sample counts; None where a bucket holds one sample."""
    total: int | None = None
    """The query of the device's memory."""
    senders: int = 0
    """Samples that each interval should hold, where that is known."""
    parts: int = 0
    """How many accelerators of the device there have to be, where it is one of them."""
    added: bool = False
    """True where the series of all asks for the metric are added up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fetch for a chunk of resources."""

    queries: list[Query] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    gaps: dict[tuple[int, str], Unknown] = field(default_factory=dict)
    """By position of the resource and signal: the first reason why it is not known."""
    positions: dict[Query, int] = field(default_factory=dict)
    """Where each query stands: what several resources want is asked for once."""


def wanted_metrics(kind: Kind, need: KindNeeds) -> Mapping[Metric, timedelta]:
    """
    Return the metrics to ask for, with the longest window of each.

    A derived metric stands for what it is computed from. An event-driven one brings along the metric
    that shows its source to be alive, without which its silence means nothing.
    """
    found: dict[Metric, timedelta] = {}
    for name, window in need.metrics.items():
        metric = kind.metric_by_name.get(name)
        if metric is None:
            continue
        metric = kind.metric_by_name.get(metric.derived_from, metric)
        found[metric] = max(window, found.get(metric, window))
    for metric, window in list(found.items()):
        source = source_of(kind.name, metric.name)
        if source is not None and source.witness:
            witness = kind.metric_by_name[source.witness]
            found[witness] = max(window, found.get(witness, window))
    return found


def listings_due(kind: Kind, wanted: Mapping[Metric, timedelta], resources: Sequence[Resource]) -> list[Listed]:
    """Return the listings that the series of the resources have to be looked up in."""
    found: dict[Listed, None] = {}
    for metric in wanted:
        source = source_of(kind.name, metric.name)
        for one in (source, *source.plus) if source is not None else ():
            found.update(dict.fromkeys(_listings_of(one, resources)))
    return list(found)


def _listings_of(source: Source, resources: Sequence[Resource]) -> list[Listed]:
    """Return the listings of one source for some resources; none where its series are known without."""
    found: dict[Listed, None] = {}
    for resource in resources if source.discover else ():
        if sends(source, resource):
            found.update(dict.fromkeys(listings_of(source, resource)))
            if source.total:
                found[source.namespace, published_name(source.total, resource)] = None
    return list(found)


def plan_queries(
    kind: Kind,
    wanted: Mapping[Metric, timedelta],
    resources: Sequence[Resource],
    listings: Listings,
    now: datetime,
) -> Plan:
    """Return the queries for every series that the resources can have."""
    plan = Plan()
    for metric, window in wanted.items():
        source = source_of(kind.name, metric.name)
        if source is None:
            continue
        added = bool(source.plus) or source.everybody
        for one in (source, *source.plus):
            index = {listed: by_identity(one, listings[listed]) for listed in _listings_of(one, resources)}
            for position, resource in enumerate(resources):
                if not sends(one, resource):
                    continue
                frame = frame_of(window, max(metric.interval, interval_of(one, resource, metric.interval)), now)
                gap = _plan_source(plan, Ask(position, metric, one, "", frame, added=added), resource, index)
                if gap is not None:
                    plan.gaps.setdefault((position, metric.signal), gap)
    return plan


def _plan_source(plan: Plan, ask: Ask, resource: Resource, index: Index) -> Unknown | None:
    """Add what is asked of one source about one resource to the plan; return why nothing can be, if so."""
    source = ask.source
    found, ceiling = found_series(source, resource, index), ceiling_of(source, resource)
    if isinstance(found, Unknown):
        return found
    if isinstance(ceiling, Unknown):
        return ceiling
    for one in found:
        senders = senders_of(source, resource, one.device)
        if isinstance(senders, Unknown):
            return senders
        divisor = divisor_of(source, resource)
        mine = replace(ask, device=one.device, divisor=divisor, ceiling=ceiling, senders=senders)
        _add(plan, replace(mine, ceiling=PERCENT, senders=0, parts=one.parts) if one.parts else mine, one)
    return None


def _add(plan: Plan, ask: Ask, found: Found) -> None:
    """Add the queries of one series to the plan."""

    def query(metric: str, statistic: str, period: int) -> int:
        asked = Query(ask.source.namespace, metric, found.dimensions, statistic, period, ask.frame)
        if asked not in plan.positions:
            plan.positions[asked] = len(plan.queries)
            plan.queries.append(asked)
        return plan.positions[asked]

    step = ask.frame.step
    value = query(found.metric, ask.source.statistic, step)
    counted = (ask.frame.per_bucket > 1 or ask.senders > 1) and not (ask.metric.event_driven or ask.added)
    count = query(found.metric, "SampleCount", step) if counted else None
    total = query(found.total, "Maximum", max(step, TOTAL_PERIOD)) if found.total else None
    plan.asks.append(replace(ask, value=value, count=count, total=total))
