"""
Quiet spells: stretches in which every sample was below a threshold, without a long gap between them.

They describe a trace, whatever a policy makes of it: "use below 5%, gaps of at most 300 s" is quiet for an hour so and
so often. A spell lasts from its first sample to its last; what came before, between long gaps and after is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.backtest.recording import Numbers

GAP = 300.0
"""Seconds between two samples above which a spell ends."""


@dataclass(frozen=True, slots=True)
class Spells:
    """How often a trace was quiet for so long, and for how many hours in all."""

    count: int
    hours: float


def spell_lengths(at: Numbers, values: Numbers, below: float, gap: float = GAP) -> Numbers:
    """Return the lengths in seconds of all quiet spells, in order; `at` ascends, and NaN is no sample."""
    known = ~np.isnan(values)
    at, quiet = at[known], values[known] < below
    if not quiet.any():
        return np.empty(0)
    broken = np.r_[True, (np.diff(at) > gap) | ~quiet[:-1]]
    starts = np.flatnonzero(quiet & broken)
    ends = np.flatnonzero(quiet & np.r_[broken[1:] | ~quiet[1:], True])
    return at[ends] - at[starts]


def spells_of(lengths: Iterable[Numbers], window: float) -> Spells:
    """Return the spells of at least `window` seconds."""
    kept = [found[found >= window] for found in lengths]
    return Spells(sum(len(found) for found in kept), float(sum(found.sum() for found in kept)) / 3600)
