"""What the loaded policies need of an estate: kinds, field groups and metric windows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from engine.checks.idle_look import beside_metrics, protected_window, protections
from engine.expr.uses import uses
from engine.kinds import Kind, Metric
from engine.model import KindNeeds, Needs
from engine.policy.checks import Encryption, Idle, Quota, Schedule, check_name
from engine.policy.judgeable import ENCRYPTION_FIELDS
from engine.policy.model import Expression, Policy, PolicySet

IDLE_FIELDS = ("running", "launched", "accelerator.count", "accelerator.devices", "accelerator.model", "variants")
"""What `idle` reads beside telemetry, where the kind has it."""
CHARGED_BY = ("instance.type", "instance.count", "volume.size_gib")
"""Fields whose groups also tell what a resource is charged for."""
NO_SOURCE = frozenset({"budget", "unit_cost", "job_approval", "vector_limits"})


@dataclass
class _Wanted:
    """The needs of one kind while they are gathered."""

    kind: Kind
    groups: set[str] = field(default_factory=set)
    metrics: dict[str, timedelta] = field(default_factory=dict)

    def fields(self, *names: str) -> None:
        known = self.kind.field_by_name
        self.groups.update(known[name].group for name in names if name in known)

    def metric(self, metric: Metric, window: timedelta) -> None:
        """Ask for the metric a source has, and for what its reading needs."""
        source = self.kind.metric_by_name[metric.derived_from] if metric.derived_from else metric
        self.metrics[source.name] = max(window, self.metrics.get(source.name, window))
        self.fields(
            *((metric.devices,) if metric.devices else ()), *(("accelerator.model",) if metric.derived_from else ())
        )
        for health in self.kind.metrics:
            if health.signal == "health" and health.devices == metric.devices:
                self.metrics[health.name] = max(window, self.metrics.get(health.name, window))
        if metric.event_driven:
            for witness in self.kind.metrics:
                if not witness.event_driven and not witness.derived_from and witness.devices == metric.devices:
                    self.metrics[witness.name] = max(window, self.metrics.get(witness.name, window))

    def expression(self, expression: Expression) -> None:
        used = uses(expression.node)
        self.fields(*used.fields)
        for name, window in used.metrics.items():
            self.metric(self.kind.metric_by_name[name], window)


def needs_of(policies: PolicySet) -> Needs:
    """
    Return what `policies` need.

    Tags are always among it: a tag may protect a resource. So are the groups that say what a resource
    is charged for: every finding has a cost.
    """
    wanted: dict[str, _Wanted] = {}
    for policy in policies.policies:
        if check_name(policy.check) in NO_SOURCE:
            continue
        for kind in policy.kinds:
            entry = wanted.setdefault(kind.name, _Wanted(kind, {"tags"}))
            entry.fields(*CHARGED_BY)
            _add_check(entry, policy)
            for expression in _expressions(policy):
                entry.expression(expression)
    return Needs(
        {
            name: KindNeeds(frozenset(entry.groups - {"core"}), dict(sorted(entry.metrics.items())))
            for name, entry in sorted(wanted.items())
        }
    )


def _expressions(policy: Policy) -> Iterator[Expression]:
    if policy.where is not None:
        yield policy.where
    yield from policy.unless
    yield from policy.expressions.values()


def _add_check(entry: _Wanted, policy: Policy) -> None:
    match policy.check:
        case Encryption() as check:
            entry.fields(*(field for key, field in ENCRYPTION_FIELDS.items() if getattr(check, key)))
        case Schedule():
            entry.fields("running")
        case Quota() as check:
            if any(limits.accelerators is not None for limits in (check.limits, *check.overrides.values())):
                entry.fields("running", "accelerator.count")
        case Idle() as check:
            entry.fields(*IDLE_FIELDS)
            for name in check.below:
                entry.metric(entry.kind.metric_by_name[name], check.window)
            for metric in (*_protecting(check, entry.kind), *beside_metrics(check, entry.kind)):
                entry.metric(metric, protected_window(check, metric))
            # What is held in memory tells a forgotten process from an empty machine.
            for metric in entry.kind.metrics:
                if metric.signal == "memory":
                    entry.metric(metric, check.window)
        case _:
            pass


def _protecting(check: Idle, kind: Kind) -> list[Metric]:
    return [kind.metric_by_name[name] for name in protections(check, kind)]
