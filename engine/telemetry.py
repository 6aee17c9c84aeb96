"""
Samples to readings: one metric over one window, or the reason why the window proves nothing.

A window is not a list of numbers. It is read only when it is well enough covered, fresh enough and
plausible; how well is part of the reading and so of the evidence. The checks call this module; so
do the metric functions of the expression language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.kinds import Kind, Metric
from engine.model import Resource, Series, absence, read_field
from engine.values import Answer, Reason, Unknown

COVERAGE = 90.0
"""Percent of the expected samples a metric function of an expression asks for."""
FRESH = timedelta(minutes=10)
"""
The newest sample may be this old at the end of the window, or three source intervals, or one bucket.
As long after the end samples are left aside that came while the estate was being read; later ones show
a clock that is wrong.
"""
FROZEN_SAMPLES = 20
"""So many identical samples of something that always moves are a stopped exporter, not a quiet machine."""
LEAST_WATTS = 1.0
"""No accelerator that is on draws less: what says so is broken, or counts in kilowatts."""
MOST_WATTS = 3_000.0
"""No accelerator draws as much; a number above it is in milliwatts, or a counter that jumped."""
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
    steady: int = 0
    """How long the newest value has been the same, in buckets with or without a sample."""
    raw: tuple[float, float, float] | None = None
    """Lowest, highest and newest value as sent."""
    unseen: int = 0
    """
    Seconds before the newest sample of which nothing is known: work may have been there. What follows the
    newest sample is not among them, because sources deliver late; it is looked at again before an act.
    """

    def provenance(self) -> str:
        """Return source, coverage and period for a person."""
        span = f"{self.first:%H:%M}-{self.last:%H:%M} UTC"
        return f"{self.source}, {self.got:,} of {self.expected:,} samples, {span}"


def read_window(series: Series, window: Window, path: str, unit: str = "") -> WindowReading | Unknown:
    """
    Return what `series` shows over `window`, or why it shows nothing.

    Coverage is that of the buckets that lie wholly in the window. A last bucket that has only begun
    counts too for what it shows: work in it is work.
    """
    step = timedelta(seconds=series.step)
    first = math.ceil((window.start - series.start) / step)
    end = (window.end - series.start) / step
    stop = math.floor(end)
    buckets = stop - first
    if buckets < FEWEST_BUCKETS:
        return Unknown(Reason.INSUFFICIENT_SAMPLES, f"a window holds only {max(buckets, 0)} buckets of {step}", path)
    late = math.ceil((window.end + FRESH - series.start) / step)
    if any(value is not None for value in series.values[max(late, 0) :]):
        return Unknown(Reason.FUTURE_TIMESTAMP, "samples are dated after the end of the window", path)
    start = max(first, 0)
    present = [
        (index, value)
        for index, value in enumerate(series.values[start : max(math.ceil(end), 0)], start=start)
        if value is not None and _plausible(value, unit)
    ]
    return _judge_samples(series, window, path, present, (first, stop))


def _plausible(value: float, unit: str) -> bool:
    """Return whether `value` can have been measured: nothing is negative, and what runs draws power."""
    return math.isfinite(value) and value >= (LEAST_WATTS if unit == "watt" else 0)


def _judge_samples(
    series: Series, window: Window, path: str, present: list[tuple[int, float]], span: tuple[int, int]
) -> WindowReading | Unknown:
    first, stop = span
    per_bucket = max(series.step // series.interval, 1)
    expected = (stop - first) * per_bucket
    got = sum(_samples(series, index, per_bucket) for index, _ in present if index < stop)
    if not present:
        return Unknown(Reason.INSUFFICIENT_SAMPLES, f"0 of {expected:,} samples from {series.source}", path)
    step = timedelta(seconds=series.step)
    last = min(series.start + (present[-1][0] + 1) * step, window.end)
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
    newest = values[-1]
    changed = next((index for index, value in reversed(present) if value != newest), first - 1)
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
        steady=stop - changed - 1,
        raw=(min(values), max(values), newest),
        unseen=_missing(series, [index for index, _ in present], (first, min(stop, present[-1][0] + 1)))
        * series.interval,
    )


def _missing(series: Series, present: list[int], span: tuple[int, int]) -> int:
    """
    Return how many source samples are missing within `span`.

    Of a bucket that should hold several, one may be missing: scrapes that are due at its edges drift over them.
    """
    first, stop = span
    per_bucket = max(series.step // series.interval, 1)
    if per_bucket == 1:
        return stop - first - sum(_samples(series, index, 1) for index in present if index < stop)
    held = {index: _samples(series, index, per_bucket) for index in present}
    lacking = (per_bucket - held.get(index, 0) for index in range(first, stop))
    return sum(count for count in lacking if count > 1)


def _samples(series: Series, index: int, per_bucket: int) -> int:
    """Return how many source samples a bucket that has a value stands for; one where that is not said."""
    if series.samples is None:
        return 1
    return min(series.samples[index], per_bucket) if index < len(series.samples) else 0


def frozen(reading: WindowReading, metric: Metric) -> bool:
    """
    Return whether the samples look like a last value repeated by a stopped exporter.

    A resting GPU keeps utilisation and memory still, so those prove nothing at 0. Power drawn, in
    fractions of a watt, never repeats for long; utilisation strictly between rest and saturation does
    not for a whole window. Whole watts are left alone: some sources round, and 15 W can last for hours.

    Lengths count, not samples, so that a missing sample never makes a stopped exporter look alive.
    """
    low, peak, newest = reading.raw or (reading.low, reading.peak, reading.peak)
    if metric.signal == "power":
        still = reading.steady >= FROZEN_SAMPLES or (low == peak and reading.expected >= FROZEN_SAMPLES)
        return still and not float(newest).is_integer()
    return metric.signal == "compute" and low == peak and reading.expected >= FROZEN_SAMPLES and 0 < peak < 99.5


def expected_devices(resource: Resource, kind: Kind, metric: Metric, now: datetime) -> int | Unknown:
    """Return how many series of `metric` the resource should have."""
    if not metric.devices:
        return 1
    group = kind.field_by_name[metric.devices].group
    count = read_field(resource, metric.devices, group, now)
    if isinstance(count, Unknown):
        return count
    number = as_count(count)
    if number is None:
        return Unknown(Reason.WRONG_TYPE, repr(count), f"resource.{metric.devices}")
    return math.ceil(number)


def as_count(value: Answer) -> float | Decimal | None:
    """Return a number of things; None where `value` cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return value if math.isfinite(value) and value >= 0 else None


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
    gap = resource.gaps.get(f"metrics.{metric.signal}")
    if metric.optional and gap is not None:
        return {"?": Unknown(gap.reason, gap.detail, metric.name)}
    found: dict[str, WindowReading | Unknown] = {}
    for series in resource.metrics.get(source.name, ()):
        path = path_of(metric, series.device)
        if series.device in found:
            found[series.device] = Unknown(Reason.SOURCE_ERROR, "two series for one device", path)
        elif metric.event_driven and not all(_plausible(value, metric.unit) for value in _inside(series, window)):
            # A sample is sent only when something happened, whatever became of its value.
            found[series.device] = Unknown(Reason.NAN, "an event without a usable value", path)
        else:
            found[series.device] = read_window(series, window, path, source.unit)
    dead = _fill_quiet(found, resource, kind, metric, window, expected) if metric.event_driven else None
    if not metric.optional:
        _add_silent(found, resource, metric, source, expected, dead)
    if metric.derived_from:
        return _over_idle(found, resource, kind, metric, now, watts)
    return found


