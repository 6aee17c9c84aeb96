"""Recorded machines for tests of replays: a minute a sample from a Monday morning on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from actions.catalog import remediations
from engine.backtest.latency import Latency
from engine.backtest.model import Clock, Conduct, Outcome
from engine.backtest.prepare import Aims, Prepared, prepare
from engine.backtest.recording import MEMORY, POWER, USE, Grid, Machine, Track
from engine.backtest.replay import assess, replay
from engine.backtest.sweep import settings_of
from engine.checks.context import Context
from engine.planning import Installation
from engine.policy.model import Mode, Policy, RunLimits
from tests.engine import estates

START = datetime(2026, 3, 2, 0, tzinfo=UTC)
ORIGIN = int(START.timestamp())
SAMPLE = float | None


def track(
    device: str = "0",
    *,
    use: Sequence[SAMPLE] | None = None,
    watts: Sequence[SAMPLE] | None = None,
    memory: Sequence[SAMPLE] | None = None,
) -> Track:
    """Return the samples of a device, one a minute; None is a minute without a sample of the metric."""
    return _track(device, {USE: use, POWER: watts, MEMORY: memory})


def processors(use: Sequence[SAMPLE]) -> Track:
    """Return the samples of the processors of a machine, one a minute."""
    return _track("", {"cpu.utilization": use})


def _track(device: str, given: Mapping[str, Sequence[SAMPLE] | None]) -> Track:
    values = {
        name: np.array([np.nan if one is None else one for one in found], float)
        for name, found in given.items()
        if found is not None
    }
    length = max(len(found) for found in values.values())
    whole = {name: np.concatenate([found, np.full(length - len(found), np.nan)]) for name, found in values.items()}
    return Track(device, ORIGIN + 60.0 * np.arange(length), whole)


def machine(
    *tracks: Track,
    identity: str = "i-1",
    since: timedelta = timedelta(days=3),
    whole: Track | None = None,
    **changes: object,
) -> Machine:
    """Return a machine that was started `since` before the recording begins."""
    started = START - since
    resource = estates.instance(identity, devices=len(tracks), fields={"launched": started, "created": started})
    fields = {**resource.fields, **changes.pop("fields", {})}  # type: ignore[dict-item]
    return Machine(replace(resource, metrics={}, fields=fields, **changes), tracks, whole)


def still_watts(count: int, around: float = 58.0) -> list[SAMPLE]:
    return [around + 0.1 * (number % 3) for number in range(count)]


def context_at(now: datetime) -> Context:
    return estates.context(now)


def clock_of(minutes: int, every: int = 5) -> Clock:
    grid = Grid(ORIGIN, 60, minutes)
    return Clock.over(grid, every, minutes, every)


def installation() -> Installation:
    return Installation(remediations(), max_mode=Mode.ENFORCE)


def conduct(latency: Latency | None = None, limits: RunLimits | None = None) -> Conduct:
    return Conduct(
        latency or Latency(), estates.zone, limits or RunLimits(10**6, 10**6), frozenset({"stop", "terminate"})
    )


def prepared(
    machines: Sequence[Machine], policies: Sequence[Policy], clock: Clock, *, one_signal: bool = False,
    axes: Mapping[str, Sequence[str]] | None = None,
) -> Prepared:  # fmt: skip
    settings = settings_of(policies, axes or {})
    return prepare(machines, Aims(settings, 5.0, one_signal=one_signal), clock, context_at, installation())


def replayed(
    machines: Sequence[Machine], policies: Sequence[Policy], minutes: int, *, horizon: timedelta = timedelta(hours=1),
    one_signal: bool = False, latency: Latency | None = None, limits: RunLimits | None = None, every: int = 5,
) -> Outcome:  # fmt: skip
    clock = clock_of(minutes, every)
    found = prepared(machines, policies, clock, one_signal=one_signal)
    return assess(replay(found.parts[0], found.fleet, clock, conduct(latency, limits)), found.fleet, clock, horizon)
