"""What else has to be known of something at rest before it is called idle: other work, other signals, whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.checks.idle_devices import Observed
from engine.checks.idle_look import Look, beside_metrics
from engine.telemetry import WindowReading
from engine.values import Reason, Unknown

HELD = {"sessions": "held", "jobs": "held", "cordon": "cordoned"}
"""Signals that say whose something is, not that anything works, with the class of what they protect."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What was seen beside the metrics that the policy compares."""

    working: str
    """What else is at work, or who holds it, for the summary; empty where nothing is known to."""
    classification: str
    """The class that makes of it."""
    unknowns: tuple[Unknown, ...]
    looked: tuple[Observed, ...]
    """What protects the resource."""

    @property
    def lacking(self) -> str:
        """What is not known, for the summary: `cpu.utilization is not known`."""
        names = list(dict.fromkeys(unknown.path.partition("[")[0] for unknown in self.unknowns))
        return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not known"


def beside_of(look: Look, observed: Sequence[Observed]) -> Beside:
    """Return what speaks against calling a resource idle that was found at rest by `observed`."""
    protecting = look.protecting()
    loud = [(o, r) for o in protecting for r in o.known.values() if o.level(r) >= o.threshold.value]
    optional = [
        next((o for o in observed if o.metric is metric), None) or look.glance(metric)
        for metric in beside_metrics(look.check, look.kind)
    ]
    unknowns = [u for o in protecting for u in _unknown(o, expected=0 if o.metric.optional else 1)]
    unknowns += [u for o in optional for u in _unknown(o, expected=0)]
    return Beside(_working(loud), _class(loud), tuple(dict.fromkeys(unknowns)), tuple(protecting))


def _unknown(observed: Observed, expected: int) -> Iterator[Unknown]:
    """Yield what is not known of a metric, under its name."""
    name = observed.metric.name
    for reading in observed.readings.values():
        if isinstance(reading, Unknown):
            named = reading.path.partition("[")[0] == name
            yield reading if named else Unknown(reading.reason, reading.detail, name)
    if len(observed.readings) < expected:
        yield Unknown(Reason.NOT_COLLECTED, f"nothing sends {name} for this resource", name)


def _working(loud: Sequence[tuple[Observed, WindowReading]]) -> str:
    """Return what else works, or whose it is: `but cpu.utilization reached 20%`, `held by Slurm job 4711`."""
    signals = {o.metric.signal for o, _ in loud}
    work = [o for o, _ in loud if o.metric.signal not in HELD]
    jobs = sorted({reading.device or "a job" for o, reading in loud if o.metric.signal == "jobs"})
    said: list[str] = []
    if work:
        said.append(f"but {' and '.join(dict.fromkeys(f'{o.metric.name} reached {o.threshold.text}' for o in work))}")
    if jobs:
        said.append(f"held by {', '.join(jobs)}")
    if "sessions" in signals:
        said.append("somebody is logged in")
    if "cordon" in signals:
        said.append("its node is cordoned")
    return ", ".join(said)


def _class(loud: Sequence[tuple[Observed, WindowReading]]) -> str:
    """Return the class of what is left alone: taken out of service, else at work, else held."""
    classes = {HELD.get(o.metric.signal, "other_work") for o, _ in loud}
    return next((one for one in ("cordoned", "other_work", "held") if one in classes), "")
