"""
Keep metric series as grids of numbers and reduce them to periods.

The server's CloudWatch answers read from here. A grid of a million points is loaded in one request and
costs eight bytes a point, where one `PutMetricData` call carries at most a thousand.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Dimensions = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a series within a region."""

    namespace: str
    name: str
    dimensions: Dimensions

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(frozen=True, slots=True)
class Grid:
    """Values at `start`, `start + step` and so on, in epoch seconds; NaN stands for no value."""

    start: int
    step: int
    values: array[float]

    @classmethod
    def of(cls, start: int, step: int, values: Iterable[float | None]) -> Grid:
        if step < 1:
            raise ValueError(f"the step of a series must be at least one second, not `{step}`")
        return cls(start, step, array("d", (math.nan if v is None else float(v) for v in values)))

    @property
    def last(self) -> int | None:
        """The time of the newest value."""
        for index in range(len(self.values) - 1, -1, -1):
            if not math.isnan(self.values[index]):
                return self.start + index * self.step
        return None


@dataclass(frozen=True, slots=True)
class Point:
    """One published datum, single value or statistic set."""

    time: int
    count: float
    total: float
    low: float
    high: float


@dataclass(slots=True)
class Bucket:
    """The statistics of one period."""

    count: float
    total: float
    low: float
    high: float

    def add(self, point: Point) -> None:
        self.count += point.count
        self.total += point.total
        self.low = min(self.low, point.low)
        self.high = max(self.high, point.high)

    def statistic(self, name: str) -> float:
        """Return one of `STATISTICS`."""
        match name:
            case "Average":
                return self.total / self.count
            case "Sum":
                return self.total
            case "Minimum":
                return self.low
            case "Maximum":
                return self.high
            case _:
                return self.count


STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")


@dataclass(slots=True)
class Series:
    """Everything known about one key."""

    unit: str
    grids: list[Grid] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    last: int = -1
    """The time of the newest value in epoch seconds, -1 where there is none."""

    def add_grid(self, grid: Grid) -> None:
        self.grids.append(grid)
        self.last = max(self.last, grid.last if grid.last is not None else -1)

    def add_point(self, point: Point) -> None:
        self.points.append(point)
        self.last = max(self.last, point.time)

    def buckets(self, start: int, end: int, period: int) -> dict[int, Bucket]:
        """Return the periods with values in `[start, end)` by the time they begin, oldest first."""
        found: dict[int, Bucket] = {}
        for grid in self.grids:
            _add_grid(found, grid, start, end, period)
        for point in self.points:
            if start <= point.time < end:
                _add_point(found, point, point.time - point.time % period)
        return dict(sorted(found.items()))


def _add_grid(found: dict[int, Bucket], grid: Grid, start: int, end: int, period: int) -> None:
    first = max(0, -((grid.start - start) // grid.step))
    stop = max(0, min(len(grid.values), -((grid.start - end) // grid.step)))
    time = grid.start + first * grid.step
    for value in grid.values[first:stop]:
        if value == value:  # noqa: PLR0124  NaN alone differs from itself; the call of a function costs three times this
            slot = time - time % period
            bucket = found.get(slot)
            if bucket is None:
                found[slot] = Bucket(1.0, value, value, value)
            else:
                bucket.count += 1.0
                bucket.total += value
                if value < bucket.low:  # noqa: PLR1730  likewise
                    bucket.low = value
                if value > bucket.high:  # noqa: PLR1730  likewise
                    bucket.high = value
        time += grid.step


def _add_point(found: dict[int, Bucket], point: Point, slot: int) -> None:
    bucket = found.get(slot)
    if bucket is None:
        found[slot] = Bucket(point.count, point.total, point.low, point.high)
    else:
        bucket.add(point)


class MetricStore:
    """All series of all regions."""

    def __init__(self) -> None:
        self._regions: dict[str, dict[Key, Series]] = {}

    def clear(self) -> None:
        self._regions.clear()

    def load(self, region: str, key: Key, grid: Grid, unit: str = "None") -> None:
        """Add a grid to the series of a key."""
        self._series(region, key, unit).add_grid(grid)

    def put(self, region: str, key: Key, points: Sequence[Point], unit: str = "None") -> None:
        """Add single data to the series of a key."""
        series = self._series(region, key, unit)
        for point in points:
            series.add_point(point)

    def get(self, region: str, key: Key) -> Series | None:
        return self._regions.get(region, {}).get(key)

    def items(self, region: str) -> Iterator[tuple[Key, Series]]:
        """Yield every series of a region in the order of namespace, name and dimensions."""
        series = self._regions.get(region, {})
        for key in sorted(series, key=lambda k: (k.namespace, k.name, k.dimensions)):
            yield key, series[key]

    def _series(self, region: str, key: Key, unit: str) -> Series:
        return self._regions.setdefault(region, {}).setdefault(key, Series(unit))
