"""
Power at rest by GPU model, learned from recordings: what the guard of `gpu.power_over_idle` is measured against.

A GPU rests where its use is 0 in a sample and in both beside it: power falls some seconds after the work. Whether a
process holds it is told by memory; without memory it is not known, and nothing is learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.backtest.recording import MEMORY, POWER, USE, Flags, Numbers, Track
from engine.telemetry import FROZEN_SAMPLES, LEAST_WATTS

LOADED = 1.0
"""Percent of memory from which a GPU is held: drivers take less."""
FEWEST_SAMPLES = 60
"""Resting samples of a device that count; fewer may be the time in which clocks come down."""
FEWEST_DEVICES = 3
"""One board may be odd."""
BESIDE = 300.0
"""Seconds above which two samples do not stand beside each other."""


@dataclass(frozen=True, slots=True)
class AtRest:
    """What one device drew at rest, in watts: 5th, 50th and 99th percentile."""

    low: float
    middle: float
    high: float
    samples: int


@dataclass(frozen=True, slots=True)
class ModelPower:
    """What a GPU model draws at rest."""

    model: str
    bare: float | None
    """Watts with nothing loaded: the median of the devices' medians; None where too few were seen so."""
    held: float | None
    """The same while memory is held."""
    watts: float | None
    """The upper bound while memory is held: the 90th percentile of the devices' 99th; None where too few were seen."""
    devices: int
    """Devices seen at rest while held, or bare where none was held."""
    samples: int


def resting(track: Track) -> Iterator[tuple[bool, AtRest]]:
    """Yield what the device of `track` drew at rest while it was held (True) and bare (False), where it is known."""
    if not {USE, POWER, MEMORY} <= track.values.keys():
        return
    power, memory = track.values[POWER], track.values[MEMORY]
    still = _still(track.at, track.values[USE]) & np.isfinite(power) & (power >= LEAST_WATTS)
    for held in (True, False):
        watts = power[still & ((memory >= LOADED) if held else (memory < LOADED))]
        if len(watts) >= FEWEST_SAMPLES and not _stopped(watts):
            low, middle, high = np.quantile(watts, (0.05, 0.5, 0.99))
            yield held, AtRest(float(low), float(middle), float(high), len(watts))


def _still(at: Numbers, use: Numbers) -> Flags:
    """Return where use is 0 in a sample and in both beside it."""
    still = use == 0
    joined = still[1:] & still[:-1] & (np.diff(at) <= BESIDE)
    found: Flags = still & np.r_[False, joined] & np.r_[joined, False]
    return found


def _stopped(watts: Numbers) -> bool:
    """Return whether one value, in fractions of a watt, repeats throughout: a stopped exporter."""
    first = float(watts[0])
    return len(watts) >= FROZEN_SAMPLES and bool((watts == first).all()) and not first.is_integer()


def power_of(devices: Iterable[tuple[str, bool, AtRest]]) -> tuple[ModelPower, ...]:
    """Return the power at rest of each model of `devices`: model, whether it was held, and what it drew."""
    found: dict[str, dict[bool, list[AtRest]]] = {}
    for model, held, rest in devices:
        found.setdefault(model, {True: [], False: []})[held].append(rest)
    return tuple(_model(model, found[model]) for model in sorted(found))


def _model(model: str, found: Mapping[bool, Sequence[AtRest]]) -> ModelPower:
    held = found[True] if len(found[True]) >= FEWEST_DEVICES else []
    bare = found[False] if len(found[False]) >= FEWEST_DEVICES else []
    counted = found[True] or found[False]
    return ModelPower(
        model,
        _median(bare),
        _median(held),
        float(np.quantile([one.high for one in held], 0.9)) if held else None,
        len(counted),
        sum(one.samples for one in counted),
    )


def _median(found: Sequence[AtRest]) -> float | None:
    return float(np.median([one.middle for one in found])) if found else None
