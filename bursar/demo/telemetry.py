"""
Make up telemetry that tells a story: what a busy, idle, stuck or silent GPU publishes.

Turns a story and a seeded random source into values at a fixed step; `bursar.demo.company` gives them
names and dimensions and loads them. Powers follow measurements: an H100 with nothing loaded draws
68-74 W and with an open context 110-125 W, an A100 60-66 W and 85-105 W.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType

HISTORY = timedelta(hours=26)
LATE = timedelta(minutes=2)
"""Data points arrive this late."""
QUIET = timedelta(hours=9)
"""How long the frozen exporter repeats itself and the quiet endpoint sees no request."""
DIED = timedelta(hours=2)
WARM_UP = timedelta(minutes=3)
"""From the launch of a machine to its agent's first data point."""

Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU model as its driver reports it. Power in watts, memory in MiB."""

    title: str
    memory: int
    limit: float
    idle: tuple[float, float]
    context: tuple[float, float]


CARDS: Mapping[str, Card] = MappingProxyType(
    {
        "p5": Card("NVIDIA H100 80GB HBM3", 81559, 700, (68, 74), (110, 125)),
        "p4d": Card("NVIDIA A100-SXM4-40GB", 40960, 400, (60, 66), (85, 105)),
        "g5": Card("NVIDIA A10G", 23028, 300, (15, 25), (55, 65)),
        "g6": Card("NVIDIA L4", 23034, 72, (12, 17), (28, 36)),
        "g4dn": Card("Tesla T4", 15360, 70, (9, 12), (25, 30)),
    }
)
"""By family of instance types."""

DEVICES: Mapping[str, int] = MappingProxyType(
    {
        "p5.48xlarge": 8,
        "p4d.24xlarge": 8,
        "g5.12xlarge": 4,
        "g5.24xlarge": 4,
        "g6.12xlarge": 4,
        "g4dn.12xlarge": 4,
    }
)
"""GPUs of the instance types of the demo that have more than one."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where values stand in time."""

    start: datetime
    step: int
    count: int

    @classmethod
    def until(cls, now: datetime, step: int, since: datetime | None = None, history: timedelta = HISTORY) -> Grid:
        """Return the grid of the recorded time up to `now`, from `since` where that is later."""
        last = int((now - LATE).timestamp()) // step * step
        first = last - int(history.total_seconds()) + step
        if since is not None:
            first = max(first, math.ceil(since.timestamp() / step) * step)
        return cls(datetime.fromtimestamp(first, UTC), step, max(0, (last - first) // step + 1))

    def index(self, moment: datetime) -> int:
        """Return the position of the first value at or after a moment, within the grid."""
        passed = math.ceil((moment - self.start).total_seconds() / self.step)
        return min(max(passed, 0), self.count)


@dataclass(frozen=True, slots=True)
class Device:
    """What one GPU publishes: percent, MiB and watts."""

    utilization: Values
    memory: Values
    power: Values


def card_of(instance_type: str) -> Card | None:
    """Return the GPU of an instance type, with or without the prefix `ml.`; None where it has none."""
    return CARDS.get(instance_type.removeprefix("ml.").partition(".")[0])


def devices_of(instance_type: str) -> int:
    """Return how many GPUs an instance type has."""
    return 0 if card_of(instance_type) is None else DEVICES.get(instance_type.removeprefix("ml."), 1)


def gpus(story: str, instance_type: str, grid: Grid, now: datetime, rng: Random) -> list[Device | None]:
    """Return what each GPU of a machine publishes; None for one that publishes nothing."""
    card = card_of(instance_type)
    if card is None:
        return []
    count = devices_of(instance_type)
    match story:
        case "silent" | "stopped" | "cpu":
            return [None] * count
        case "half_silent":
            return [_idle(card, grid, rng) if i % 2 == 0 else None for i in range(count)]
        case "partly_idle":
            return [_busy(card, grid, rng) if i < 2 else _idle(card, grid, rng) for i in range(count)]
        case "frozen":
            return [_frozen(card, grid, now, rng) for _ in range(count)]
        case "agent_died":
            return [_cut(_busy(card, grid, rng), grid.index(now - DIED)) for _ in range(count)]
        case "context_held":
            return [_still(card, grid, rng, 0.0, 0.75, card.context) for _ in range(count)]
        case "stuck":
            return [_still(card, grid, rng, 100.0, 0.8, card.context) for _ in range(count)]
        case "idle" | "too_new":
            return [_idle(card, grid, rng) for _ in range(count)]
        case "serving":
            return [_serving(card, grid, rng) for _ in range(count)]
        case _:
            return [_busy(card, grid, rng) for _ in range(count)]


def _busy(card: Card, grid: Grid, rng: Random) -> Device:
    utilization = _pick(rng, [90, 94, 96, 97, 97, 98, 98, 98, 99, 99], grid.count)
    power = _noise(rng, 0.86 * card.limit, 0.97 * card.limit, grid.count)
    # A checkpoint is written every two hours or so, and the GPUs wait for it.
    for at in range(rng.randrange(60, 120), grid.count, rng.randrange(110, 130)):
        utilization[at] = float(rng.randrange(10, 30))
        power[at] = round(0.4 * card.limit, 2)
    used = rng.uniform(0.84, 0.94) * card.memory
    return Device(utilization, _pick(rng, [round(used) + step for step in (0, 0, 0, 2, 34)], grid.count), power)


def _serving(card: Card, grid: Grid, rng: Random) -> Device:
    utilization = _noise(rng, 22, 64, grid.count, digits=0)
    power = _noise(rng, 0.45 * card.limit, 0.7 * card.limit, grid.count)
    return Device(utilization, [float(round(0.9 * card.memory))] * grid.count, power)


def _idle(card: Card, grid: Grid, rng: Random) -> Device:
    low, high = card.idle
    return Device([0.0] * grid.count, [4.0] * grid.count, _noise(rng, low, high, grid.count))


def _still(
    card: Card, grid: Grid, rng: Random, utilization: float, memory: float, power: tuple[float, float]
) -> Device:
    held = float(round(memory * card.memory))
    return Device([utilization] * grid.count, [held] * grid.count, _noise(rng, *power, grid.count))


def _frozen(card: Card, grid: Grid, now: datetime, rng: Random) -> Device:
    live = _busy(card, grid, rng)
    at = grid.index(now - QUIET)
    held = grid.count - at
    power = round(rng.uniform(*card.idle), 2)
    return Device(
        live.utilization[:at] + [0.0] * held,
        live.memory[:at] + [4.0] * held,
        live.power[:at] + [power] * held,
    )


def _cut(device: Device, at: int) -> Device:
    return Device(device.utilization[:at], device.memory[:at], device.power[:at])


def load(story: str, grid: Grid, rng: Random) -> Mapping[str, Values]:
    """Return what the hypervisor sees of a machine: CPU in percent, network in bytes a period."""
    if story in ("idle", "context_held", "too_new", "frozen", "half_silent", "stuck"):
        spans = {"CPUUtilization": (0.2, 1.6), "NetworkIn": (2e4, 9e4), "NetworkOut": (1e4, 7e4)}
    elif story == "cpu":
        spans = {"CPUUtilization": (18, 71), "NetworkIn": (4e7, 6e8), "NetworkOut": (2e7, 9e8)}
    else:
        spans = {"CPUUtilization": (21, 46), "NetworkIn": (2e9, 8e9), "NetworkOut": (1e9, 7e9)}
    return {
        name: _noise(rng, low, high, grid.count, digits=3 if name == "CPUUtilization" else 0)
        for name, (low, high) in spans.items()
    }


def disk(story: str, grid: Grid, rng: Random) -> Mapping[str, Values]:
    """Return the read and write operations a period of a volume in use."""
    high = 60 if story in ("idle", "context_held", "too_new", "stuck") else 42_000
    return {name: _noise(rng, high / 30, high, grid.count, digits=0) for name in ("VolumeReadOps", "VolumeWriteOps")}


def invocations(story: str, grid: Grid, now: datetime, rng: Random) -> Values:
    """Return requests a minute; a minute without any has no value. Every hour of traffic has some."""
    if story in ("no_traffic", "serverless"):
        return []
    end = grid.index(now - QUIET) if story == "quiet" else grid.count
    values: Values = [float(rng.randrange(1, 240)) if rng.random() < 0.85 else None for _ in range(end)]
    values[::30] = [float(rng.randrange(40, 240)) for _ in values[::30]]
    return values


def hosting(instance_type: str, requests: Values, grid: Grid, rng: Random) -> Mapping[str, Values]:
    """Return what an endpoint's instances publish: CPU and GPU as sums over vCPUs and GPUs."""
    working = [i < len(requests) and requests[i] is not None for i in range(grid.count)]
    found: dict[str, Values] = {
        "CPUUtilization": [round(rng.uniform(60, 260) if w else rng.uniform(0.4, 2), 3) for w in working],
        "MemoryUtilization": _noise(rng, 18, 19, grid.count),
    }
    count = devices_of(instance_type)
    if count:
        found["GPUUtilization"] = [round(count * rng.uniform(18, 76), 3) if w else 0.0 for w in working]
        found["GPUMemoryUtilization"] = [round(count * rng.uniform(71, 72), 3) for _ in working]
    return found


def _noise(rng: Random, low: float, high: float, count: int, *, digits: int = 2) -> Values:
    # A pool of values and one call that draws from it: ten times as fast as a call for each value.
    pool = [round(rng.uniform(low, high), digits) for _ in range(400)]
    return list(rng.choices(pool, k=count))


def _pick(rng: Random, pool: Sequence[float], count: int) -> Values:
    return [float(v) for v in rng.choices(pool, k=count)]
