"""
GPUs as streams of samples, written as each source has them: the DCGM exporter's, the agent's, recorded, CloudWatch's.

A fault is a machine whose stream lies, with what may be concluded of it. The same table goes through every source.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = 60
SPAN = 150
"""Minutes of history: more than the window of two hours."""
CARD = 80 * 1024**3


@dataclass(frozen=True)
class Sample:
    """One moment of one GPU; None is what its source does not send."""

    at: float
    use: float | None
    watts: float | None
    used: float | None = 0.0
    """Percent of the card's memory."""


Stream = Callable[[int, float, float], Iterator[Sample]]
"""Device, start and end to samples."""


@dataclass(frozen=True)
class Machine:
    """A machine with what its GPUs sent."""

    name: str
    stream: Stream
    expected: bool | frozenset[str]
    """Idle, not idle, or the reasons of not knowing of which one has to be given."""
    devices: int = 2

    @property
    def id(self) -> str:
        return f"i-{self.name}"

    def uuid(self, device: int) -> str:
        return f"GPU-{self.name}-{device}"


def _ticks(start: float, end: float) -> Iterator[tuple[int, float]]:
    count = int((end - start) // MINUTE)
    return ((n, end - 20 - (count - 1 - n) * MINUTE) for n in range(count))


def rest(n: int, device: int = 0) -> float:
    """Return watts that a resting H100 draws: they never stand still."""
    return 68 + math.sin(n * 1.7 + device) * 1.3


def idle(device: int, start: float, end: float) -> Iterator[Sample]:
    for n, at in _ticks(start, end):
        yield Sample(at, 0.0, rest(n, device))


def busy(device: int, start: float, end: float) -> Iterator[Sample]:
    for n, at in _ticks(start, end):
        yield Sample(at, 90.0 + n % 7, 500 + 40 * math.sin(n), 70.0)


def frozen(device: int, start: float, end: float) -> Iterator[Sample]:
    for _, at in _ticks(start, end):
        yield Sample(at, 0.0, 68.37)


def zeros(device: int, start: float, end: float) -> Iterator[Sample]:
    for _, at in _ticks(start, end):
        yield Sample(at, 0.0, 0.0)


def _only(keep: Callable[[int, int], bool], base: Stream = idle) -> Stream:
    """Return `base` with the samples for which `keep` of their number and the count holds."""

    def stream(device: int, start: float, end: float) -> Iterator[Sample]:
        samples = list(base(device, start, end))
        return (sample for n, sample in enumerate(samples) if keep(n, len(samples)))

    return stream


def half_silent(device: int, start: float, end: float) -> Iterator[Sample]:
    return idle(device, start, end) if device % 2 == 0 else iter(())


def nan_use(device: int, start: float, end: float) -> Iterator[Sample]:
    for n, sample in enumerate(idle(device, start, end)):
        yield Sample(sample.at, math.nan if n % 2 else 0.0, math.nan if n % 2 else sample.watts)


def future(device: int, start: float, end: float) -> Iterator[Sample]:
    for sample in idle(device, start, end):
        yield Sample(sample.at + 3_600, sample.use, sample.watts)


def _before(seconds: float, base: Stream) -> Stream:
    """Return `base` by a clock that is so many seconds slow."""

    def stream(device: int, start: float, end: float) -> Iterator[Sample]:
        return (Sample(s.at - seconds, s.use, s.watts, s.used) for s in base(device, start, end))

    return stream


def one_burst(device: int, start: float, end: float) -> Iterator[Sample]:
    samples = list(idle(device, start, end))
    for n, sample in enumerate(samples):
        work = device == 1 and n == len(samples) - 40
        yield Sample(sample.at, 97.0, 480.0) if work else sample


def without_power(device: int, start: float, end: float) -> Iterator[Sample]:
    return (Sample(s.at, s.use, None) for s in idle(device, start, end))


def milliwatts(device: int, start: float, end: float) -> Iterator[Sample]:
    return (Sample(s.at, s.use, (s.watts or 0) / 1000) for s in idle(device, start, end))


SILENT = frozenset({"not_collected", "insufficient_samples", "stale", "missing"})
FAULTS = (
    Machine("idle", idle, True),
    Machine("busy", busy, False),
    Machine("burst", one_burst, False),
    Machine("frozen", frozen, frozenset({"stale"})),
    Machine("dead-now", _only(lambda n, count: n < count - 45), frozenset({"stale"})),
    Machine("dead-before", _only(lambda n, count: n > count - 60), frozenset({"insufficient_samples"})),
    Machine("dead-between", _only(lambda n, count: not 60 < n < 100), frozenset({"insufficient_samples"})),
    Machine("one-sample", _only(lambda n, count: n == count - 1), frozenset({"insufficient_samples"})),
    Machine("zeros", zeros, SILENT),
    Machine("half-silent", half_silent, SILENT),
    Machine("silent", _only(lambda n, count: False), SILENT),
    Machine("nan", nan_use, frozenset({"insufficient_samples"})),
    Machine("future", future, frozenset({"future_timestamp", "insufficient_samples"})),
    Machine("slow-clock", _before(1_800, idle), frozenset({"stale", "insufficient_samples"})),
    Machine("no-power", without_power, SILENT),
    Machine("kilowatts", milliwatts, SILENT | {"source_error"}),
)
"""Every row has to hold whatever the source: what is not known is never idle."""


def samples(machine: Machine, now: datetime) -> Iterator[tuple[int, Sample]]:
    """Yield the samples of a machine, by device."""
    end = now.timestamp()
    for device in range(machine.devices):
        for sample in machine.stream(device, end - SPAN * MINUTE, end):
            yield device, sample


Families = dict[str, dict[tuple[tuple[str, str], ...], list[tuple[float, float]]]]


def _add(families: Families, name: str, labels: Mapping[str, str], at: float, value: float | None) -> None:
    if value is not None:
        families.setdefault(name, {}).setdefault(tuple(labels.items()), []).append((round(at, 3), value))


def dcgm(machines: Iterable[Machine], now: datetime, **more: str) -> Families:
    """Return the series of the DCGM exporter."""
    families: Families = {}
    for machine in machines:
        for device, s in samples(machine, now):
            labels = {"gpu": str(device), "UUID": machine.uuid(device), "instance_id": machine.id, **more}
            labels |= {"Hostname": f"host-{machine.name}", "modelName": "NVIDIA H100 80GB HBM3", "pod": ""}
            _add(families, "DCGM_FI_DEV_GPU_UTIL", labels, s.at, s.use)
            _add(families, "DCGM_FI_DEV_POWER_USAGE", labels, s.at, s.watts)
            used = None if s.used is None else s.used * 800
            _add(families, "DCGM_FI_DEV_FB_USED", labels, s.at, used)
            _add(families, "DCGM_FI_DEV_FB_FREE", labels, s.at, None if used is None else 80_000 - used)
    return families


def agent(machines: Iterable[Machine], now: datetime, **more: str) -> Families:
    """Return the series of `bursar agent`."""
    families: Families = {}
    for machine in machines:
        for device, s in samples(machine, now):
            labels = {"gpu": str(device), "uuid": machine.uuid(device), "instance_id": machine.id, **more}
            _add(families, "bursar_gpu_utilization_peak_percent", labels, s.at, s.use)
            _add(families, "bursar_gpu_power_peak_watts", labels, s.at, s.watts)
            used = None if s.used is None else s.used * CARD / 100
            _add(families, "bursar_gpu_memory_used_bytes", labels, s.at, used)
            _add(families, "bursar_gpu_memory_free_bytes", labels, s.at, None if used is None else CARD - used)
    return families


def recorded(machine: Machine, now: datetime) -> Iterator[str]:
    """Yield the lines of the agent's file; a number that is none stands as JSON cannot say it."""
    by_time: dict[float, list[tuple[int, Sample]]] = {}
    for device, sample in samples(machine, now):
        by_time.setdefault(sample.at, []).append((device, sample))
    for at, found in sorted(by_time.items()):
        gpus = [
            {
                "index": str(device),
                "uuid": machine.uuid(device),
                **({} if s.use is None else {"utilization_peak_percent": s.use}),
                **({} if s.watts is None else {"power_peak_watts": s.watts}),
                **({} if s.used is None else _memory(s.used)),
            }
            for device, s in found
        ]
        moment = datetime.fromtimestamp(at, UTC).isoformat()
        head = {"bursar.agent": 1, "at": moment, "host": f"host-{machine.name}", "instance": machine.id, "interval": 60}
        yield json.dumps({**head, "gpus": gpus}) + "\n"


def _memory(percent: float) -> dict[str, float]:
    used = percent * CARD / 100
    return {"memory_used_bytes": used, "memory_free_bytes": CARD - used}


def labelled(*all_families: Families) -> dict[str, list]:
    """Return families as promtool's loader takes them."""
    found: dict[str, list] = {}
    for families in all_families:
        for name, series in families.items():
            found.setdefault(name, []).extend((dict(labels), points) for labels, points in series.items())
    return found
