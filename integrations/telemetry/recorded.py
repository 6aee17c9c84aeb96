"""
GPU telemetry from files that `bursar agent` wrote.

Files are read line by line, once; what is kept is one number a bucket, device and metric.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from engine.kinds import Kind, Metric
from engine.model import KindNeeds, Resource, Scope, ScopeReport, ScopeStatus, Series
from engine.values import Reason, Unknown
from integrations.nvml.samples import GpuSample, HostSample, decode
from integrations.telemetry.frame import Frame, frame_of
from integrations.telemetry.grid import sample_counts, series_of
from integrations.telemetry.joining import FLOOR, Claims, Directory, Sender
from integrations.telemetry.merging import merged_devices
from integrations.telemetry.owners import held_series
from integrations.telemetry.port import TELEMETRY, Device, Measured
from integrations.telemetry.reach import Reach, wanted_of_devices

VALUE = {
    "gpu.utilization": "utilization_peak_percent",
    "gpu.power": "power_peak_watts",
    "gpu.memory_used": "memory_used_bytes",
    "gpu.video": "encoder_percent",
    "gpu.fault": "fault",
}
"""The recorded value of each metric; memory is used of used and free, video the higher of encoder and decoder."""
OWNERS = {"sessions.active": "sessions_active", "jobs.running": "jobs_running"}
"""The recorded value of each metric of the whole machine."""
MOST_LINE = 1024 * 1024
"""Characters of a line; eight GPUs take about four thousand."""


@dataclass(frozen=True, slots=True)
class RecordedSettings:
    """Which files are read."""

    files: tuple[str, ...]
    """Paths, or patterns of them such as `/var/lib/bursar/*.jsonl*`."""
    folder: Path = Path()
    """What relative ones start from."""
    gpus: Mapping[str, str] = field(default_factory=dict)
    """GPU UUID to the id of the resource it is in."""
    reach: Reach = field(default_factory=Reach)
    floor: float = FLOOR
    required: bool = True


@dataclass
class _Kept:
    """The samples of one metric of one device."""

    values: array[float]
    counts: array[int]


@dataclass
class _Held:
    """What the files hold for one grid."""

    kept: dict[tuple[str, Device, str], _Kept] = field(default_factory=dict)
    """By key of the resource, device and metric."""
    devices: dict[str, set[Device]] = field(default_factory=dict)
    owners: dict[tuple[str, str], dict[str, dict[int, float]]] = field(default_factory=dict)
    """By key of the resource and metric: levels by holder and bucket of five minutes."""
    keyless: set[Device] = field(default_factory=set)
    files: int = 0
    broken: int = 0
    """Lines that are no samples."""


class RecordedSource:
    """A source of telemetry; safe to use from several threads."""

    def __init__(self, settings: RecordedSettings, now: datetime) -> None:
        self._settings = settings
        self._now = now
        self._claims = Claims()
        self._directory = Directory(settings.gpus)
        self._lock = threading.Lock()
        self._read: dict[timedelta, _Held | Unknown] = {}
        self._joined: set[str] = set()

    @property
    def name(self) -> str:
        return f"recorded {', '.join(self._settings.files)}"

    def measure(self, kind: Kind, resources: Sequence[Resource], need: KindNeeds, region: str) -> list[Measured]:
        """Return what the files hold of each resource, in order."""
        del region
        wanted = {**wanted_of_devices(kind, need, VALUE), **wanted_of_devices(kind, need, OWNERS, "")}
        mine = [n for n, resource in enumerate(resources) if self._settings.reach.holds(kind, resource)]
        found = [Measured()] * len(resources)
        if not wanted or not mine:
            return found
        window = max(wanted.values())
        frame = frame_of(window, 60, self._now)
        with self._lock:
            if window not in self._read:
                self._read[window] = _held(self._paths(), frame, self._directory)
            held = self._read[window]
        signals = {metric.signal for metric in wanted}
        if isinstance(held, Unknown):
            gap = Measured((), dict.fromkeys(signals, held), self._settings.required)
            return [gap if n in mine else one for n, one in enumerate(found)]
        claimed = self._claims.claim([resources[n] for n in mine], held.devices)
        for position, keys in zip(mine, claimed, strict=True):
            found[position] = self._one(keys, held, list(wanted), frame)
        return found

    def _one(self, keys: tuple[str, ...] | Unknown, held: _Held, wanted: Sequence[Metric], frame: Frame) -> Measured:
        signals = {metric.signal for metric in wanted}
        if isinstance(keys, Unknown) or not keys:
            gap = keys if isinstance(keys, Unknown) else self._lost(held)
            return Measured() if gap is None else Measured((), dict.fromkeys(signals, gap), self._settings.required)
        with self._lock:
            self._joined.update(keys)
        pairs = [
            (device, _series(metric, device, kept, frame))
            for key in keys
            for device in sorted(held.devices[key], key=lambda one: (one.index, one.uuid))
            for metric in wanted
            if (kept := held.kept.get((key, device, metric.name))) is not None
        ]
        pairs += [(Device(), series) for series in _owned(keys, held, wanted, frame)]
        gaps: dict[str, Unknown] = {}
        return Measured(tuple(merged_devices(wanted, pairs, gaps)), gaps, self._settings.required)

    def _lost(self, held: _Held) -> Unknown | None:
        keyed = sum(len(found) for found in held.devices.values())
        total = keyed + len(held.keyless)
        if total and keyed * 100 / total >= self._settings.floor:
            return None
        detail = f"{len(held.keyless)} of {total} recorded GPUs do not say which machine they are in"
        return Unknown(Reason.SOURCE_ERROR, detail if total else f"{self.name} holds no sample of the window")

    def _paths(self) -> list[Path]:
        folder = self._settings.folder
        found: list[Path] = []
        for pattern in self._settings.files:
            path = Path(pattern)
            base, inner = (Path(path.anchor), path.relative_to(path.anchor)) if path.is_absolute() else (folder, path)
            found += sorted(base.glob(str(inner)))
        return found

    def report(self) -> ScopeReport | None:
        """Return what was read and how much of it was joined; None where nothing was asked."""
        with self._lock:
            read, joined = list(self._read.values()), len(self._joined)
        if not read:
            return None
        scope = Scope(self.name, "", TELEMETRY)
        failed = next((one for one in read if isinstance(one, Unknown)), None)
        if failed is not None:
            return ScopeReport(scope, ScopeStatus.FAILED, joined, failed.detail)
        held = max((one for one in read if isinstance(one, _Held)), key=lambda one: len(one.kept))
        lost = self._lost(held)
        if lost is not None:
            return ScopeReport(scope, ScopeStatus.PARTIAL, joined, lost.detail)
        strange = len(held.devices.keys() - self._claims.taken)
        broken = f", {held.broken} broken lines" if held.broken else ""
        detail = f"{held.files} files{broken}; {joined} machines joined, {strange} are not in the estate"
        return ScopeReport(scope, ScopeStatus.COMPLETE, joined, detail)


def _held(paths: Iterable[Path], frame: Frame, directory: Directory) -> _Held | Unknown:
    """Return what the files hold of the time of `frame`."""
    held = _Held()
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for line in _lines(lines):
                    _add_line(held, line, frame, directory)
        except OSError as error:
            return Unknown(Reason.SOURCE_ERROR, f"{path.name} cannot be read: {error.strerror}")
        held.files += 1
    if not held.files:
        return Unknown(Reason.NOT_COLLECTED, "no file of recorded telemetry is there")
    return held


def _lines(lines: TextIO) -> Iterator[str]:
    """Yield the lines; one that does not end comes in pieces, none of which is a sample."""
    while line := lines.readline(MOST_LINE):
        yield line


def _add_line(held: _Held, line: str, frame: Frame, directory: Directory) -> None:
    if not line.strip():
        return
    try:
        sample = decode(line)
    except ValueError:
        held.broken += 1
        return
    at = sample.at.timestamp()
    if not frame.start <= at < frame.until:
        return
    bucket = math.floor((at - frame.start) / frame.step)
    _add_owners(held, sample, bucket, directory)
    for gpu in sample.gpus:
        _add_gpu(held, sample, gpu, bucket, (frame, directory))


def _add_owners(held: _Held, sample: HostSample, bucket: int, directory: Directory) -> None:
    """Keep who uses the machine: by the ids of jobs where they are told."""
    key = directory.key_of(Sender(Device(), instance=sample.instance, host=sample.host))
    for metric, value in OWNERS.items():
        number = sample.owners.values.get(value)
        if not key or number is None:
            continue
        holders = held.owners.setdefault((key, metric), {})
        jobs = sample.owners.jobs if metric == "jobs.running" else ()
        levels = {f"Slurm job {job}": 1.0 for job in jobs} or {"": number}
        for holder, level in levels.items():
            kept = holders.setdefault(holder, {})
            kept[bucket] = max(level, kept.get(bucket, 0.0))


def _owned(keys: Iterable[str], held: _Held, wanted: Iterable[Metric], frame: Frame) -> Iterator[Series]:
    """Yield who uses the machine that has these keys, in buckets of the metric's interval."""
    for metric in wanted:
        found: dict[str, dict[int, float]] = {}
        step = max(frame.step, metric.interval)
        wide = replace(frame, step=step, interval=metric.interval, end=frame.end - frame.end % step)
        for key in keys:
            for holder, levels in held.owners.get((key, metric.name), {}).items():
                kept = found.setdefault(holder, {})
                for bucket, level in levels.items():
                    place = bucket * frame.step // step
                    kept[place] = max(level, kept.get(place, 0.0))
        if found:
            yield from held_series(metric, "agent", found, wide, f"recorded {OWNERS[metric.name]}")


