"""What speaks against acting on something idle: other work, or time in which nobody looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.checks.idle_devices import Observed
from engine.checks.idle_look import Look, beside_metrics
from engine.kinds import Metric
from engine.telemetry import WindowReading
from engine.units import format_duration
from engine.values import Unknown


@dataclass(frozen=True, slots=True)
class Doubts:
    """Why something idle is reported and not acted on."""

    working: str
    """What else is at work, for the summary; empty where nothing is known to be."""
    reasons: tuple[str, ...]
    wanted: tuple[str, ...]
    """What would allow an act."""
    looked: tuple[Observed, ...]
    """What protects the resource."""


def doubts_of(look: Look, observed: Sequence[Observed], memory: Observed | None) -> Doubts:
    """
    Return what speaks against acting on an idle resource.

    `observed` is what it was found idle by; `memory` is given where its class decides. Every sample that is
    missing of them, before the newest one, may have been one of work.
    """
    protecting = look.protecting()
    loud = [(o, r) for o in protecting for r in _known(o) if o.level(r) >= o.threshold.value]
    silent = [o for o in protecting if len(_known(o)) < max(len(o.readings), 1)]
    reasons = [f"{o.metric.name} is not known" for o in silent]
    stopping = dict.fromkeys((o.metric.name, o.threshold.text) for o in (*(o for o, _ in loud), *silent))
    wanted = [f"{name} known to stay below {limit}" for name, limit in stopping]
    everything = [*observed, *protecting, *([memory] if memory else [])]
    for metric in beside_metrics(look.check, look.kind):
        found = next((o for o in observed if o.metric is metric), None) or _beside(look, metric)
        everything.append(found)
        if len(_known(found)) < len(found.readings):
            reasons.append(f"{metric.name} is not known")
            wanted.append(f"telemetry: {metric.name}")
    unseen = max((r.unseen for o in everything for r in _known(o)), default=0)
    if timedelta(seconds=unseen) > look.check.unseen:
        reasons.append(f"{format_duration(timedelta(seconds=unseen))} of it unseen")
        wanted.append(f"no sample missing{_but(look.check.unseen)}")
    return Doubts(_working(loud), tuple(reasons), tuple(wanted), tuple(protecting))


def _but(allowed: timedelta) -> str:
    return f" but {format_duration(allowed)} of them" if allowed else ""


def _beside(look: Look, metric: Metric) -> Observed:
    return look.observe(metric, look.check.below[next(iter(look.check.below))])


def _known(observed: Observed) -> list[WindowReading]:
    return [reading for reading in observed.readings.values() if not isinstance(reading, Unknown)]


def _working(loud: Sequence[tuple[Observed, WindowReading]]) -> str:
    """Return what else works: `but cpu.utilization reached 20%`."""
    said = dict.fromkeys(f"{o.metric.name} reached {o.threshold.text}" for o, _ in loud)
    return f"but {' and '.join(said)}" if said else ""
