"""
PromQL for the buckets of a frame: the server aggregates, and what comes back is one number a bucket.

Pure. Duplicates of a device, such as a second scrape of the same exporter, fall together in the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integrations.prometheus.exporters import Published, Pushed, quoted
from integrations.telemetry.frame import Frame

RATE_OVER = 120
"""Seconds that a rate looks back: it needs two samples."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which series a query is about."""

    match: str
    """Matchers that hold for everything, such as `cluster="a"`; may be empty."""
    label: str
    values: tuple[str, ...]
    """The series whose `label` has one of these values."""
    by: tuple[str, ...]
    """Labels that tell devices apart; all others fall together."""

    def of(self, name: str) -> str:
        """Return the selector of the series called `name`."""
        some = f"{self.label}=~{quoted('|'.join(_escaped(value) for value in self.values))}"
        return f"{name}{{{', '.join(part for part in (self.match, some) if part)}}}"


def _escaped(value: str) -> str:
    """Return `value` as a pattern of RE2 that means itself."""
    return re.sub(r"([^A-Za-z0-9_:\-/ ])", r"\\\1", value)


def value_query(published: Published, selection: Selection, frame: Frame) -> str:
    """Return the query of the highest value of each bucket, before `factor`."""
    by = f"max by ({', '.join(selection.by)})"
    series = selection.of(published.series)
    match published.pushed:
        case Pushed.PEAK:
            return f"{by} (max_over_time({series}[{frame.step}s]))"
        case Pushed.RATE:
            rate = f"rate({series}[{RATE_OVER}s])"
            # The rate over a long bucket would be its mean, in which a burst of work drowns.
            highest = rate if frame.step <= RATE_OVER else f"max_over_time({rate}[{frame.step}s:{RATE_OVER // 2}s])"
            return f"{by} ({highest})"
        case Pushed.SHARE:
            used = f"{by} (max_over_time({series}[{frame.step}s]))"
            free = f"{by} (min_over_time({selection.of(published.other)}[{frame.step}s]))"
            return f"100 * {used} / ({used} + {free})"
        case Pushed.HIGHER:
            first, second = (
                f"{by} (max_over_time({selection.of(name)}[{frame.step}s]))"
                for name in (published.series, published.other)
            )
            return f"({first} > {second}) or {second} or {first}"


def count_query(published: Published, selection: Selection, frame: Frame) -> str:
    """Return the query of how many samples each bucket holds."""
    return f"max by ({', '.join(selection.by)}) (count_over_time({selection.of(published.series)}[{frame.step}s]))"


def listing(names: Sequence[str], match: str) -> str:
    """Return the selector of all series of some names."""
    some = f"__name__=~{quoted('|'.join(names))}"
    return f"{{{', '.join(part for part in (some, match) if part)}}}"


MOST_POINTS = 100_000
"""Points of one answer: about 3 MB of JSON."""
MOST_DEVICES = 200
"""Devices of one query: their UUIDs take about 9 kB."""


def batches(values: Iterable[str], frame: Frame, most: int = MOST_POINTS) -> list[tuple[tuple[str, ...], Frame]]:
    """Return the values and times of each query, so that no answer has more points than `most`."""
    ordered = sorted(set(values))
    groups = [tuple(ordered[i : i + MOST_DEVICES]) for i in range(0, len(ordered), MOST_DEVICES)]
    return [(group, part) for group in groups for part in _parts(frame, most // max(len(group), 1))]


def _parts(frame: Frame, buckets: int) -> list[Frame]:
    """Return `frame` in stretches of at most so many buckets."""
    span = max(buckets, 1) * frame.step
    starts = range(frame.start, frame.until, span)
    return [Frame(at, frame.end, min(at + span, frame.until), frame.step, frame.interval) for at in starts]
