"""
Turn data points into series on a grid.

Pure. `metric_fetch` keeps each answer as buckets of a frame; `cloudwatch` makes series of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

from engine.kinds import Metric
from engine.model import Series
from integrations.aws.metric_query import Frame, Query

Buckets: TypeAlias = tuple[float | None, ...]
"""Values from the start of a frame on, one a period; None where there is no sample."""
Number = TypeVar("Number")


def bucketed(times: Sequence[object], values: Sequence[object], query: Query) -> Buckets:
    """
    Return the points of one answer on the grid of its query.

    The grid reaches to the end of the frame, and beyond where samples are dated later. Values that
    are not finite are no samples. Points that share a bucket are combined as the statistic says, but
    one that was sent twice counts once, with its higher value.
    """
    start, period = query.frame.start, query.period
    due = math.ceil((query.frame.end - start) / period)
    found: dict[int, float] = {}
    for time, value in _points(times, values).items():
        index = int((time - start) // period)
        if index < 0:
            continue
        known = found.get(index)
        found[index] = value if known is None else _combined(query.statistic, known, value)
    length = max(due, max(found, default=-1) + 1)
    return tuple(map(found.get, range(length)))


def _points(times: Sequence[object], values: Sequence[object]) -> dict[float, float]:
    """Return the values by epoch seconds."""
    points: dict[float, float] = {}
    for time, value in zip(times, values, strict=False):
        if not isinstance(value, int | float) or not math.isfinite(value):
            continue
        at = epoch(time)
        if at is not None:
            known = points.get(at)
            points[at] = float(value) if known is None else max(float(value), known)
    return points


def _combined(statistic: str, one: float, other: float) -> float:
    match statistic:
        case "Sum" | "SampleCount":
            return one + other
        case "Minimum":
            return min(one, other)
        case _:
            return max(one, other)


def epoch(time: object) -> float | None:
    """Return epoch seconds of what a client gives as a timestamp; None where it is none."""
    match time:
        case datetime():
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        case bool():
            return None
        case int() | float():
            return float(time)
        case _:
            return None


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
                found[position] = _joined(other, series)
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


def _joined(one: Series, other: Series) -> Series:
    length = max(len(one.values), len(other.values))
    values = tuple(
        _higher(a, b) for a, b in zip(_extended(one.values, length), _extended(other.values, length), strict=True)
    )
    samples = None
    if one.samples is not None and other.samples is not None:
        pairs = zip(_extended(one.samples, length), _extended(other.samples, length), strict=True)
        samples = tuple(max(a or 0, b or 0) for a, b in pairs)
    return replace(one, values=values, samples=samples)


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _extended(values: Sequence[Number | None], length: int) -> list[Number | None]:
    return [*values, *([None] * (length - len(values)))]
