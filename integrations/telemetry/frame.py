"""The grid of buckets that every source is asked for, so that series of several sources lie on one another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_BUCKETS = 1_500
"""Buckets of a series above which a coarser period is asked for: 1,440 are a day at one minute."""
PERIODS = (60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400)
"""Seconds. Each divides a day, so that buckets begin at the same times whatever the start is."""
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


def frame_of(window: timedelta, interval: int, now: datetime, finest: int = 1) -> Frame:
    """Return the finest grid that covers `[now - window, now)` and is not too long."""
    step = step_of(window, interval, finest)
    moment = math.floor(now.timestamp())
    grain = math.lcm(step, ALIGNED)
    first = math.floor((now - window).timestamp())
    until = moment + int(AHEAD.total_seconds())
    return Frame(first - first % grain, moment - moment % step, until - until % ALIGNED + ALIGNED, step, interval)


def step_of(window: timedelta, interval: int, finest: int = 1) -> int:
    """Return the seconds of a bucket: a multiple of `interval`, and no finer than a source keeps its samples."""
    wanted = max(interval, finest, window.total_seconds() / MAX_BUCKETS)
    fitting = [period for period in PERIODS if period >= wanted and period % interval == 0]
    return fitting[0] if fitting else math.ceil(wanted / interval) * interval