def _add_gpu(held: _Held, sample: HostSample, gpu: GpuSample, bucket: int, where: tuple[Frame, Directory]) -> None:
    frame, directory = where
    device = Device(gpu.index, gpu.uuid)
    key = directory.key_of(Sender(device, instance=sample.instance, host=sample.host))
    if not key:
        held.keyless.add(device)
        return
    held.devices.setdefault(key, set()).add(device)
    for metric in VALUE:
        value = _value(metric, gpu)
        if value is None:
            continue
        kept = held.kept.get((key, device, metric))
        if kept is None:
            length = (frame.until - frame.start) // frame.step + 1
            kept = held.kept[key, device, metric] = _Kept(array("d", [math.nan]) * length, array("i", [0]) * length)
        known = kept.values[bucket]
        kept.values[bucket] = value if math.isnan(known) else max(known, value)
        kept.counts[bucket] += 1


def _value(metric: str, gpu: GpuSample) -> float | None:
    if metric == "gpu.fault":
        return float(gpu.fault_number)
    if metric == "gpu.video":
        found = [gpu.values[name] for name in ("encoder_percent", "decoder_percent") if name in gpu.values]
        return max(found, default=None)
    if metric != "gpu.memory_used":
        return gpu.values.get(VALUE[metric])
    shares = map(_share, [gpu.values, *(one.values for one in gpu.mig)])
    return max((share for share in shares if share is not None), default=None)


def _share(values: Mapping[str, float]) -> float | None:
    """Return used memory of used and free, in percent."""
    used, free = values.get("memory_used_bytes"), values.get("memory_free_bytes")
    if used is None or free is None or used + free <= 0:
        return None
    return used * 100 / (used + free)


def _series(metric: Metric, device: Device, kept: _Kept, frame: Frame) -> Series:
    """Return the series of one device; buckets after the frame stay only as far as they hold something."""
    last = max((n for n, count in enumerate(kept.counts) if count), default=-1)
    length = max(frame.buckets, last + 1)
    values = tuple(None if math.isnan(value) else value for value in kept.values[:length])
    series = series_of(metric, device.index, frame, values, f"recorded {VALUE[metric.name]}")
    if frame.per_bucket == 1:
        return series
    samples = sample_counts(values, [float(count) for count in kept.counts[:length]], frame.per_bucket)
    return replace(series, samples=samples)
