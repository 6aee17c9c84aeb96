"""
One metric of one device on the grid, made ready to be asked about any window in constant time.

`engine.telemetry.read_window` and `frozen` are what a window means. This says the same of many windows at once,
from running counts; a test holds the two against each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.backtest.recording import Flags, Indexes, Numbers
from engine.telemetry import FEWEST_BUCKETS, FRESH, FROZEN_SAMPLES, LEAST_WATTS


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one length: window k holds the buckets `[starts[k], ends[k])`, clipped to the grid."""

    ends: Indexes
    length: int
    """Buckets of the whole window, also where the grid begins later."""
    step: int
    coverage: float

    @property
    def starts(self) -> Indexes:
        return np.maximum(self.ends - self.length, 0)


def counted(flags: Flags) -> Indexes:
    """Return running counts: element i is how many of the first i flags are set."""
    return np.concatenate(([0], np.cumsum(flags, dtype=np.int64)))


def within(counts: Indexes, windows: Windows) -> Indexes:
    """Return how many flags are set in each window."""
    found: Indexes = counts[windows.ends] - counts[windows.starts]
    return found


class Column:
    """The values of one metric of one device, with what is asked of all windows."""

    def __init__(self, values: Numbers, *, unit: str) -> None:
        with np.errstate(invalid="ignore"):
            self.ok: Flags = np.isfinite(values) & (values >= (LEAST_WATTS if unit == "watt" else 0))
        self.values = values
        self.seen = counted(self.ok)
        index = np.arange(len(values))
        self._last = np.concatenate(([-1], np.maximum.accumulate(np.where(self.ok, index, -1))))
        """The newest sample before bucket i."""
        self._next = np.concatenate((_next_of(self.ok), [len(values)]))
        """The first sample at or after bucket i."""
        self._changes, self._differs = self._runs()

    def _runs(self) -> tuple[Indexes, Indexes]:
        """Return running counts of changes between samples, and before each bucket the newest other value's place."""
        places = np.flatnonzero(self.ok)
        present = self.values[places]
        changed = np.concatenate(([False], present[1:] != present[:-1])) if len(places) else np.zeros(0, bool)
        flags = np.zeros(len(self.values), bool)
        flags[places] = changed
        before = np.concatenate(([-1], places[:-1])) if len(places) else places
        differs = np.full(len(self.values), -1)
        differs[places] = np.maximum.accumulate(np.where(changed, before, -1)) if len(places) else places
        return counted(flags), differs

    def readable(self, windows: Windows) -> Flags:
        """Return for which windows the samples are enough and fresh."""
        got = within(self.seen, windows)
        since = (windows.ends - 1 - self._last[windows.ends]) * windows.step
        allowed = max(FRESH.total_seconds(), 3 * windows.step)
        enough = got * 100 >= windows.length * windows.coverage
        found: Flags = (got > 0) & (since <= allowed) & enough & (windows.length >= FEWEST_BUCKETS)
        return found

    def frozen_compute(self, windows: Windows) -> Flags:
        """Return in which windows one value between rest and saturation repeats throughout."""
        newest = self._newest(windows)
        found: Flags = self._still(windows) & (newest > 0) & (newest < 99.5)
        return found

    def frozen_power(self, windows: Windows) -> Flags:
        """Return at the end of which windows the watts have not moved, by fractions of one."""
        newest = self._newest(windows)
        differs = self._differs[np.maximum(self._last[windows.ends], 0)]
        first = windows.ends - windows.length
        changed = np.where(differs >= windows.starts, differs, first - 1)
        steady = windows.ends - changed - 1
        found: Flags = ((steady >= FROZEN_SAMPLES) | self._still(windows)) & (newest != np.floor(newest))
        return found

    def _newest(self, windows: Windows) -> Numbers:
        if not len(self.values):
            return np.full(len(windows.ends), math.nan)
        return self.values[np.maximum(self._last[windows.ends], 0)]

    def _still(self, windows: Windows) -> Flags:
        """Return in which windows all samples are alike, and would be many."""
        firsts = np.minimum(self._next[windows.starts] + 1, windows.ends)
        alike: Flags = self._changes[windows.ends] == self._changes[firsts]
        return alike & (windows.length >= FROZEN_SAMPLES)


def _next_of(ok: Flags) -> Indexes:
    index = np.where(ok, np.arange(len(ok)), len(ok))
    found: Indexes = np.minimum.accumulate(index[::-1])[::-1]
    return found
