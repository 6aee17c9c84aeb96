"""What else has to be known of something at rest before it is called idle: other work, other signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.checks.idle_devices import Observed
from engine.checks.idle_look import Look, beside_metrics
from engine.telemetry import WindowReading
from engine.values import Reason, Unknown


@dataclass(frozen=True, slots=True)
class Beside:
    """What was seen beside the metrics that the policy compares."""

    working: str
    """What else is at work, for the summary; empty where nothing is known to be."""
    unknowns: tuple[Unknown, ...]
    looked: tuple[Observed, ...]
    """What protects the resource."""

    @property
    def lacking(self) -> str:
        """What is not known, for the summary: `cpu.utilization`."""
        return ", ".join(dict.fromkeys(unknown.path.partition("[")[0] for unknown in self.unknowns))


def beside_of(look: Look, observed: Sequence[Observed]) -> Beside:
    """Return what speaks against calling a resource idle that was found at rest by `observed`."""
    protecting = look.protecting()
    loud = [(o, r) for o in protecting for r in _known(o) if o.level(r) >= o.threshold.value]
    optional = [
        next((o for o in observed if o.metric is metric), None) or look.glance(metric)
        for metric in beside_metrics(look.check, look.kind)
    ]
    unknowns = [u for o in protecting for u in _unknown(o, expected=1)]
    unknowns += [u for o in optional for u in _unknown(o, expected=0)]
    return Beside(_working(loud), tuple(dict.fromkeys(unknowns)), tuple(protecting))


def _known(observed: Observed) -> list[WindowReading]:
    return [reading for reading in observed.readings.values() if not isinstance(reading, Unknown)]


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
    """Return what else works: `but cpu.utilization reached 20%`."""
    said = dict.fromkeys(f"{o.metric.name} reached {o.threshold.text}" for o, _ in loud)
    return f"but {' and '.join(said)}" if said else ""
