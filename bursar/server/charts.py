"""
The geometry of charts: numbers to points and widths. Templates draw them as SVG, with a table of the same numbers.

Floats are good enough for what is drawn; what is written beside it comes from exact amounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.state.records import SavingRecord

WIDTH, HEIGHT = 600.0, 160.0
DAYS = 30


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar."""

    name: str
    count: int
    x: float
    width: float
    """In percent of the bar."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value at one time."""

    at: datetime
    value: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line with the area below it."""

    points: tuple[Point, ...]
    top: float
    """The value at the upper edge."""
    bottom: float = 0.0

    @property
    def path(self) -> str:
        return " ".join(f"{'L' if n else 'M'}{p.x:.1f} {p.y:.1f}" for n, p in enumerate(self.points))

    @property
    def area(self) -> str:
        if not self.points:
            return ""
        return f"{self.path} L{self.points[-1].x:.1f} {HEIGHT:.1f} L{self.points[0].x:.1f} {HEIGHT:.1f} Z"


def bar(counts: Iterable[tuple[str, int]]) -> tuple[Part, ...]:
    """Return a bar of the parts that are not nothing."""
    known = [(name, count) for name, count in counts if count]
    whole = sum(count for _, count in known)
    parts: list[Part] = []
    x = 0.0
    for name, count in known:
        width = 100 * count / whole
        parts.append(Part(name, count, round(x, 3), round(width, 3)))
        x += width
    return tuple(parts)


def line(values: Sequence[tuple[datetime, float]]) -> Line:
    """Return the line through `values`, which are in order of time."""
    if not values:
        return Line((), 0.0)
    top = _round_up(max(value for _, value in values))
    start, end = values[0][0], values[-1][0]
    span = (end - start).total_seconds() or 1.0
    return Line(
        tuple(
            Point(
                at,
                value,
                WIDTH * (at - start).total_seconds() / span if len(values) > 1 else WIDTH,
                HEIGHT - (HEIGHT * max(value, 0.0) / top if top else 0.0),
            )
            for at, value in values
        ),
        top,
    )


def realised(savings: Iterable[SavingRecord], now: datetime, days: int = DAYS) -> list[tuple[datetime, float]]:
    """Return what acts had saved in USD by the end of each of the last `days`, and by now."""
    priced = [(s.since, s.until, float(s.hourly)) for s in savings if s.hourly is not None]
    if not priced:
        return []
    moments = [now - timedelta(days=n) for n in range(days, -1, -1)]
    return [(moment, sum(_saved(*one, moment) for one in priced)) for moment in moments]


def _saved(since: datetime, until: datetime | None, hourly: float, moment: datetime) -> float:
    end = min(until or moment, moment)
    return max((end - since).total_seconds(), 0.0) / 3600 * hourly


def _round_up(value: float) -> float:
    """Return the next number that reads well: 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= value)
