"""What a replay is made of, and what comes out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.backtest.latency import Latency
from engine.backtest.recording import Flags, Grid, Indexes, Numbers
from engine.backtest.verdicts import Codes
from engine.findings import Cost, Finding
from engine.plan import Step
from engine.policy.model import Policy, RunLimits
from engine.ports import Zones
from engine.values import Unknown

OBSERVED = 0.9
"""Share of a horizon that has to be recorded before an act without work in it is called right."""


@dataclass(frozen=True)
class Clock:
    """When the simulated runs are. Run k sees the buckets before `ends[k]`, and nothing after."""

    grid: Grid
    ends: Indexes
    every: int
    """Buckets between two runs."""

    @classmethod
    def over(cls, grid: Grid, start: int, stop: int, every: int) -> Clock:
        """Return runs from bucket `start` to bucket `stop`, `every` so many buckets."""
        return cls(grid, np.arange(start, stop + 1, every), every)

    def moment(self, run: int) -> datetime:
        return self.grid.moment(int(self.ends[run]))

    @property
    def hours(self) -> float:
        """Hours between two runs."""
        return self.every * self.grid.step / 3600


@dataclass(frozen=True, eq=False)
class Demand:
    """When a machine worked, one bit a bucket."""

    work: npt.NDArray[np.uint8]
    known: npt.NDArray[np.uint8]
    """Where every device has a sample. What is not known is neither work nor rest."""
    buckets: int

    @classmethod
    def of(cls, work: Flags, known: Flags) -> Demand:
        return cls(np.packbits(work), np.packbits(known), len(work))

    def worked(self) -> Flags:
        return np.unpackbits(self.work, count=self.buckets).astype(bool)

    def recorded(self) -> Flags:
        return np.unpackbits(self.known, count=self.buckets).astype(bool)

    def next_work(self, bucket: int) -> int | None:
        """Return the first bucket at or after `bucket` in which it worked."""
        found = np.flatnonzero(self.worked()[bucket:])
        return bucket + int(found[0]) if found.size else None


@dataclass(frozen=True, eq=False)
class Candidate:
    """One machine under one policy, with what would be found of it and done to it."""

    machine: int
    finding: Finding
    steps: tuple[Step, ...]
    """Empty where nothing may be done to it."""


class Judge(Protocol):
    """What one policy says of machines, run by run."""

    def codes(self, run: int, launched: Numbers, off: Flags) -> Codes:
        """
        Return the code of each candidate; only what was recorded before the run is looked at.

        `launched` (seconds since 1970) and `off` are by machine: what the replay did to them.
        """


@dataclass(frozen=True)
class Part:
    """One policy of a replay."""

    policy: Policy
    judge: Judge
    candidates: tuple[Candidate, ...]
    looked_at: int
    """Machines that are the policy's business; limits are shares of them."""


@dataclass(frozen=True)
class Fleet:
    """The machines of a replay, by number."""

    demand: tuple[Demand, ...]
    launched: Numbers
    """When each was last started, seconds since 1970."""


@dataclass(frozen=True)
class Conduct:
    """How the installation that is simulated behaves."""

    latency: Latency
    zones: Zones
    limits: RunLimits
    stopping: frozenset[str]
    """Remediations after which a machine is off."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that would have been done."""

    policy: str
    machine: int
    finding: str
    bucket: int
    at: datetime
    until: int | None
    """The bucket in which it was wanted again; None if never."""
    savings: Cost | Unknown


@dataclass(frozen=True)
class Played:
    """What the runs of a replay came to, before it is known whether they were right."""

    runs: int
    acts: tuple[Act, ...]
    findings: int
    warned: int
    asked: int
    expired: int
    held: Mapping[str, int] = field(default_factory=Counter)
    """By what held it: how often a finding could not go on."""
    undecided: float = 0.0
    """Machine-hours in which no verdict was possible."""
    judged: float = 0.0
    """Machine-hours looked at."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """One act, and what the recording shows of the time after it."""

    act: Act
    saved: float
    """Hours that were at rest, from the act to the next work or the end."""
    unrecorded: float
    """Hours of that time without samples; nothing is claimed of them."""
    displaced: float
    """Hours of work within the horizon."""
    regretted: bool
    observed: bool
    """Whether the recording says if there was work within the horizon."""


@dataclass(frozen=True)
class Outcome:
    """What a replay comes to."""

    played: Played
    assessed: tuple[Assessed, ...]
    horizon: timedelta

    @property
    def acts(self) -> int:
        return len(self.assessed)

    @property
    def saved(self) -> float:
        return sum(one.saved for one in self.assessed)

    @property
    def dollars(self) -> Decimal:
        """USD, of the acts whose savings are priced."""
        priced = ((one, one.act.savings) for one in self.assessed)
        return sum((cost.hourly * Decimal(one.saved) for one, cost in priced if isinstance(cost, Cost)), Decimal(0))

    @property
    def unpriced(self) -> int:
        return sum(isinstance(one.act.savings, Unknown) for one in self.assessed)

    @property
    def displaced(self) -> float:
        return sum(one.displaced for one in self.assessed)

    @property
    def unrecorded(self) -> float:
        return sum(one.unrecorded for one in self.assessed)

    @property
    def regretted(self) -> int:
        return sum(one.regretted for one in self.assessed)

    @property
    def observed(self) -> int:
        return sum(one.observed for one in self.assessed)

    @property
    def regret(self) -> float | None:
        """Share, 0 to 1, of the acts that turned out wrong, of those of which it is known; None where of none."""
        return self.regretted / self.observed if self.observed else None
