"""
The `idle` check over many moments at once, for GPUs of one machine.

`engine.checks.idle` is what the check means, and a test holds the two against each other on random machines. This
one exists because a sweep asks about a hundred windows and thresholds of every machine at every moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.backtest.columns import Column, Windows, counted, within
from engine.backtest.recording import MEMORY, POWER, USE, Flags, Grid, Machine, Numbers
from engine.checks.idle import BY_MEMORY, HELD_MEMORY
from engine.checks.idle_devices import FULL_USE
from engine.policy.checks import Idle

OVER_REST = "gpu.power_over_idle"
JUDGED = frozenset({USE, POWER, OVER_REST})
"""The metrics of `below` that are judged here; a policy about others is judged by the check itself."""


class Code(IntEnum):
    """What a check says of a machine at one moment."""

    COMPLIANT = 0
    UNKNOWN = 1
    REPORTED = 2
    """A violation that never leads to a step."""
    FOUND = 3
    """A violation that may."""


Codes: TypeAlias = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class _Device:
    """The state of one device in each window; exactly one is set."""

    idle: Flags
    busy: Flags
    stuck: Flags
    disputed: Flags
    unknown: Flags


class MachineColumns:
    """The columns of one machine; made once for all policies and settings."""

    def __init__(self, machine: Machine, grid: Grid, *, devices: int, rest: float | None) -> None:
        self.devices, self.rest, self.grid = devices, rest, grid
        self._laid = [
            {name: Column(grid.lay(track.at, values), unit="watt" if name == POWER else "percent")
             for name, values in track.values.items()}
            for track in machine.tracks
        ]  # fmt: skip
        self._loud: dict[tuple[int, str, float], npt.NDArray[np.int64]] = {}

    def codes(self, check: Idle, ends: npt.NDArray[np.int64], *, one_signal: bool = False) -> Codes:
        """
        Return what `check` says in the windows that end before the buckets `ends`.

        `one_signal` takes what only one signal says for what two would have agreed on.
        """
        windows = Windows(ends, self.grid.length(check.window), self.grid.step, float(check.coverage))
        below = {name: limit.value for name, limit in check.below.items()}
        found = [self._device(number, below, windows) for number in range(len(self._laid))]
        return self._of_machine(found, check, windows, agreed=one_signal or len({_signal(n) for n in below}) > 1)

    def _device(self, number: int, below: Mapping[str, float], windows: Windows) -> _Device:
        quiet = dict.fromkeys(("compute", "power"), np.zeros(len(windows.ends), bool))
        loud = dict(quiet)
        unknown = np.zeros(len(windows.ends), bool)
        for name, threshold in below.items():
            usable, over = self._metric(number, name, threshold, windows)
            signal = _signal(name)
            quiet[signal] = quiet[signal] | (usable & ~over)
            loud[signal] = loud[signal] | (usable & over)
            unknown |= ~usable
        full = loud["compute"] & self._full(number, windows)
        stuck = quiet["power"] & full & ~loud["power"]
        disputed = ~stuck & quiet["compute"] & loud["power"] & ~loud["compute"]
        busy = ~stuck & ~disputed & (loud["compute"] | loud["power"])
        rest = ~(stuck | disputed | busy)
        return _Device(rest & ~unknown, busy, stuck, disputed, rest & unknown)

    def _metric(self, number: int, name: str, threshold: float, windows: Windows) -> tuple[Flags, Flags]:
        """Return in which windows the metric can be judged, and in which it reached the threshold."""
        column = self._laid[number].get(USE if name == USE else POWER)
        nothing = np.zeros(len(windows.ends), bool)
        if column is None or (name == OVER_REST and (self.rest is None or self.rest <= 0)):
            return nothing, nothing
        frozen = column.frozen_compute(windows) if name == USE else column.frozen_power(windows)
        return column.readable(windows) & ~frozen, within(self._counts(number, name, threshold), windows) > 0

    def _counts(self, number: int, name: str, threshold: float) -> npt.NDArray[np.int64]:
        key = (number, name, threshold)
        if key not in self._loud:
            column = self._laid[number][USE if name == USE else POWER]
            level = (column.values / self.rest - 1) * 100 if name == OVER_REST and self.rest else column.values
            self._loud[key] = counted(column.ok & (level >= threshold))
        return self._loud[key]

    def _full(self, number: int, windows: Windows) -> Flags:
        """Return in which windows use never fell below full."""
        column = self._laid[number].get(USE)
        if column is None:
            return np.zeros(len(windows.ends), bool)
        fell: Flags = within(counted(column.ok & (column.values < FULL_USE)), windows) == 0
        return fell

    def _of_machine(self, found: Sequence[_Device], check: Idle, windows: Windows, *, agreed: bool) -> Codes:
        count = len(windows.ends)

        def total(name: str) -> npt.NDArray[np.int64]:
            return (
                np.sum([getattr(one, name) for one in found], axis=0, dtype=np.int64)
                if found
                else np.zeros(count, np.int64)
            )

        idle, busy, stuck, disputed = (total(name) for name in ("idle", "busy", "stuck", "disputed"))
        unknown = total("unknown") + max(self.devices - len(found), 0)
        asked = frozenset(check.classes)
        codes = np.full(count, Code.UNKNOWN, np.int8)
        resting = (idle > 0) & (busy + disputed + unknown == 0)
        working = (busy > 0) | ((disputed > 0) & (idle > 0))
        codes[working] = np.where(idle[working] > 0, _asked("partly_idle", asked, Code.REPORTED), Code.COMPLIANT)
        codes[stuck > 0] = _asked("stuck", asked, Code.REPORTED)
        resting &= stuck == 0
        best = Code.FOUND if agreed else Code.REPORTED
        codes[resting] = self._idle(asked, windows, best)[resting]
        return codes

    def _idle(self, asked: frozenset[str], windows: Windows, best: Code) -> Codes:
        """Return what rest is by class: memory tells two of them apart."""
        codes = np.full(len(windows.ends), best, np.int8)
        if not asked or asked >= BY_MEMORY:
            return codes
        columns = [one.get(MEMORY) for one in self._laid]
        known = np.full(len(codes), len(columns) >= self.devices and bool(columns))
        held = np.zeros(len(codes), bool)
        for column in columns:
            if column is None:
                known[:] = False
                continue
            known &= column.readable(windows)
            held |= within(counted(column.ok & (column.values >= HELD_MEMORY.value)), windows) > 0
        codes[known] = np.where(held[known], _asked("context_held", asked, best), _asked("no_process", asked, best))
        codes[~known] = Code.UNKNOWN if asked & BY_MEMORY else Code.COMPLIANT
        return codes


def _signal(metric: str) -> str:
    return "compute" if metric == USE else "power"


def _asked(classification: str, asked: frozenset[str], code: Code) -> Code:
    return code if not asked or classification in asked else Code.COMPLIANT


def levels(machine: Machine, grid: Grid, metric: str) -> tuple[Numbers, Flags]:
    """Return the highest value of `metric` over all devices by bucket, and where every device has one."""
    laid = [
        grid.lay(track.at, track.values[metric]) if metric in track.values else np.full(grid.buckets, np.nan)
        for track in machine.tracks
    ]
    if not laid:
        return np.full(grid.buckets, np.nan), np.zeros(grid.buckets, bool)
    table = np.vstack(laid)
    known: Flags = ~np.isnan(table).any(axis=0)
    return np.fmax.reduce(table, axis=0), known
