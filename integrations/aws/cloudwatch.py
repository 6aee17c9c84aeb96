"""
Attach CloudWatch telemetry to the resources of one kind and region.

The inventory calls `CloudWatchTelemetry.attach` for each chunk it has read. Lists of metrics are read
once a region; data points come in batches of up to 500 series. What cannot be read becomes a gap
`metrics.<signal>` of the resources concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from threading import Lock

from engine.kinds import Kind
from engine.model import Asked, KindNeeds, Resource
from engine.values import Unknown
from integrations.aws.metric_fetch import Client, Lists, attempt, data_of
from integrations.aws.metric_plan import Plan, listings_due, plan_queries, wanted_metrics
from integrations.aws.metric_query import batches
from integrations.aws.metric_reading import Answers, measurements_of
from integrations.aws.registry import aws_kinds
from integrations.telemetry.attaching import SourcesTelemetry
from integrations.telemetry.grid import Buckets
from integrations.telemetry.port import Measured

METRIC_PRICE = Decimal("0.00001")
"""
USD for each metric that GetMetricData is asked for: $0.01 for 1,000, outside the free tier
(https://aws.amazon.com/cloudwatch/pricing/, 2026-11).

Each statistic is counted: the page counts up to five of one metric in one call as one, but bills have been seen that
do not (https://github.com/prometheus/cloudwatch_exporter/pull/482).
"""


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
        return measurements_of(plan, answers, len(resources))

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