def believable_windows(
    resource: Resource,
    kind: Kind,
    metric: Metric,
    window: Window,
    *,
    now: datetime,
    watts: Mapping[str, float],
) -> dict[str, WindowReading | Unknown]:
    """Return `metric_windows` without the readings of exporters that have stopped: what decisions rest on."""
    found = metric_windows(resource, kind, metric, window, now=now, watts=watts)
    return {device: _moving(reading, metric) for device, reading in found.items()}


def _moving(reading: WindowReading | Unknown, metric: Metric) -> WindowReading | Unknown:
    if isinstance(reading, Unknown) or metric.event_driven or not frozen(reading, metric):
        return reading
    detail = f"{reading.source} repeats its last value: the exporter looks stopped"
    return Unknown(Reason.STALE, detail, path_of(metric, reading.device))


def path_of(metric: Metric, device: str) -> str:
    return f"{metric.name}[{device}]" if device else metric.name


MOST_SILENT = 64
"""Silent devices that are listed one by one: a resource may say that it has a billion."""


def _add_silent(
    found: dict[str, WindowReading | Unknown],
    resource: Resource,
    metric: Metric,
    source: Metric,
    expected: int,
    dead: Unknown | None,
) -> None:
    """Add an Unknown for each expected device without a series; `dead` is why its silence is not zero."""
    silent = expected - len(found)
    if silent <= 0:
        return
    unknown = absence(resource, f"metrics.{source.signal}", metric.name)
    if unknown.reason is Reason.MISSING and dead is not None:
        detail = f"no {source.name} came, and whether any would have is not known: {dead.detail}"
        unknown = Unknown(dead.reason, detail, metric.name)
    elif unknown.reason is Reason.MISSING and found:
        detail = f"{len(found)} of {expected} devices send {source.name}"
        unknown = Unknown(Reason.INSUFFICIENT_SAMPLES, detail, metric.name)
    elif unknown.reason is Reason.MISSING:
        unknown = Unknown(Reason.NOT_COLLECTED, f"nothing sends {source.name} for this resource", metric.name)
    for number in range(min(silent, MOST_SILENT)):
        found[f"?{number}" if expected > 1 else "?"] = unknown


