"""
Samples to readings: one metric over one window, or the reason why the window proves nothing.

A window is not a list of numbers. It is read only when it is well enough covered, fresh enough and
plausible; how well is part of the reading and so of the evidence. The checks call this module; so
do the metric functions of the expression language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.kinds import Kind, Metric
from engine.model import Resource, Series, absence, read_field
from engine.values import Reason, Unknown

COVERAGE = 90.0
"""Percent of the expected samples a metric function of an expression asks for."""
FRESH = timedelta(minutes=10)
"""The newest sample may be this old at the end of the window, or three source intervals, or one bucket."""
FROZEN_SAMPLES = 20
"""So many identical samples of something that always moves are a stopped exporter, not a quiet machine."""
FEWEST_BUCKETS = 3
"""A window into which fewer buckets fit cannot show a duration."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time a check looks at, half-open: `[start, end)`."""

    start: datetime
    end: datetime
    coverage: float = COVERAGE
    """Percent of the expected samples that must be there."""

    @classmethod
    def ending(cls, now: datetime, length: timedelta, coverage: float = COVERAGE) -> Window:
        return cls(now - length, now, coverage)


@dataclass(frozen=True, slots=True)
class WindowReading:
    """What one series shows over a window that it covers well enough."""

    device: str
    peak: float
    low: float
    mean: float
    total: float
    expected: int
    """Source samples the window should hold."""
    got: int
    first: datetime
    """Start of the first bucket with a sample."""
    last: datetime
    """End of the last one."""
    source: str
    raw: tuple[float, float] | None = None
    """Lowest and highest value as sent, where the reading was computed from another metric."""

    def provenance(self) -> str:
        """Return source, coverage and period for a person."""
        span = f"{self.first:%H:%M}-{self.last:%H:%M} UTC"
        return f"{self.source}, {self.got:,} of {self.expected:,} samples, {span}"


def read_window(series: Series, window: Window, path: str) -> WindowReading | Unknown:
    """Return what `series` shows over `window`, or why it shows nothing."""
    step = timedelta(seconds=series.step)
    offset = (window.start - series.start) / step
    first = math.ceil(offset)
    stop = math.floor((window.end - series.start) / step)
    buckets = stop - first
    if buckets < FEWEST_BUCKETS:
        return Unknown(Reason.INSUFFICIENT_SAMPLES, f"a window holds only {max(buckets, 0)} buckets of {step}", path)
    if any(value is not None for value in series.values[max(stop + 1, 0) :]):
        return Unknown(Reason.FUTURE_TIMESTAMP, "samples are dated after the end of the window", path)
    present = [
        (index, value)
        for index, value in enumerate(series.values[max(first, 0) : max(stop, 0)], start=max(first, 0))
        if value is not None and math.isfinite(value)
    ]
    return _judge_samples(series, window, path, present, buckets)


