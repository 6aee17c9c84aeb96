"""
Turn data points into buckets of a frame.

Pure. `metric_fetch` keeps each answer so; `cloudwatch` makes series of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from integrations.aws.metric_query import Query
from integrations.telemetry.grid import Buckets


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
