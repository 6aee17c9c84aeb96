"""
Answers of CloudWatch to series: numbers are checked against what the hardware can do, and parts become the whole.

Pure. What cannot be read of one part is not known of the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from engine.model import Series
from engine.values import Reason, Unknown
from integrations.aws.metric_plan import Ask, Plan
from integrations.aws.metric_scale import SLACK
from integrations.aws.metric_sources import Scale
from integrations.telemetry.grid import Buckets, merged, sample_counts, scaled, series_of
from integrations.telemetry.port import Device, Measured

Answers = Sequence[Buckets | Unknown]
"""What came of each query of a plan."""
Group = tuple[int, str, str]
"""Position of the resource, metric and device whose asks belong together."""


@dataclass(frozen=True, slots=True)
class _Telemetry:
    """What is known of one resource."""

    series: list[Series] = field(default_factory=list)
    gaps: dict[str, Unknown] = field(default_factory=dict)


def measurements_of(plan: Plan, answers: Answers, resources: int) -> list[Measured]:
    """Return the series and gaps of each resource, in order."""
    found = [_Telemetry() for _ in range(resources)]
    for (position, signal), gap in plan.gaps.items():
        found[position].gaps.setdefault(signal, gap)
    for (position, _, _), asks in _grouped(plan.asks).items():
        metric = asks[0].metric
        series = _read(asks, answers)
        if isinstance(series, Unknown):
            found[position].gaps.setdefault(metric.signal, series)
        elif not (asks[0].added and metric.signal in found[position].gaps):
            found[position].series.extend(series)
    return [_measured(one) for one in found]


def _grouped(asks: Sequence[Ask]) -> Mapping[Group, list[Ask]]:
    found: dict[Group, list[Ask]] = {}
    for ask in asks:
        found.setdefault((ask.resource, ask.metric.name, ask.device), []).append(ask)
    return found


def _read(asks: Sequence[Ask], answers: Answers) -> tuple[Series, ...] | Unknown:
    """
    Return the series of one device, or why it is not known.

    Those that contradict each other stay apart, for the engine to refuse.
    """
    found: list[Series] = []
    for ask in asks:
        series = _series(ask, answers)
        if isinstance(series, Unknown):
            return series
        if series is not None:
            found.append(series)
    if not found:
        return ()
    if asks[0].added:
        return (_added(found),)
    return (_together(found, asks[0]),) if asks[0].parts else merged(found)


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
    highest = max(value for value in values if value is not None)
    if highest > ask.ceiling:
        detail = f"{ask.source.metric} goes up to {highest:,.0f}%, and its hardware to {ask.ceiling / SLACK:,.0f}%"
        return Unknown(Reason.SOURCE_ERROR, f"{detail}: it was changed, or its unit is another one", ask.metric.name)
    factor = _factor(ask, answers)
    if isinstance(factor, Unknown):
        return factor
    sent = scaled(values, factor)
    if ask.source.scale is Scale.OVER_ACCELERATORS:
        sent = tuple(None if value is None else min(value, 100.0) for value in sent)
    series = series_of(ask.metric, ask.device, ask.frame, sent, ask.source.text)
    if ask.count is None:
        return series
    counts = answers[ask.count]
    if isinstance(counts, Unknown):
        return counts
    if ask.senders > 1:
        return replace(series, samples=_shared(values, counts, ask))
    return replace(series, samples=sample_counts(values, counts, ask.frame.per_bucket))


def _shared(values: Buckets, counts: Buckets, ask: Ask) -> tuple[int, ...]:
    """Return for how many intervals of each bucket no sender was silent."""
    held = [0.0 if value is None else count or 0.0 for value, count in zip_longest(values, counts[: len(values)])]
    whole = evened(held, ask.senders * ask.frame.per_bucket)
    return tuple(math.floor(count / ask.senders) for count in whole)


def evened(counts: Sequence[float], due: int) -> list[float]:
    """
    Return counts of at most `due`: what a bucket has more makes up for what the one before or after it lacks.

    A sample that is sent every minute may come a second late and so fall into the next bucket. None counts twice.
    """
    found = list(counts)
    for index in range(len(found)):
        for other in (index - 1, index + 1):
            if 0 <= other < len(found) and found[other] > due > found[index]:
                moved = min(found[other] - due, due - found[index])
                found[other] -= moved
                found[index] += moved
    return [min(count, due) for count in found]


def _added(found: Sequence[Series]) -> Series:
    """Return counts of the same things in several places as their sum."""
    buckets = zip_longest(*(series.values for series in found))
    values = tuple(sum(present) if (present := [v for v in bucket if v is not None]) else None for bucket in buckets)
    sources = " and ".join(dict.fromkeys(series.source for series in found))
    return replace(found[0], values=values, source=sources)


def _together(found: Sequence[Series], ask: Ask) -> Series:
    """
    Return the accelerators of a device as the device: the highest value, seen for as long as enough of them were.

    Instances are replaced when an endpoint is updated, so at each time it counts how many sent, not which. Each of
    them has to be there from its first sample to its last.
    """
    held = [_held(series, ask.frame.per_bucket) for series in found]
    values = tuple(
        max((v for v in bucket if v is not None), default=None)
        for bucket in zip_longest(*(series.values for series in found))
    )
    samples = tuple(_of_all(bucket, ask.parts) for bucket in zip_longest(*held))
    return replace(found[0], values=values, samples=samples, source=f"{found[0].source} of each accelerator")


def _held(series: Series, per_bucket: int) -> list[int | None]:
    """Return the samples of each bucket; None before the first and after the last one."""
    present = [index for index, value in enumerate(series.values) if value is not None]
    counts = series.samples or [0 if value is None else per_bucket for value in series.values]
    return [count if present[0] <= index <= present[-1] else None for index, count in enumerate(counts)]


def _of_all(counts: Sequence[int | None], due: int) -> int:
    """Return how many samples all senders have that are there; none where fewer are than there should be."""
    there = [count for count in counts if count is not None]
    return min(there) if there and len(there) >= due else 0


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
    return Measured(tuple((Device(series.device), series) for series in telemetry.series), telemetry.gaps)