def _judge_samples(
    series: Series, window: Window, path: str, present: list[tuple[int, float]], buckets: int
) -> WindowReading | Unknown:
    per_bucket = max(series.step // series.interval, 1)
    expected = buckets * per_bucket
    if series.samples is None:
        got = len(present)
        expected = buckets
    else:
        got = sum(min(series.samples[index], per_bucket) for index, _ in present)
    if not present:
        return Unknown(Reason.INSUFFICIENT_SAMPLES, f"0 of {expected:,} samples from {series.source}", path)
    step = timedelta(seconds=series.step)
    last = series.start + (present[-1][0] + 1) * step
    allowed = max(FRESH, 3 * timedelta(seconds=series.interval), step)
    if window.end - last > allowed:
        minutes = int((window.end - last).total_seconds() // 60)
        return Unknown(Reason.STALE, f"the newest sample of {series.source} is {minutes} minutes old", path)
    if got * 100 < expected * window.coverage:
        return Unknown(
            Reason.INSUFFICIENT_SAMPLES,
            f"{got:,} of {expected:,} samples from {series.source}, {window.coverage:g}% needed",
            path,
        )
    values = [value for _, value in present]
    return WindowReading(
        device=series.device,
        peak=max(values),
        low=min(values),
        mean=math.fsum(values) / len(values),
        total=math.fsum(values),
        expected=expected,
        got=got,
        first=series.start + present[0][0] * step,
        last=last,
        source=series.source,
    )


def frozen(reading: WindowReading, metric: Metric) -> bool:
    """
    Return whether the samples look like a last value repeated by a stopped exporter.

    A resting GPU keeps utilisation and memory still, so those prove nothing at 0. Power drawn, in
    fractions of a watt, never repeats; neither does utilisation strictly between rest and
    saturation. Whole watts are left alone: some sources round, and 15 W can last for hours.
    """
    low, peak = reading.raw or (reading.low, reading.peak)
    if reading.got < FROZEN_SAMPLES or peak != low:
        return False
    if metric.signal == "power":
        return not float(peak).is_integer()
    return metric.signal == "compute" and 0 < peak < 99.5


def expected_devices(resource: Resource, kind: Kind, metric: Metric, now: datetime) -> int | Unknown:
    """Return how many series of `metric` the resource should have."""
    if not metric.devices:
        return 1
    group = kind.field_by_name[metric.devices].group
    count = read_field(resource, metric.devices, group, now)
    if isinstance(count, Unknown):
        return count
    if isinstance(count, bool) or not isinstance(count, int | float):
        return Unknown(Reason.WRONG_TYPE, repr(count), f"resource.{metric.devices}")
    return math.ceil(count)


def metric_windows(
    resource: Resource,
    kind: Kind,
    metric: Metric,
    window: Window,
    *,
    now: datetime,
    watts: Mapping[str, float],
) -> dict[str, WindowReading | Unknown]:
    """
    Return the reading of each expected device of `metric`, by device.

    Devices that should be there and sent nothing are present as `Unknown` under a name of their own.
    """
    expected = expected_devices(resource, kind, metric, now)
    if isinstance(expected, Unknown):
        return {"?": expected}
    source = kind.metric_by_name[metric.derived_from] if metric.derived_from else metric
    found: dict[str, WindowReading | Unknown] = {}
    for series in resource.metrics.get(source.name, ()):
        path = path_of(metric, series.device)
        if series.device in found:
            found[series.device] = Unknown(Reason.SOURCE_ERROR, "two series for one device", path)
        else:
            found[series.device] = read_window(series, window, path)
    if metric.event_driven:
        _fill_quiet(found, resource, kind, metric, window, expected)
    _add_silent(found, resource, metric, source, expected)
    if metric.derived_from:
        return _over_idle(found, resource, kind, metric, now, watts)
    return found


def path_of(metric: Metric, device: str) -> str:
    return f"{metric.name}[{device}]" if device else metric.name


def _add_silent(
    found: dict[str, WindowReading | Unknown],
    resource: Resource,
    metric: Metric,
    source: Metric,
    expected: int,
) -> None:
    """Add an Unknown for each expected device without a series."""
    silent = expected - len(found)
    if silent <= 0:
        return
    gap = absence(resource, f"metrics.{source.signal}", metric.name)
    for number in range(silent):
        if gap.reason is not Reason.MISSING:
            unknown = gap
        elif found:
            unknown = Unknown(
                Reason.INSUFFICIENT_SAMPLES,
                f"{expected - silent} of {expected} devices send {source.name}",
                metric.name,
            )
        else:
            unknown = Unknown(Reason.NOT_COLLECTED, f"nothing sends {source.name} for this resource", metric.name)
        found[f"?{number}" if expected > 1 else "?"] = unknown


def _fill_quiet(
    found: dict[str, WindowReading | Unknown],
    resource: Resource,
    kind: Kind,
    metric: Metric,
    window: Window,
    expected: int,
) -> None:
    """
    Read silence of an event-driven metric as zero where another metric shows its source to be alive.

    AWS sends `Invocations` only when there are some; the hardware metrics of the same endpoint come
    every minute. Without such a witness, silence is not zero.
    """
    if f"metrics.{metric.signal}" in resource.gaps:
        return
    for witness in kind.metrics:
        if witness.event_driven or witness.derived_from or witness.devices != metric.devices:
            continue
        for series in resource.metrics.get(witness.name, ()):
            alive = read_window(series, window, path_of(witness, series.device))
            if isinstance(alive, Unknown):
                continue
            known = found.get(series.device)
            if known is None and len(found) < expected:
                found[series.device] = _quiet(alive, metric, 0.0, 0.0)
            elif isinstance(known, Unknown) and known.reason is not Reason.FUTURE_TIMESTAMP:
                sent = _sum_of(resource.metrics.get(metric.name, ()), series.device, window)
                found[series.device] = _quiet(alive, metric, *sent)


def _quiet(alive: WindowReading, metric: Metric, peak: float, total: float) -> WindowReading:
    return WindowReading(
        device=alive.device,
        peak=peak,
        low=0.0,
        mean=0.0 if not total else total / max(alive.expected, 1),
        total=total,
        expected=alive.expected,
        got=alive.got,
        first=alive.first,
        last=alive.last,
        source=f"{metric.name} is sent only on events; alive by {alive.source}",
    )


def _sum_of(all_series: Iterable[Series], device: str, window: Window) -> tuple[float, float]:
    """Return peak and total of the samples of an event-driven series inside the window."""
    values = [
        value
        for series in all_series
        if series.device == device
        for index, value in enumerate(series.values)
        if value is not None
        and math.isfinite(value)
        and window.start <= series.start + index * timedelta(seconds=series.step) < window.end
    ]
    return (max(values), math.fsum(values)) if values else (0.0, 0.0)


def _over_idle(
    found: dict[str, WindowReading | Unknown],
    resource: Resource,
    kind: Kind,
    metric: Metric,
    now: datetime,
    watts: Mapping[str, float],
) -> dict[str, WindowReading | Unknown]:
    """Turn watts into percent above what the GPU model draws at rest with a context held."""
    model = read_field(resource, "accelerator.model", kind.field_by_name["accelerator.model"].group, now)
    if isinstance(model, Unknown):
        return dict.fromkeys(found, Unknown(model.reason, "the GPU model is not known", metric.name))
    rest = watts.get(str(model))
    if rest is None:
        unknown = Unknown(Reason.NOT_COLLECTED, f"no resting power is known for `{model}`", metric.name)
        return dict.fromkeys(found, unknown)
    return {
        device: reading if isinstance(reading, Unknown) else _rescaled(reading, rest)
        for device, reading in found.items()
    }


def _rescaled(reading: WindowReading, rest: float) -> WindowReading:
    def percent(value: float) -> float:
        return (value / rest - 1) * 100

    return WindowReading(
        device=reading.device,
        peak=percent(reading.peak),
        low=percent(reading.low),
        mean=percent(reading.mean),
        total=reading.total,
        expected=reading.expected,
        got=reading.got,
        first=reading.first,
        last=reading.last,
        source=f"{reading.source}; at rest up to {rest:g} W, peak {reading.peak:.1f} W",
        raw=(reading.low, reading.peak),
    )
