"""
Samples in short: `0x1440` is a day of zeros a minute, `(57.9 58.3)x480` repeats a pattern, `_` is no sample.

The last sample is the newest, and the series ends at the case's `now`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from engine.kinds import Metric
from engine.model import Series
from engine.units import UnitError

_GROUP = re.compile(r"\(([^()]*)\)(?:x(\d{1,6}))?|([^\s()]+)")
_SAMPLE = re.compile(r"(-?\d+(?:\.\d+)?|_|nan|inf)(?:x(\d{1,6}))?")
MOST = 1_000_000
HINT = "write such as `0x1440`, `(57.9 58.3)x480` or `12 _ 14`"


def samples_of(text: str) -> tuple[float | None, ...]:
    """Return the samples that `text` stands for; raise `UnitError` where it stands for none."""
    found: list[float | None] = []
    rest = _GROUP.sub("", text).strip()
    if rest or not text.strip():
        raise UnitError(f"`{text}` is not a list of samples", HINT)
    for pattern, times, single in _GROUP.findall(text):
        values = [sample for part in (pattern or single).split() for sample in _sample(part)]
        found += values * int(times or 1)
        if len(found) > MOST:
            raise UnitError(f"`{text}` has over {MOST:,} samples")
    return tuple(found)


def _sample(part: str) -> list[float | None]:
    matched = _SAMPLE.fullmatch(part)
    if matched is None:
        raise UnitError(f"`{part}` is not a sample", HINT)
    value = None if matched[1] == "_" else float(matched[1])
    return [value] * int(matched[2] or 1)


def series_of(metric: Metric, device: str, samples: tuple[float | None, ...], now: datetime) -> Series:
    """Return the series of `samples` that ends at `now`."""
    start = now - timedelta(seconds=metric.interval) * len(samples)
    return Series(metric.name, device, start, metric.interval, samples, metric.interval, "case")
