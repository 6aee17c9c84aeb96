"""
Buckets of a frame to series, and several series of one device to one.

Pure. Every source makes its series here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

from engine.kinds import Metric
from engine.model import Series
from integrations.telemetry.frame import Frame

Buckets: TypeAlias = tuple[float | None, ...]
"""Values from the start of a frame on, one a period; None where there is no sample."""
Number = TypeVar("Number")


def series_of(metric: Metric, device: str, frame: Frame, values: Buckets, source: str) -> Series:
    """Return the series of buckets without sample counts."""
    start = datetime.fromtimestamp(frame.start, UTC)
    return Series(metric.name, device, start, frame.step, values, frame.interval, source)


def scaled(values: Iterable[float | None], factor: float) -> Buckets:
    """Return the values times `factor`."""
    return tuple(None if value is None else value * factor for value in values)


def sample_counts(values: Buckets, counts: Sequence[float | None], per_bucket: int) -> tuple[int, ...]:
    """
    Return how many source samples each bucket holds, counted at the declared interval.

    A source that publishes six times as often as declared, or six instances that share a series, would
    fill a bucket with a sixth of its time; the fullest bucket shows how many samples stand for one.
    """
    pairs = zip(values, _extended(counts, len(values)), strict=False)
    held = [0.0 if value is None or count is None else count for value, count in pairs]
    density = max(1, round(max(held, default=0.0) / per_bucket))
    return tuple(math.floor(count / density) for count in held)


def merged(all_series: Iterable[Series]) -> tuple[Series, ...]:
    """
    Return the series with those joined that are one device's under different dimensions.

    An agent whose configuration changed goes on under new dimensions; a roll-up repeats the same
    samples under fewer. Both are joined, the higher value wins. Series of one device that contradict
    each other stay apart: which of them is right is not known.
    """
    found: list[Series] = []
    for series in all_series:
        for position, other in enumerate(found):
            if other.device == series.device and not _contradict(other, series):
                found[position] = joined(other, series)
                break
        else:
            found.append(series)
    return tuple(found)


def _contradict(one: Series, other: Series) -> bool:
    """Return whether more than the one bucket in which an agent restarts has two different values."""
    differing = sum(
        1 for a, b in zip(one.values, other.values, strict=False) if a is not None and b is not None and a != b
    )
    return differing > 1


def joined(one: Series, other: Series) -> Series:
    """Return two series of one device and step as one; the higher value and the higher count of a bucket win."""
    start = min(one.start, other.start)
    one, other = _from(one, start), _from(other, start)
    length = max(len(one.values), len(other.values))
    values = tuple(
        _higher(a, b) for a, b in zip(_extended(one.values, length), _extended(other.values, length), strict=True)
    )
    samples = None
    if one.samples is not None and other.samples is not None:
        pairs = zip(_extended(one.samples, length), _extended(other.samples, length), strict=True)
        samples = tuple(max(a or 0, b or 0) for a, b in pairs)
    return replace(one, values=values, samples=samples, interval=max(one.interval, other.interval))


def _from(series: Series, start: datetime) -> Series:
    """Return `series` with empty buckets from `start` on, which is no later than its own start."""
    ahead = round((series.start - start).total_seconds() / series.step)
    if not ahead:
        return series
    samples = None if series.samples is None else (*([0] * ahead), *series.samples)
    return replace(series, start=start, values=(*([None] * ahead), *series.values), samples=samples)


def coarser(series: Series, step: int, reduce: str = "max") -> Series | None:
    """Return `series` in buckets of `step` seconds that begin at multiples of it; None where they do not fit."""
    if step == series.step:
        return series
    start = int(series.start.timestamp())
    if step % series.step or (start % step) % series.step:
        return None
    per_bucket = max(series.step // series.interval, 1)
    counts = series.samples or tuple(0 if value is None else per_bucket for value in series.values)
    ahead = (start % step) // series.step
    values = [None] * ahead + list(series.values)
    held = [0] * ahead + list(counts)
    together = step // series.step
    chunks = [values[i : i + together] for i in range(0, len(values), together)]
    return replace(
        series,
        start=datetime.fromtimestamp(start - start % step, UTC),
        step=step,
        values=tuple(_reduced(chunk, reduce) for chunk in chunks),
        samples=tuple(sum(held[i : i + together]) for i in range(0, len(held), together)),
    )


def _reduced(values: Sequence[float | None], reduce: str) -> float | None:
    present = [value for value in values if value is not None]
    if not present:
        return None
    return sum(present) if reduce == "sum" else min(present) if reduce == "min" else max(present)


def folded(parts: Sequence[Series]) -> Series:
    """
    Return parts of one device as the device: the highest value, and the fewest samples.

    MIG instances work each for itself. One that is silent for a while leaves the device unseen for as long.
    """
    first, *others = parts
    if not others:
        return first
    length = max(len(part.values) for part in parts)
    per_bucket = max(first.step // first.interval, 1)
    values, samples = [], []
    for index in range(length):
        present = [part.values[index] for part in parts if index < len(part.values)]
        values.append(max((value for value in present if value is not None), default=None))
        samples.append(min(_held(part, index, per_bucket) for part in parts))
    return replace(first, values=tuple(values), samples=tuple(samples))


def _held(series: Series, index: int, per_bucket: int) -> int:
    if index >= len(series.values) or series.values[index] is None:
        return 0
    return per_bucket if series.samples is None else series.samples[index]


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _extended(values: Sequence[Number | None], length: int) -> list[Number | None]:
    return [*values, *([None] * (length - len(values)))]
