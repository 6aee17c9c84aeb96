"""Turn what an expression read into evidence."""

from __future__ import annotations

from collections.abc import Iterable

from engine.expr.interpret import Reading
from engine.findings import Evidence
from engine.values import Truth, Unknown


def evidence_of(trace: Iterable[Reading]) -> tuple[Evidence, ...]:
    """Return one piece of evidence for each distinct path that was read, in order."""
    found = {reading.path: Evidence(reading.path, reading.value, reading.unit) for reading in trace}
    return tuple(found.values())


def unknowns_of(trace: Iterable[Reading], answer: Truth) -> tuple[Unknown, ...]:
    """Return what kept `answer` from being known: nothing when it is known, never nothing otherwise."""
    if not isinstance(answer, Unknown):
        return ()
    found = {r.path: r.value for r in trace if isinstance(r.value, Unknown)}
    return tuple(found.values()) or (answer,)
