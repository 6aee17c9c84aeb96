"""
Recorded telemetry as arrays: the samples of one device as they came, and on the grid that checks read.

Edges make `Machine`s of files; everything else here works on them. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.model import Resource, Series

Numbers: TypeAlias = npt.NDArray[np.float64]
Indexes: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

USE = "gpu.utilization"
POWER = "gpu.power"
MEMORY = "gpu.memory_used"
RECORDED = (USE, POWER, MEMORY)
"""The metrics that a recording may hold, in the units in which they are declared: percent, watts, percent."""
WHOLE = ("cpu.utilization",)
"""Those of a machine as a whole that it may hold beside, in percent. They can show work, and never rest."""


@dataclass(frozen=True, eq=False)
class Track:
    """The samples of one device, in order of time; one moment may stand there twice."""

    device: str
    at: Numbers
    values: Mapping[str, Numbers]
    """By metric, as long as `at`; NaN where the sample has no value of it."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A resource, without telemetry of its own, and what was recorded of its devices."""

    resource: Resource
    tracks: tuple[Track, ...]
    whole: Track | None = None
    """What was recorded of it as a whole; None where nothing was."""

    @property
    def beside(self) -> frozenset[str]:
        """Return the metrics that were recorded of it as a whole."""
        return frozenset(self.whole.values if self.whole is not None else ())


@dataclass(frozen=True, slots=True)
class Grid:
    """Buckets of equal length; bucket i covers `[start + i * step, start + (i + 1) * step)`."""

    start: int
    step: int
    """Seconds; a multiple of 60."""
    buckets: int

    @classmethod
    def over(cls, first: float, last: float, interval: float) -> Grid:
        """Return the grid of samples from `first` to `last`, about `interval` seconds apart."""
        step = 60 * max(1, round(interval / 60))
        start = int(first // step * step)
        return cls(start, step, int((last - start) // step) + 1)

    @property
    def end(self) -> int:
        return self.start + self.step * self.buckets

    def moment(self, bucket: int) -> datetime:
        """Return when `bucket` begins."""
        return datetime.fromtimestamp(self.start + self.step * bucket, UTC)

    def length(self, window: timedelta) -> int:
        """Return how many whole buckets fit into `window`, which ends where a bucket does."""
        return int(window.total_seconds() // self.step)

    def lay(self, at: Numbers, values: Numbers) -> Numbers:
        """Return the highest value of each bucket; NaN where it has no sample."""
        laid = np.full(self.buckets, np.nan)
        index = ((at - self.start) // self.step).astype(np.int64)
        inside = (index >= 0) & (index < self.buckets)
        index, values = index[inside], values[inside]
        if index.size:
            firsts = np.flatnonzero(np.r_[True, np.diff(index) > 0])
            laid[index[firsts]] = np.fmax.reduceat(values, firsts)
        return laid


def seen_until(machine: Machine, grid: Grid, bucket: int) -> Resource:
    """Return the resource with the telemetry of all buckets before `bucket`, and of none after."""
    known = [name for name in RECORDED if any(name in track.values for track in machine.tracks)]
    metrics = {name: tuple(_series(name, track, grid, bucket) for track in machine.tracks) for name in known}
    if machine.whole is not None:
        metrics |= {name: (_series(name, machine.whole, grid, bucket),) for name in machine.beside}
    return replace(machine.resource, metrics=metrics)


def _series(name: str, track: Track, grid: Grid, bucket: int) -> Series:
    values = track.values.get(name)
    laid = np.full(grid.buckets, np.nan) if values is None else grid.lay(track.at, values)
    # As plain numbers first: each would be an object of its own.
    present = tuple(None if isnan(value) else value for value in laid[:bucket].tolist())
    return Series(name, track.device, grid.moment(0), grid.step, present, grid.step, "recorded")
