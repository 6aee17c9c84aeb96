"""What devices of a machine say is broken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from engine.faults import DRIVER, fault_text
from engine.findings import Evidence
from engine.kinds import Kind
from engine.model import Resource, Series
from engine.telemetry import Window


@dataclass(frozen=True, slots=True)
class Fault:
    """What one device says is broken."""

    device: str
    number: float
    new: bool
    """True where it came up in the window, or the driver says so still. Exporters keep an old error until they end."""
    source: str

    @property
    def text(self) -> str:
        return fault_text(self.number)

    @property
    def evidence(self) -> Evidence:
        path = f"gpu.fault[{self.device}]"
        return Evidence(path, self.number, "", "0 where nothing is broken", f"{self.text}; {self.source}")


def faults_of(resource: Resource, kind: Kind, window: Window) -> dict[str, Fault]:
    """Return the faults of the window, by device."""
    metric = next((m for m in kind.metrics if m.signal == "health"), None)
    if metric is None:
        return {}
    found: dict[str, Fault] = {}
    for series in resource.metrics.get(metric.name, ()):
        fault = _of_series(series, window)
        if fault is not None:
            found[series.device] = fault
    return found


def _of_series(series: Series, window: Window) -> Fault | None:
    step = timedelta(seconds=series.step)
    values = [
        value
        for index, value in enumerate(series.values)
        if value is not None and math.isfinite(value) and window.start - step < series.start + index * step < window.end
    ]
    broken = [number for number, value in enumerate(values) if fault_text(value)]
    if not broken:
        return None
    last = values[broken[-1]]
    fresh = any(value != last for value in values)
    return Fault(series.device, last, fresh or last >= DRIVER, series.source)
