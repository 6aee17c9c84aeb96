"""One resource and what an `idle` check asks of it: which metrics are read, and over which time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from engine.checks.context import Context
from engine.checks.idle_devices import Observed
from engine.kinds import Kind, Metric
from engine.model import Resource
from engine.policy.checks import Idle, Quantity
from engine.telemetry import FEWEST_BUCKETS, Window, WindowReading, believable_windows, path_of
from engine.units import format_duration
from engine.values import Reason, Unknown

PROCESSORS = {"cpu.utilization": Quantity(value=20.0, unit="percent", text="20%")}
"""
What protects a machine with accelerators where the policy does not say: a fifth of its processors at work in
any bucket. Without work they take less than 3%, and a process that waits busily takes one processor of many.
"""
ONE = Quantity(value=1.0, unit="", text="1")
OWNERS = {"sessions.active": ONE, "jobs.running": ONE, "node.cordoned": ONE}
"""
What protects any machine where the policy does not say: somebody at its terminal, a job that holds it, and a node
that somebody took out of service. They are optional: where nothing sends them, they protect nothing.
"""
VIDEO = Quantity(value=5.0, unit="percent", text="5%")
"""Use of the video engines from which on they work."""


@dataclass(frozen=True, slots=True)
class Look:
    """The question of one policy about one resource."""

    resource: Resource
    kind: Kind
    check: Idle
    context: Context

    @property
    def window(self) -> Window:
        return Window.ending(self.context.now, self.check.window, float(self.check.coverage))

    def observe(self, metric: Metric, threshold: Quantity) -> Observed:
        """
        Return the readings of `metric`, over a window that holds enough of its buckets.

        What shows no work is known only where no sample is missing: the missing one may have been one of work.
        """
        length = protected_window(self.check, metric)
        window = Window.ending(self.context.now, length, float(self.check.coverage))
        found = believable_windows(
            self.resource, self.kind, metric, window, now=self.context.now, watts=self.context.watts
        )
        seen = Observed(metric, threshold, found)
        return Observed(metric, threshold, {device: self._whole(seen, reading) for device, reading in found.items()})

    def _whole(self, seen: Observed, reading: WindowReading | Unknown) -> WindowReading | Unknown:
        """Return what `reading` shows if the samples that are missing were at work, and were not."""
        if isinstance(reading, Unknown) or timedelta(seconds=reading.unseen) <= self.check.unseen:
            return reading
        if seen.level(reading) >= seen.threshold.value:
            return replace(reading, low=0.0)
        detail = f"{format_duration(timedelta(seconds=reading.unseen))} of it unseen by {reading.source}"
        return Unknown(Reason.INSUFFICIENT_SAMPLES, detail, path_of(seen.metric, reading.device))

    def below(self) -> list[Observed]:
        """Return the metrics that the policy compares."""
        return [self.observe(self.kind.metric_by_name[name], limit) for name, limit in self.check.below.items()]

    def glance(self, metric: Metric) -> Observed:
        """Return the readings of a metric of which nothing but whether it is known matters."""
        return self.observe(metric, VIDEO)

    def beside(self) -> list[Observed]:
        """Return what is read of accelerators beside: it can show work, and never rest."""
        found = [m for m in beside_metrics(self.check, self.kind) if m.signal == "video"]
        return [one for one in (self.observe(metric, VIDEO) for metric in found) if one.readings]

    def protecting(self) -> list[Observed]:
        """Return what shows that something else is at work."""
        return [
            self.observe(self.kind.metric_by_name[name], limit)
            for name, limit in protections(self.check, self.kind).items()
        ]


def beside_metrics(check: Idle, kind: Kind) -> tuple[Metric, ...]:
    """Return the metrics that not every source has, and that are read where one has them."""
    devices = {kind.metric_by_name[name].devices for name in check.below}
    found = (m for m in kind.metrics if m.optional and m.devices)
    return tuple(m for m in found if m.devices in devices and m.name not in check.below)


def protections(check: Idle, kind: Kind) -> dict[str, Quantity]:
    """Return what protects resources of `kind` from being acted on, with the value from which on it does."""
    if check.protect_while is not None:
        return {name: limit for name, limit in check.protect_while.items() if name in kind.metric_by_name}
    signals = {kind.metric_by_name[name].signal for name in check.below}
    speaks_of_work = "requests" in signals or not any(kind.metric_by_name[name].devices for name in check.below)
    defaults, known = OWNERS if speaks_of_work else {**PROCESSORS, **OWNERS}, kind.metric_by_name
    return {name: q for name, q in defaults.items() if name in known and known[name].signal not in signals}


def protected_window(check: Idle, metric: Metric) -> timedelta:
    """Return the time over which `metric` is read: the policy's, or as much as three buckets need."""
    return max(check.window, timedelta(seconds=FEWEST_BUCKETS * metric.interval))
