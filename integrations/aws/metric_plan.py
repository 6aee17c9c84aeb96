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
from integrations.aws.metric_sources import (
    Dimensions,
    Listed,
    Scale,
    Source,
    dimensions_of,
    divisor_of,
    fits,
    identity_of,
    published_name,
    sends,
)
from integrations.aws.registry import source_of
from integrations.telemetry.frame import Frame

Listings: TypeAlias = Mapping[Listed, tuple[Dimensions, ...] | Unknown]
"""The series CloudWatch lists for each namespace and metric, or why the list is not known."""


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
    divisor: float | Unknown
    """What its values are divided by, unless `total` has an answer."""
    value: int
    count: int | None = None
    """The query of its sample counts; None where a bucket holds one sample."""
    total: int | None = None
    """The query of the device's memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fetch for a chunk of resources."""

    queries: list[Query] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    gaps: dict[tuple[int, str], Unknown] = field(default_factory=dict)
    """By position of the resource and signal: the first reason why it is not known."""


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
        if source is None or not source.discover:
            continue
        for resource in resources:
            if sends(source, resource):
                found.update(dict.fromkeys(_listings_of(source, resource)))
                if source.total:
                    found[source.namespace, published_name(source.total, resource)] = None
    return list(found)


def _listings_of(source: Source, resource: Resource) -> tuple[Listed, ...]:
    return ((source.namespace, published_name(source.metric, resource)), *source.siblings)


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
        frame = frame_of(window, metric.interval, now)
        due = listings_due(kind, {metric: window}, resources)
        index = {listed: _by_identity(source, listings[listed]) for listed in due}
        for position, resource in enumerate(resources):
            if not sends(source, resource):
                continue
            found = _find(source, resource, index)
            if isinstance(found, Unknown):
                plan.gaps.setdefault((position, metric.signal), found)
            else:
                divisor = divisor_of(source, resource)
                for one in found:
                    _add(plan, Ask(position, metric, source, one.device, frame, divisor, len(plan.queries)), one)
    return plan


Index: TypeAlias = Mapping[Listed, Mapping[str, list[Dimensions]] | Unknown]
"""The series of each listing by the resource they name."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A series that exists, or may."""

    metric: str
    device: str
    dimensions: Dimensions
    total: str = ""
    """The metric that holds the device's memory, where one is listed."""


def _by_identity(source: Source, series: tuple[Dimensions, ...] | Unknown) -> Mapping[str, list[Dimensions]] | Unknown:
    if isinstance(series, Unknown):
        return series
    found: dict[str, list[Dimensions]] = {}
    for dimensions in series:
        if fits(source, dimensions):
            found.setdefault(dict(dimensions)[source.identity], []).append(dimensions)
    return found


def _find(source: Source, resource: Resource, index: Index) -> list[_Found] | Unknown:
    """Return the series of `source` that the resource has, or why they are not known."""
    divisor = divisor_of(source, resource)
    if isinstance(divisor, Unknown) and source.scale is not Scale.OF_TOTAL:
        return divisor
    name = published_name(source.metric, resource)
    if not source.discover:
        dimensions = dimensions_of(source, resource)
        return dimensions if isinstance(dimensions, Unknown) else [_Found(name, "", dimensions)]
    identity = identity_of(source, resource)
    if isinstance(identity, Unknown):
        return identity
    all_dimensions: dict[Dimensions, None] = {}
    for listed in _listings_of(source, resource):
        by_identity = index[listed]
        if isinstance(by_identity, Unknown):
            return by_identity
        all_dimensions.update(dict.fromkeys(by_identity.get(identity, ())))
    found = [_Found(name, dict(d).get(source.device, ""), d) for d in sorted(all_dimensions)]
    return _with_totals(found, source, resource, index) if source.total else found


def _with_totals(found: list[_Found], source: Source, resource: Resource, index: Index) -> list[_Found] | Unknown:
    """Return the series with the metric that holds their 100%, or why it is not known of one of them."""
    total = published_name(source.total, resource)
    by_identity = index[source.namespace, total]
    listed = () if isinstance(by_identity, Unknown) else by_identity.get(str(identity_of(source, resource)), ())
    nominal = divisor_of(source, resource)
    if isinstance(nominal, Unknown) and any(one.dimensions not in listed for one in found):
        if isinstance(by_identity, Unknown):
            return by_identity
        return Unknown(nominal.reason, f"nothing sends {source.total}: {nominal.detail}", source.total)
    return [replace(one, total=total) if one.dimensions in listed else one for one in found]


def _add(plan: Plan, ask: Ask, found: _Found) -> None:
    """Add the queries of one series to the plan."""

    def query(metric: str, statistic: str, period: int) -> int:
        plan.queries.append(Query(ask.source.namespace, metric, found.dimensions, statistic, period, ask.frame))
        return len(plan.queries) - 1

    step = ask.frame.step
    value = query(found.metric, ask.source.statistic, step)
    counted = ask.frame.per_bucket > 1 and not ask.metric.event_driven
    count = query(found.metric, "SampleCount", step) if counted else None
    total = query(found.total, "Maximum", max(step, TOTAL_PERIOD)) if found.total else None
    plan.asks.append(replace(ask, value=value, count=count, total=total))
