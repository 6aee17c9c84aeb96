"""
A kind made up for tests of expressions, and resources of it: complete ones, and ones with every
sort of ignorance. Called by the generator of expressions and by the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from engine.expr.env import Env
from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from engine.values import Answer, Reason, Unknown

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = ("running", "stopped")
KEYS = ("owner", "team", "cost-center", "Env", "in")
WINDOWS = (timedelta(hours=1), timedelta(hours=4))
FUNCTIONS = ("avg", "max", "min", "sum")
TEXTS = ("", "a", "ml-1", "ML-1", "prod", "Prod", "running", "é", "İ", "😀", 'a"b', "a'b", "a\\b", "a b", "line\nbreak")

KIND = Kind(
    "test.machine",
    "Test machine",
    ("compute.instance",),
    (
        Field("state", Type.STRING, "State.", values=STATES),
        Field("running", Type.BOOL, "Running."),
        Field("launched", Type.TIMESTAMP, "Launched."),
        Field("uptime", Type.DURATION, "Uptime.", group="hardware"),
        Field("accelerator.count", Type.NUMBER, "Accelerators.", group="hardware"),
        Field("vcpus", Type.NUMBER, "CPUs.", group="hardware"),
        Field("volume.size_gib", Type.NUMBER, "Size.", unit="GiB"),
        Field("share", Type.NUMBER, "Share in use.", unit="percent"),
        Field("model", Type.STRING, "Model.", optional=True),
        Field("encrypted", Type.BOOL, "Encrypted.", group="encryption"),
        Field("types", Type.STRINGS, "Types."),
    ),
    (
        Metric("gpu.utilization", "percent", 60, "compute", "Work."),
        Metric("network.in", "bytes", 300, "network", "Received."),
    ),
)

NUMBERS = (0, 1, 2, 8, 40, -1, 0.5, 2.25, 40.0, 100, Decimal("0.5"), Decimal(8), Decimal("-2.25"))
"""Sums of powers of two, so that floats and decimals give the same."""
_AGES = (timedelta(0), timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1), timedelta(days=30))
_PAST = tuple(NOW - age for age in _AGES)
POOLS: Mapping[str, tuple[Any, ...]] = {
    "name": TEXTS,
    "created": _PAST,
    "state": (*STATES, "hibernated"),
    "running": (True, False),
    "launched": _PAST,
    "uptime": (*_AGES, timedelta(hours=-1)),
    "accelerator.count": NUMBERS,
    "vcpus": NUMBERS,
    "volume.size_gib": NUMBERS,
    "share": NUMBERS,
    "model": TEXTS,
    "encrypted": (True, False),
    "types": ((), ("a",), ("ml-1", "prod"), ("prod", "é", "a")),
}
SAMPLES = {"percent": (0.0, 0.5, 2.25, 5.0, 100.0), "bytes": (0.0, 2.0, 1000.0, 1024.0, 1048576.0)}
LIES: tuple[Any, ...] = (
    None, float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), "8", 1, True, "", ("a", 1), ["a"],
    {"a": "b"}, NOW.replace(tzinfo=None), NOW + timedelta(days=1), timedelta.min, timedelta.max,
    10**400, 1e308, b"a", "\ud800",
)  # fmt: skip
"""Values that a collector should not have let through, or that are hard to count with."""


@dataclass
class World:
    """What expressions may ask for beside the resource, by its id."""

    costs: dict[str, Any] = field(default_factory=dict)
    metrics: dict[tuple[str, str, str, timedelta], Any] = field(default_factory=dict)

    @property
    def env(self) -> Env:
        return Env(NOW, lambda resource: self.costs[resource.id], self.metric)

    def metric(self, resource: Resource, function: str, metric: str, window: timedelta) -> float | Unknown:
        answer: float | Unknown = self.metrics[resource.id, function, metric, window]
        return answer


def complete(rng: Random, world: World, identity: str) -> Resource:
    """Return a resource of which every field, the cost and every metric is known; tags may be absent."""
    fields = {name: rng.choice(pool) for name, pool in POOLS.items() if name != "name"}
    tags = {key: rng.choice(TEXTS) for key in KEYS if rng.random() < 0.6}
    world.costs[identity] = rng.choice((Decimal(0), Decimal("0.25"), Decimal("2.5"), Decimal(8)))
    for metric in KIND.metrics:
        for function in FUNCTIONS:
            for window in WINDOWS:
                world.metrics[identity, function, metric.name, window] = rng.choice(SAMPLES[metric.unit])
    region = rng.choice(("eu-west-1", "prod", ""))
    return Resource(KIND.name, identity, "123456789012", region, rng.choice(TEXTS), fields, tags)


def ignorance(rng: Random, path: str = "") -> Unknown:
    """Return one of the reasons for which a value is not known."""
    return Unknown(rng.choice(list(Reason)), rng.choice(("", "detail")), path)


def gappy(rng: Random, world: World, identity: str) -> Resource:
    """Return a resource of which some is missing, some unknown and some wrong."""
    whole = complete(rng, world, identity)
    fields: dict[str, Answer] = {name: _damaged(rng, value) for name, value in whole.fields.items()}
    if rng.random() < 0.1:
        fields[rng.choice(("id", "region", "name", "age", "kind"))] = _damaged(rng, rng.choice(LIES))
    fields = {name: value for name, value in fields.items() if rng.random() < 0.85}
    tags = {key: rng.choice(LIES) if rng.random() < 0.05 else value for key, value in whole.tags.items()}
    gaps = {group: ignorance(rng) for group in ("core", "hardware", "encryption", "tags") if rng.random() < 0.2}
    world.costs[identity] = _damaged(rng, world.costs[identity], (Decimal("NaN"), Decimal("Infinity")))
    for key in [key for key in world.metrics if key[0] == identity]:
        world.metrics[key] = _damaged(rng, world.metrics[key], (float("nan"), float("inf")))
    return replace(whole, fields=fields, tags=tags, gaps=gaps)


def _damaged(rng: Random, value: Any, lies: tuple[Any, ...] = LIES) -> Any:
    chance = rng.random()
    if chance < 0.15:
        return ignorance(rng, rng.choice(("", "resource.other")))
    return rng.choice(lies) if chance < 0.25 else value


def cel_data(resource: Resource, world: World) -> dict[str, Any]:
    """Return a complete resource as the variables of a CEL expression, numbers as doubles."""
    found: dict[str, Any] = {
        "resource.kind": resource.kind,
        "resource.id": resource.id,
        "resource.account": resource.account,
        "resource.region": resource.region,
        "resource.name": resource.name or resource.id,
        "resource.age": NOW - resource.fields["created"],  # type: ignore[operator]
        "tags": dict(resource.tags),
        "cost.hourly": float(world.costs[resource.id]),
        "cost.monthly": float(world.costs[resource.id]) * 730,
        "now": NOW,
    }
    found |= {f"resource.{name}": _cel_value(value) for name, value in resource.fields.items()}
    found["metrics"] = {
        f"{function} {metric} {window.total_seconds():.0f}": value
        for (identity, function, metric, window), value in world.metrics.items()
        if identity == resource.id
    }
    return found


def _cel_value(value: Any) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    return list(value) if isinstance(value, tuple) else value
