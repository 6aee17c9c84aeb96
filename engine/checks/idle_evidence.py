"""The evidence of an idle verdict: one line a metric where its devices agree, one a device where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.checks.idle_devices import Observed
from engine.findings import Evidence
from engine.telemetry import WindowReading, path_of
from engine.values import Answer, Unknown


def evidence_of_devices(observed: Iterable[Observed]) -> tuple[Evidence, ...]:
    """Return what was read, in the order of the policy's metrics."""
    found: list[Evidence] = []
    for o in observed:
        readings = list(o.known.items())
        quiet = [(d, r) for d, r in readings if o.level(r) < o.threshold.value]
        loud = [(d, r) for d, r in readings if o.level(r) >= o.threshold.value]
        found.extend(_summarised(o, group, len(o.readings)) for group in (quiet, loud) if group)
        missing = [r for r in o.readings.values() if isinstance(r, Unknown)]
        if missing:
            found.append(Evidence(o.metric.name, missing[0], o.metric.unit, f"below {o.threshold.text}"))
    return tuple(found)


def _summarised(o: Observed, group: Sequence[tuple[str, WindowReading]], total: int) -> Evidence:
    device, highest = max(group, key=lambda pair: o.level(pair[1]))
    value: Answer = round(o.level(highest), 2)
    path = path_of(o.metric, device) if len(group) == 1 and total > 1 else o.metric.name
    source = _provenance([reading for _, reading in group], highest, total)
    return Evidence(path, value, o.metric.unit, f"below {o.threshold.text}", source)


def _provenance(readings: Sequence[WindowReading], highest: WindowReading, total: int) -> str:
    if total == 1:
        return highest.provenance()
    expected = sum(r.expected for r in readings)
    got = sum(r.got for r in readings)
    span = f"{min(r.first for r in readings):%H:%M}-{max(r.last for r in readings):%H:%M} UTC"
    counted = f"{got:,} of {expected:,} samples"
    return f"highest of {len(readings)} of {total} devices, {highest.source}, {counted}, {span}"
