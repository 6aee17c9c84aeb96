"""`/metrics`: what Prometheus reads. Worked out from the view when it is asked for; only latencies are counted here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client import Counter as PromCounter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bursar.server.keeper import Keeper
from bursar.server.view import View
from bursar.version import __version__
from engine.acting.savings import totals

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0)
"""Seconds; 0.3 is what an answer may take."""


@dataclass(frozen=True)
class Meters:
    """The registry of one server; there is no global one."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    seconds: Histogram = field(init=False)
    runs: PromCounter = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "seconds", Histogram(
            "bursar_http_request_duration_seconds", "How long answers took.", ("route", "method", "status"),
            registry=self.registry, buckets=BUCKETS,
        ))  # fmt: skip
        put(self, "runs", PromCounter(
            "bursar_scheduled_runs", "Runs this server started, by how they ended.", ("exit_status",),
            registry=self.registry,
        ))  # fmt: skip

    def watch(self, keeper: Keeper, clock: Callable[[], datetime]) -> None:
        """Show what the view of `keeper` says."""
        self.registry.register(_OfView(keeper, clock))

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self.seconds.labels(route, method, str(status)).observe(seconds)

    def ran(self, status: int) -> None:
        self.runs.labels(str(status)).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)


@dataclass(frozen=True, eq=False)
class _OfView(Collector):
    keeper: Keeper
    clock: Callable[[], datetime]

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: what is registered is not asked for before there is a view."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield _labelled("bursar_build_info", "The release.", ("version",), {(__version__,): 1})
        view = self.keeper.view
        yield _gauge("bursar_state_up", "Whether the state could be read at the last look.",
                     view is not None and not self.keeper.trouble)  # fmt: skip
        if view is None:
            return
        yield from figures_of_findings(view)
        yield from _runs(view)
        yield from _savings(view, self.clock())
        yield from _coverage(view)
        yield _labelled("bursar_approvals", "Approvals by where they stand.", ("status",),
                        Counter((one.status.value,) for one in view.approvals))  # fmt: skip
        yield _labelled("bursar_actions", "Acts by remediation and how far they have come.",
                        ("remediation", "status"),
                        Counter((one.remediation, one.status.value) for one in view.acts))  # fmt: skip
        yield _gauge("bursar_frozen", "Whether all acting is stopped.", view.freeze is not None)
        yield _gauge("bursar_ledger_entries", "Entries of the ledger.", view.head.serial)
        if self.keeper.looked is not None:
            yield _gauge("bursar_view_timestamp_seconds", "When the state was last looked at.",
                         self.keeper.looked.timestamp())  # fmt: skip
        yield _gauge("bursar_view_build_seconds", "How long reading all of it took.", self.keeper.seconds)


def figures_of_findings(view: View) -> list[Metric]:
    """Return what is counted over all findings: once for each view."""
    if "meters" not in view.memo:
        view.memo["meters"] = list(_findings(view))
    found: list[Metric] = view.memo["meters"]
    return found


def _findings(view: View) -> Iterator[Metric]:
    counts: Counter[tuple[str, ...]] = Counter()
    cost: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    savings: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    unpriced: Counter[tuple[str, ...]] = Counter()
    for row in view.rows.values():
        counts[row.policy, row.status.value, row.severity or "unknown"] += 1
        if not row.current:
            continue
        key = (row.policy,)
        cost[key] += row.cost or 0
        savings[key] += row.savings or 0
        unpriced[key] += row.cost is None
    labels = ("policy", "status", "severity")
    yield _labelled("bursar_findings", "Findings by where they stand.", labels, counts)
    yield _labelled("bursar_findings_monthly_cost_dollars", "What resources with current findings cost a month.",
                    ("policy",), cost)  # fmt: skip
    yield _labelled("bursar_findings_monthly_savings_dollars", "What their remediations would save a month.",
                    ("policy",), savings)  # fmt: skip
    yield _labelled("bursar_findings_unpriced", "Current findings whose cost is not known.", ("policy",), unpriced)


def _runs(view: View) -> Iterator[Metric]:
    runs = CounterMetricFamily("bursar_runs", "Runs in the state, by how they ended.", labels=("status",))
    for status, count in sorted(Counter(run.status for run in view.runs).items()):
        runs.add_metric((status,), count)
    yield runs
    last = view.last_run
    if last is None or last.finished is None:
        return
    yield _gauge("bursar_last_run_timestamp_seconds", "When the last run came to its end.", last.finished.timestamp())
    yield _gauge("bursar_last_run_duration_seconds", "How long it took.", (last.finished - last.began).total_seconds())
    yield _gauge("bursar_last_run_failed", "Whether an act of it failed.", last.status == "failed")
    yield _gauge("bursar_last_run_held", "How many reasons held acts of it back.", len(last.held))
    yield _gauge("bursar_last_run_undecided", "Verdicts of it that could not be given.", last.undecided)
    yield _gauge("bursar_last_run_resources", "Resources it looked at.", last.resources)


def _savings(view: View, now: datetime) -> Iterator[Metric]:
    realised = CounterMetricFamily(
        "bursar_realised_savings_dollars", "What acts have saved, as it turned out.", labels=("policy",)
    )
    found = totals(view.savings, now)
    for policy, total in found.items():
        realised.add_metric((policy,), float(total.realised))
    yield realised
    yield _labelled("bursar_running_savings_monthly_dollars", "What acts go on to save a month.", ("policy",),
                    {(policy,): total.monthly for policy, total in found.items()})  # fmt: skip


def _coverage(view: View) -> Iterator[Metric]:
    gaps = len(view.last_run.gaps) if view.last_run else 0
    yield _gauge("bursar_coverage_gaps", "Scopes that the last run could not read completely.", gaps)
    if view.figures is None:
        return
    kinds: Counter[tuple[str, ...]] = Counter()
    for scope in view.figures.scopes:
        kinds[(scope.scope.rpartition("/")[2],)] += scope.resources
    yield _labelled("bursar_resources", "Resources by kind, in scopes that were read completely.", ("kind",), kinds)
    yield _labelled("bursar_policy_undecided", "Resources a policy cannot decide about.", ("policy",),
                    {(one.policy,): one.unknown for one in view.figures.policies})  # fmt: skip


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _labelled(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, Decimal | int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, float(value))
    return family
