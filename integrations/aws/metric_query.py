"""
Plan GetMetricData calls: which period for a window, and which queries go into one call.

Pure. `metric_plan` makes frames and queries of what is needed, `cloudwatch` sends the batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.aws.metric_sources import Dimensions
from integrations.telemetry.frame import Frame
from integrations.telemetry.frame import frame_of as grid_of
from integrations.telemetry.frame import step_of as period_of

MAX_QUERIES = 500
"""Queries GetMetricData takes in one call."""
MAX_DATAPOINTS = 100_800
"""Data points it returns in one page."""
RETENTION = (
    (timedelta(days=15), 60),
    (timedelta(days=63), 300),
    (timedelta(days=455), 3_600),
)
"""How far back CloudWatch answers in buckets of so many seconds."""


@dataclass(frozen=True, slots=True)
class Query:
    """One series to ask for, reduced to buckets of `period` seconds."""

    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    period: int
    frame: Frame


def frame_of(window: timedelta, interval: int, now: datetime) -> Frame:
    """Return the finest grid that covers `[now - window, now)`, is kept that long and is not too long."""
    return grid_of(window, interval, now, finest_kept(window))


def step_of(window: timedelta, interval: int) -> int:
    """Return the seconds of a bucket: a multiple of `interval`."""
    return period_of(window, interval, finest_kept(window))


def finest_kept(window: timedelta) -> int:
    """Return the seconds of the finest buckets that CloudWatch still has of the start of `window`."""
    return next((step for age, step in RETENTION if window <= age), RETENTION[-1][1])


def batches(queries: Sequence[Query]) -> list[list[int]]:
    """
    Return the positions of the queries that go into each call.

    A call has one start and one end, at most 500 queries, and no more buckets than one page holds.
    """
    found: list[list[int]] = []
    spans: dict[tuple[int, int], list[int]] = {}
    for position, query in enumerate(queries):
        spans.setdefault((query.frame.start, query.frame.until), []).append(position)
    for positions in spans.values():
        points = MAX_DATAPOINTS
        for position in positions:
            due = points_of(queries[position])
            if points + due > MAX_DATAPOINTS or len(found[-1]) == MAX_QUERIES:
                found.append([])
                points = 0
            found[-1].append(position)
            points += due
    return found


def points_of(query: Query) -> int:
    """Return how many data points a full series of the query has; samples from the future are not foreseen."""
    return math.ceil((query.frame.end - query.frame.start) / query.period) + 1


def request_of(queries: Sequence[Query]) -> Mapping[str, Any]:
    """Return the parameters of a call; the query at position i has the id `q<i>`."""
    frame = queries[0].frame
    return {
        "MetricDataQueries": [_entry(position, query) for position, query in enumerate(queries)],
        "StartTime": datetime.fromtimestamp(frame.start, UTC),
        "EndTime": datetime.fromtimestamp(frame.until, UTC),
        "ScanBy": "TimestampAscending",
    }


def _entry(position: int, query: Query) -> Mapping[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
    return {
        "Id": f"q{position}",
        "MetricStat": {"Metric": metric, "Period": query.period, "Stat": query.statistic},
    }