def _fill_quiet(
    found: dict[str, WindowReading | Unknown],
    resource: Resource,
    kind: Kind,
    metric: Metric,
    window: Window,
    expected: int,
) -> Unknown | None:
    """
    Read silence of an event-driven metric as zero where another metric shows its source to be alive.

    AWS sends `Invocations` only when there are some; the hardware metrics of the same endpoint come
    every minute. Without such a witness, silence is not zero.

    Returns:
        why a witness that is there shows nothing, where one does not.
    """
    dead: Unknown | None = None
    if f"metrics.{metric.signal}" in resource.gaps:
        return dead
    for witness in kind.metrics:
        if witness.event_driven or witness.derived_from or witness.devices != metric.devices:
            continue
        gap = resource.gaps.get(f"metrics.{witness.signal}")
        if gap is not None and gap.reason is not Reason.NOT_COLLECTED:
            dead = gap if dead is None else dead
        for series in resource.metrics.get(witness.name, ()):
            alive = read_window(series, window, path_of(witness, series.device), witness.unit)
            if isinstance(alive, Unknown):
                dead = alive if dead is None else dead
                continue
            if frozen(alive, witness):
                continue
            known = found.get(series.device)
            if (known is None and len(found) < expected) or _only_rare(known):
                found[series.device] = _events(resource.metrics.get(metric.name, ()), alive, metric, window)
    return dead


def _only_rare(known: WindowReading | Unknown | None) -> bool:
    """Return whether a series is unknown for nothing but having few samples."""
    return isinstance(known, Unknown) and known.reason in (Reason.INSUFFICIENT_SAMPLES, Reason.STALE)


def _events(all_series: Iterable[Series], alive: WindowReading, metric: Metric, window: Window) -> WindowReading:
    """Return the events of a device that is known to be alive: those that were sent, and no others."""
    values = [value for series in all_series if series.device == alive.device for value in _inside(series, window)]
    total = math.fsum(values)
    return replace(
        alive,
        peak=max(values, default=0.0),
        low=0.0,
        mean=total / max(alive.expected, 1),
        total=total,
        source=f"{metric.name} is sent only on events; alive by {alive.source}",
        raw=None,
    )


def _inside(series: Series, window: Window) -> list[float]:
    """Return the samples of all buckets that touch the window."""
    step = timedelta(seconds=series.step)
    return [
        value
        for index, value in enumerate(series.values)
        if value is not None and window.start - step < series.start + index * step < window.end
    ]


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
    if rest is None or rest <= 0:
        unknown = Unknown(Reason.NOT_COLLECTED, f"no resting power is known for `{model}`", metric.name)
        return dict.fromkeys(found, unknown)
    return {
        device: reading if isinstance(reading, Unknown) else _rescaled(reading, rest)
        for device, reading in found.items()
    }


def _rescaled(reading: WindowReading, rest: float) -> WindowReading:
    def percent(value: float) -> float:
        return (value / rest - 1) * 100

    return replace(
        reading,
        peak=percent(reading.peak),
        low=percent(reading.low),
        mean=percent(reading.mean),
        source=f"{reading.source}; at rest up to {rest:g} W, peak {reading.peak:.1f} W",
    )
