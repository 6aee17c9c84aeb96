"""What checks are given beside the resource, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TypeAlias

from engine.checks.faults import faults_of
from engine.commitments import Commitment
from engine.expr.env import Env
from engine.expr.fused import Code
from engine.findings import NO_BASIS, Basis, Confidence, Evidence, Idleness
from engine.kinds import Catalog, Kind, Metric
from engine.model import Resource
from engine.prices import PriceBook
from engine.telemetry import Window, WindowReading, believable_windows
from engine.values import Reason, Truth, Unknown


@dataclass(frozen=True)
class Context:
    """The run's constants: everything a decision depends on beside policy and resource."""

    now: datetime
    catalog: Catalog
    prices: PriceBook
    watts: Mapping[str, float]
    """Upper bound of a GPU model's power at rest with a context held, in watts."""
    zones: Callable[[str], tzinfo]
    commitments: tuple[Commitment, ...] = ()
    """What is paid for, used or not; empty where there is nothing of the kind, or nobody asked."""

    def env(self) -> Env:
        """Return what expressions may ask for."""
        return Env(now=self.now, cost=self.hourly_cost, metric=self.metric)

    def hourly_cost(self, resource: Resource) -> Decimal | Unknown:
        cost = self.prices.cost_of(resource.usage, resource.region)
        return cost if isinstance(cost, Unknown) else cost.hourly

    def metric(self, resource: Resource, function: str, name: str, length: timedelta) -> float | Unknown:
        """Return `function` of metric `name` over all devices of `resource`; Unknown if any device is, or is broken."""
        kind = self.catalog.kinds[resource.kind]
        metric, window = kind.metric_by_name[name], Window.ending(self.now, length)
        fault = self._fault(resource, kind, metric, window)
        if fault is not None:
            return fault
        found = believable_windows(resource, kind, metric, window, now=self.now, watts=self.watts)
        readings: list[WindowReading] = []
        for reading in found.values():
            if isinstance(reading, Unknown):
                return reading
            readings.append(reading)
        if not readings:
            return Unknown(Reason.NOT_COLLECTED, "the resource has no such device", f"metrics.{name}")
        match function:
            case "max":
                return max(r.peak for r in readings)
            case "min":
                return min(r.low for r in readings)
            case "sum":
                return sum(r.total for r in readings)
            case _:
                return sum(r.mean for r in readings) / len(readings)

    @staticmethod
    def _fault(resource: Resource, kind: Kind, metric: Metric, window: Window) -> Unknown | None:
        """Return which device is broken: what a broken one sends says nothing of work."""
        if metric.optional or metric.devices not in {m.devices for m in kind.metrics if m.signal == "health"}:
            return None
        broken = next((f for f in faults_of(resource, kind, window).values() if f.new), None)
        if broken is None:
            return None
        return Unknown(
            Reason.SOURCE_ERROR, f"device {broken.device} is broken: {broken.text}", f"metrics.{metric.name}"
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """A check's answer about a resource, before `where` and `unless` are considered."""

    violated: Truth
    summary: str
    evidence: tuple[Evidence, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    classification: str = ""
    confidence: Confidence = Confidence.HIGH
    actionable: bool = True
    basis: Basis = NO_BASIS
    idleness: Idleness | None = None


Decide: TypeAlias = Callable[[Resource], Truth]
"""The fast half of a check: violated or not, without saying why."""
Judge: TypeAlias = Callable[[Resource], Judgement]
"""The slow half: the same answer with evidence. Called for what is not compliant, and by `explain`."""


@dataclass(frozen=True, slots=True)
class ResourceCheck:
    """A check compiled for a run."""

    decide: Decide
    judge: Judge
    code: Code | None = None
    """The lines of `decide`, for a check that is nothing but a condition."""
