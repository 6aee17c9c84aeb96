"""
Attach CloudWatch telemetry to the resources of one kind and region.

The inventory calls `CloudWatchTelemetry.attach` for each chunk it has read. Lists of metrics are read
once a region; data points come in batches of up to 500 series. What cannot be read becomes a gap
`metrics.<signal>` of the resources concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock

from engine.kinds import Kind
from engine.model import Asked, KindNeeds, Resource, Series
from engine.values import Unknown
from integrations.aws.metric_fetch import Client, Lists, attempt, data_of
from integrations.aws.metric_plan import Ask, Plan, listings_due, plan_queries, wanted_metrics
from integrations.aws.metric_query import batches
from integrations.aws.metric_sources import Scale
from integrations.aws.registry import aws_kinds
from integrations.telemetry.attaching import SourcesTelemetry
from integrations.telemetry.grid import Buckets, merged, sample_counts, scaled, series_of
from integrations.telemetry.port import Device, Measured

METRIC_PRICE = Decimal("0.00001")
"""
USD for each metric that GetMetricData is asked for: $0.01 for 1,000, outside the free tier
(https://aws.amazon.com/cloudwatch/pricing/, 2026-11).

Each statistic is counted: the page counts up to five of one metric in one call as one, but bills have been seen that
do not (https://github.com/prometheus/cloudwatch_exporter/pull/482).
"""
Answers = Sequence[Buckets | Unknown]
"""What came of each query of a plan."""


class CloudWatchTelemetry:
    """Telemetry from CloudWatch; safe to use from several threads."""

    def __init__(self, client_for: Callable[[str], Client], now: datetime, max_workers: int = 4) -> None:
        """
        Args:
            client_for: returns the CloudWatch client of a region; it is neither kept nor closed here.
            now: the end of every window, with a zone.
            max_workers: how many calls one `attach` makes at the same time.
        """
        self._client_for = client_for
        self._now = now
        self._max_workers = max_workers
        self._lists = Lists(client_for)
        self._asked: dict[tuple[str, str], int] = {}
        self._asking = Lock()
        self._kinds: Mapping[str, Kind] = {kind.name: kind for kind in aws_kinds()}

    @property
    def name(self) -> str:
        return "cloudwatch"

    def report(self) -> None:
        """Return nothing: what CloudWatch does not answer is a gap of the resources concerned."""
        return

    def attach(self, resources: list[Resource], need: KindNeeds, region: str) -> list[Resource]:
        """Return the resources, in order, with the series that `need` asks for; all are of one kind."""
        return SourcesTelemetry(self._kinds, (self,)).attach(resources, need, region)

    def measure(self, kind: Kind, resources: Sequence[Resource], need: KindNeeds, region: str) -> list[Measured]:
        """Return what CloudWatch knows of each resource, in order."""
        wanted = wanted_metrics(kind, need)
        listed = listings_due(kind, wanted, resources)
        with ThreadPoolExecutor(self._max_workers) as pool:
            found = pool.map(lambda one: self._lists.series(region, one), listed)
            plan = plan_queries(kind, wanted, resources, dict(zip(listed, found, strict=True)), self._now)
            self._count(kind.name, region, len(plan.queries))
            answers = self._fetch(plan, region, pool)
        telemetry = _read(plan, answers)
        return [_measured(telemetry.get(position, _Telemetry())) for position in range(len(resources))]

    def asked(self, kind: str, region: str) -> Asked:
        """Return how many metrics GetMetricData was asked for, and what AWS takes for them."""
        metrics = self._asked.get((kind, region), 0)
        return Asked(metrics, metrics * METRIC_PRICE)

    def _count(self, kind: str, region: str, metrics: int) -> None:
        with self._asking:
            self._asked[kind, region] = self._asked.get((kind, region), 0) + metrics

    def _fetch(self, plan: Plan, region: str, pool: ThreadPoolExecutor) -> Answers:
        """Return the answer to each query of the plan."""

        def read(batch: list[int]) -> list[Buckets | Unknown]:
            queries = [plan.queries[position] for position in batch]
            found = attempt(lambda: data_of(self._client_for(region), queries), "cloudwatch:GetMetricData")
            return [found] * len(batch) if isinstance(found, Unknown) else found

        due = batches(plan.queries)
        answers: list[Buckets | Unknown] = [()] * len(plan.queries)
        for batch, found in zip(due, pool.map(read, due), strict=True):
            for position, answer in zip(batch, found, strict=True):
                answers[position] = answer
        return answers


@dataclass(frozen=True, slots=True)
class _Telemetry:
    """What is known of one resource."""

    series: dict[str, list[Series]] = field(default_factory=dict)
    gaps: dict[str, Unknown] = field(default_factory=dict)


def _read(plan: Plan, answers: Answers) -> Mapping[int, _Telemetry]:
    """Return the series and gaps of each resource, by position."""
    found: dict[int, _Telemetry] = {}
    for (position, signal), gap in plan.gaps.items():
        found.setdefault(position, _Telemetry()).gaps.setdefault(signal, gap)
    for ask in plan.asks:
        telemetry = found.setdefault(ask.resource, _Telemetry())
        series = _series(ask, answers)
        if isinstance(series, Unknown):
            telemetry.gaps.setdefault(ask.metric.signal, series)
        elif series is not None:
            telemetry.series.setdefault(ask.metric.name, []).append(series)
    return found


def _series(ask: Ask, answers: Answers) -> Series | Unknown | None:
    """
    Return the series of one ask, or why it cannot be read; None where nothing was sent.

    Lists name series for two weeks after their last sample, such as those of devices the machine had
    before it was resized; a series without a sample in the window is not one of the resource's now.
    """
    values = answers[ask.value]
    if isinstance(values, Unknown):
        return values
    if all(value is None for value in values):
        return None
    factor = _factor(ask, answers)
    if isinstance(factor, Unknown):
        return factor
    series = series_of(ask.metric, ask.device, ask.frame, scaled(values, factor), ask.source.text)
    if ask.count is None:
        return series
    counts = answers[ask.count]
    if isinstance(counts, Unknown):
        return counts
    return replace(series, samples=sample_counts(values, counts, ask.frame.per_bucket))


def _factor(ask: Ask, answers: Answers) -> float | Unknown:
    """Return what published values are multiplied by."""
    if ask.total is not None:
        totals = answers[ask.total]
        if isinstance(totals, Unknown):
            return totals
        highest = max((value for value in totals if value is not None), default=0.0)
        if highest > 0:
            return 100 / highest
    if isinstance(ask.divisor, Unknown):
        return ask.divisor
    return (100 if ask.source.scale is Scale.OF_TOTAL else 1) / ask.divisor


def _measured(telemetry: _Telemetry) -> Measured:
    found = [series for all_series in telemetry.series.values() for series in merged(all_series)]
    return Measured(tuple((Device(series.device), series) for series in found), telemetry.gaps)
