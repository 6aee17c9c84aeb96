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

MAX_QUERIES = 500
"""Queries GetMetricData takes in one call."""
MAX_DATAPOINTS = 100_800
"""Data points it returns in one page."""
MAX_BUCKETS = 1_500
"""Buckets of a series above which a coarser period is asked for: 1,440 are a day at one minute."""
PERIODS = (60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400)
"""Seconds. Each divides a day, so that buckets begin at the same times whatever the start is."""
RETENTION = (
    (timedelta(days=15), 60),
    (timedelta(days=63), 300),
    (timedelta(days=455), 3_600),
)
"""How far back CloudWatch answers in buckets of so many seconds."""
AHEAD = timedelta(hours=2)
"""CloudWatch accepts samples dated so far into the future. They are asked for, because a machine whose
clock is wrong must be seen to be wrong."""
ALIGNED = 300
"""Starts are multiples of this even at shorter periods, so that metrics of one window share a call."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid of buckets asked for. Times are epoch seconds."""

    start: int
    end: int
    """Now, rounded down to a bucket; exclusive."""
    until: int
    """The end asked for, later than now."""
    step: int
    interval: int
    """Seconds between samples at the source; `step` is a multiple of it."""

    @property
    def buckets(self) -> int:
        return (self.end - self.start) // self.step

    @property
    def per_bucket(self) -> int:
        return self.step // self.interval


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
    step = step_of(window, interval)
    moment = math.floor(now.timestamp())
    grain = math.lcm(step, ALIGNED)
    first = math.floor((now - window).timestamp())
    until = moment + int(AHEAD.total_seconds())
    return Frame(first - first % grain, moment - moment % step, until - until % ALIGNED + ALIGNED, step, interval)


def step_of(window: timedelta, interval: int) -> int:
    """Return the seconds of a bucket: a multiple of `interval`."""
    finest = next((step for age, step in RETENTION if window <= age), RETENTION[-1][1])
    wanted = max(interval, finest, window.total_seconds() / MAX_BUCKETS)
    fitting = [period for period in PERIODS if period >= wanted and period % interval == 0]
    return fitting[0] if fitting else math.ceil(wanted / interval) * interval


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
