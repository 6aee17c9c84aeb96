"""From the readings of several metrics to the state of each device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.kinds import Metric
from engine.policy.checks import Quantity
from engine.telemetry import WindowReading
from engine.values import Reason, Unknown

FULL_USE = 95.0
"""Percent of utilisation, never undercut in the window, at which a device claims to be fully used."""


class DeviceState(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    STUCK = "stuck"
    """Fully used by its utilisation, at rest by its power: a hung collective or a spinning kernel."""
    DISPUTED = "disputed"
    """At rest by its utilisation, at work by its power: not idle, and one of the two sources is wrong."""
    FAULTED = "faulted"
    """Broken: paid for and unusable."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observed:
    """One metric of the policy over the window."""

    metric: Metric
    threshold: Quantity
    readings: Mapping[str, WindowReading | Unknown]

    @property
    def known(self) -> dict[str, WindowReading]:
        """The readings that are known, by device."""
        return {device: reading for device, reading in self.readings.items() if not isinstance(reading, Unknown)}

    def level(self, reading: WindowReading) -> float:
        """Return what is compared with the threshold: the total of things counted, else the peak."""
        return reading.total if self.metric.reduce == "sum" else reading.peak


@dataclass(frozen=True, slots=True)
class Device:
    state: DeviceState
    unknowns: tuple[Unknown, ...] = ()


def classify_devices(observed: Sequence[Observed], beside: Sequence[Observed] = ()) -> dict[str, Device]:
    """
    Return the state of each device.

    What is observed `beside` can show that a device works; where it shows nothing, it says nothing.
    Metrics of the whole resource (CPU, network) count for every device. Devices whose names differ
    between metrics are judged each by what is there, and lack the rest.
    """
    own = [o for o in observed if o.metric.devices]
    # One series is expected of the whole resource; of several, each has to be quiet.
    whole: list[tuple[Observed, WindowReading | Unknown | None]] = [
        (o, reading) for o in observed if not o.metric.devices for reading in o.readings.values() or (None,)
    ]
    if not own:
        return {"": _classify(whole)}
    names = dict.fromkeys(name for o in own for name in o.readings)
    named = [name for name in names if not name.startswith("?")]
    silent = max(sum(1 for n in o.readings if n.startswith("?")) for o in own)
    states = {
        name: _classify([(o, o.readings.get(name)) for o in own] + whole + _at_work(beside, name)) for name in named
    }
    fewest = max(len(o.readings) for o in own)
    for number in range(max(fewest - len(named), 0) if silent else 0):
        name = f"?{number}"
        states[name] = Device(DeviceState.UNKNOWN, _silences(own))
    return states


def _at_work(beside: Sequence[Observed], device: str) -> list[tuple[Observed, WindowReading | Unknown | None]]:
    found = ((o, o.readings.get(device)) for o in beside)
    return [(o, r) for o, r in found if isinstance(r, WindowReading) and o.level(r) >= o.threshold.value]


def _silences(own: Sequence[Observed]) -> tuple[Unknown, ...]:
    """Return the reasons of the devices that sent nothing."""
    found = [
        reading
        for o in own
        for name, reading in o.readings.items()
        if name.startswith("?") and isinstance(reading, Unknown)
    ]
    return tuple(dict.fromkeys(found))


def _classify(pairs: Sequence[tuple[Observed, WindowReading | Unknown | None]]) -> Device:
    unknowns: list[Unknown] = []
    quiet: dict[str, WindowReading] = {}
    loud: dict[str, WindowReading] = {}
    for o, reading in pairs:
        if reading is None:
            unknowns.append(_absent(o))
        elif isinstance(reading, Unknown):
            unknowns.append(reading)
        elif o.level(reading) < o.threshold.value:
            quiet[o.metric.signal] = reading
        else:
            loud[o.metric.signal] = reading
    if _spins(quiet, loud):
        return Device(DeviceState.STUCK)
    if "compute" in quiet and set(loud) == {"power"}:
        detail = (
            f"utilisation says idle (peak {quiet['compute'].peak:.0f}%), "
            f"power says busy ({loud['power'].peak:.0f}% over rest)"
        )
        return Device(DeviceState.DISPUTED, (Unknown(Reason.SOURCE_ERROR, detail, "gpu.utilization"),))
    if loud:
        return Device(DeviceState.BUSY)
    if unknowns:
        return Device(DeviceState.UNKNOWN, tuple(unknowns))
    return Device(DeviceState.IDLE)


def _spins(quiet: Mapping[str, WindowReading], loud: Mapping[str, WindowReading]) -> bool:
    """Return whether full use is claimed that power and requests do not bear out; CPUs may well wait busily."""
    if "power" not in quiet or "compute" not in loud or {"power", "requests", "video"} & set(loud):
        return False
    return loud["compute"].low >= FULL_USE


def _absent(o: Observed) -> Unknown:
    silent = next((r for r in o.readings.values() if isinstance(r, Unknown)), None)
    if silent is not None:
        return Unknown(silent.reason, silent.detail, o.metric.name)
    return Unknown(Reason.NOT_COLLECTED, f"nothing sends {o.metric.name} for this device", o.metric.name)
