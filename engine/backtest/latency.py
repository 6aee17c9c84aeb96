"""
How long people take to decide about an approval, as a model: fixed or log-normal, in working hours or at any time.

There is no randomness here. What is drawn depends on the question alone, so that a replay comes out the same each time.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

from engine.checks.schedule import is_working_time
from engine.policy.checks import Schedule
from engine.ports import Zones

GRAIN = timedelta(minutes=5)
"""How exactly the beginning of working hours is found."""
LONGEST = timedelta(days=14)
"""Holidays do not last longer than that: whoever has not decided by then has not decided."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The time from a question to its answer, which is always yes."""

    median: timedelta = timedelta(minutes=30)
    sigma: float = 0.0
    """Standard deviation of its logarithm; 0 is a fixed time, 1 a long tail."""
    hours: Schedule | None = None
    """When people look; None is at any time."""

    def decided(self, asked: datetime, question: str, zones: Zones) -> datetime:
        """Return when `question`, asked at `asked`, is decided."""
        begun = self._opening(asked, zones)
        return self._opening(begun + self.median * math.exp(self.sigma * _normal(question)), zones)

    def _opening(self, moment: datetime, zones: Zones) -> datetime:
        """Return `moment`, or when working hours begin next after it."""
        if self.hours is None:
            return moment
        zone, latest = zones(self.hours.zone), moment + LONGEST
        while moment < latest and not is_working_time(self.hours, moment.astimezone(zone)):
            moment += GRAIN
        return moment


def _normal(text: str) -> float:
    """Return a draw of the standard normal distribution that depends on `text` alone."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
    return NormalDist().inv_cdf((number + 0.5) / 2**48)
