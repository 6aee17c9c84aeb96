"""
What several sources know of one resource, as one.

Samples of one device are joined, and the higher value of a bucket wins: work that one source saw is work. Sources
that contradict each other over what they both saw leave the metric unknown, with what each of them says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from engine.kinds import Kind, Metric
from engine.model import Series
from engine.telemetry import FEWEST_BUCKETS, FROZEN_SAMPLES
from engine.values import Reason, Unknown
from integrations.telemetry.grid import coarser, joined
from integrations.telemetry.port import BY_DEVICE, Device, Measured

TOLERANCE = 25.0
"""
Points of a percentage, or percent of the higher value, by which the peaks of two sources may differ. Both read
the same counters a few seconds apart, so over a window they agree within a few points; a source that shows a
GPU at rest which another one sees at work is 50 and more away.
"""


def merged_measurements(kind: Kind, found: Sequence[Measured]) -> Measured:
    """Return what the sources know together of one resource of `kind`."""
    gaps = _gaps(kind, found)
    telling = [one for one in found if one.series]
    series: tuple[tuple[Device, Series], ...] = telling[0].series if telling else ()
    if len(telling) > 1:
        series = tuple(merged_devices(kind.metrics, [pair for one in telling for pair in one.series], gaps))
    blocked = {signal for one in found if one.required for signal in one.gaps}
    if blocked:
        series = tuple(pair for pair in series if kind.metric_by_name[pair[1].metric].signal not in blocked)
    return Measured(series, gaps)


def _gaps(kind: Kind, found: Sequence[Measured]) -> dict[str, Unknown]:
    """
    Return the first gap of each signal; those of required sources come first.

    Of what not every source has, a source that nobody requires says nothing while another one is heard.
    """
    gaps: dict[str, Unknown] = {}
    optional = {metric.signal for metric in kind.metrics if metric.optional}
    heard = any(one.series for one in found)
    for one in sorted(found, key=lambda measured: not measured.required):
        for signal, gap in one.gaps.items():
            if one.required or not (heard and signal in optional):
                gaps.setdefault(signal, gap)
    return {metric.signal: gaps[metric.signal] for metric in kind.metrics if metric.signal in gaps}


@dataclass
class _Cluster:
    """One device under the names that sources have for it."""

    indexes: set[str] = field(default_factory=set)
    uuids: set[str] = field(default_factory=set)

    def is_(self, device: Device) -> bool:
        """Return whether `device` is this one: by its UUID, and by its index where a UUID is not known to both."""
        if device.uuid and self.uuids:
            return device.uuid in self.uuids
        return bool(device.index) and device.index in self.indexes

    def add(self, device: Device) -> None:
        self.indexes |= {device.index} - {""}
        self.uuids |= {device.uuid} - {""}

    @property
    def device(self) -> Device:
        return Device(min(self.indexes, default=""), min(self.uuids, default=""))


def merged_devices(
    metrics: Sequence[Metric], pairs: Sequence[tuple[Device, Series]], gaps: dict[str, Unknown]
) -> list[tuple[Device, Series]]:
    """Return the series with one for each device and metric; what cannot be merged becomes a gap of its signal."""
    clusters = _clusters(device for device, _ in pairs)
    merged: list[tuple[Device, Series]] = []
    for metric in metrics:
        mine = [(device, series) for device, series in pairs if series.metric == metric.name]
        if metric.devices != BY_DEVICE:
            merged += _wholes(mine, metric, gaps)
            continue
        if any(not (device.index or device.uuid) for device, _ in mine):
            gaps[metric.signal] = Unknown(Reason.SOURCE_ERROR, "a source does not say which device it measured")
            continue
        for cluster in clusters:
            own = [series for device, series in mine if cluster.is_(device)]
            series = _one(own, metric, _name(cluster, clusters)) if own else None
            if isinstance(series, Unknown):
                gaps[metric.signal] = series
            elif series is not None:
                merged.append((cluster.device, series))
    return merged


def _wholes(
    mine: Sequence[tuple[Device, Series]], metric: Metric, gaps: dict[str, Unknown]
) -> list[tuple[Device, Series]]:
    """Return series that are of no accelerator with one for each name: what one source saw is there."""
    found: dict[tuple[Device, str], Series] = {}
    for device, series in mine:
        key = (device, series.device)
        other = found.setdefault(key, series)
        if other is series:
            continue
        step = max(series.step, other.step)
        one, two = coarser(other, step, metric.reduce), coarser(series, step, metric.reduce)
        if one is None or two is None:
            detail = "two sources have grids that do not fit each other"
            gaps[metric.signal] = Unknown(Reason.SOURCE_ERROR, detail, metric.name)
        else:
            found[key] = joined(one, two)
    return [(device, series) for (device, _), series in found.items()]


def _clusters(devices: Iterable[Device]) -> list[_Cluster]:
    """Return the devices that are there. Those with a UUID come first: an index alone joins them."""
    clusters: list[_Cluster] = []
    for device in sorted(set(devices), key=lambda d: (not d.uuid, d.index, d.uuid)):
        known = next((cluster for cluster in clusters if cluster.is_(device)), None)
        if known is None:
            clusters.append(known := _Cluster())
        known.add(device)
    return clusters


def _name(cluster: _Cluster, clusters: Sequence[_Cluster]) -> str:
    """Return the index of a device where it has one that no other has; else its UUID."""
    own = sorted(cluster.indexes)
    if len(own) == 1 and sum(own[0] in other.indexes for other in clusters) == 1:
        return own[0]
    return min(cluster.uuids or cluster.indexes)


def _one(found: Sequence[Series], metric: Metric, name: str) -> Series | Unknown:
    """Return one series of a device from those of several sources, or why they cannot be one."""
    step = max(series.step for series in found)
    fitted = [coarser(series, step, metric.reduce) for series in found]
    stopped = next((series for series in found if len(found) > 1 and _stopped(series, metric)), None)
    if stopped is not None:
        detail = f"device {name}: {stopped.source} repeats its last value: the exporter looks stopped"
        return Unknown(Reason.STALE, detail, metric.name)
    first, *others = (series for series in fitted if series is not None)
    if len(others) + 1 < len(found):
        return Unknown(Reason.SOURCE_ERROR, "two sources have grids that do not fit each other", metric.name)
    for other in others:
        quarrel = _disagreement(first, other, metric)
        if quarrel:
            return Unknown(Reason.SOURCE_ERROR, f"device {name}: {quarrel}", metric.name)
        source = first.source if other.source in first.source else f"{first.source} and {other.source}"
        first = replace(joined(first, other), source=source)
    return replace(first, device=name)


def _stopped(series: Series, metric: Metric) -> bool:
    """
    Return whether one source repeats a last value.

    It has to be seen before sources are joined: the samples of a live one would make it look alive.
    """
    present = [(index, value) for index, value in enumerate(series.values) if value is not None]
    if not present:
        return False
    newest = present[-1][1]
    changed = next((index for index, value in reversed(present) if value != newest), -1)
    still = present[-1][0] - changed
    if metric.signal == "power":
        return still >= FROZEN_SAMPLES and not newest.is_integer()
    return metric.signal == "compute" and changed < 0 and still >= FROZEN_SAMPLES and 0 < newest < 99.5


def _disagreement(one: Series, other: Series, metric: Metric) -> str:
    """Return how two sources contradict each other over the time that both saw; empty where they do not."""
    offset = round((one.start - other.start).total_seconds() / one.step)
    both = [
        (a, b)
        for index, a in enumerate(one.values)
        if a is not None and 0 <= index + offset < len(other.values)
        if (b := other.values[index + offset]) is not None
    ]
    if len(both) < FEWEST_BUCKETS:
        return ""
    high, low = max(a for a, _ in both), max(b for _, b in both)
    allowed = TOLERANCE if metric.unit == "percent" else max(high, low) * TOLERANCE / 100
    if abs(high - low) <= allowed:
        return ""
    unit = "%" if metric.unit == "percent" else f" {metric.unit}"
    return f"{one.source} peaks at {high:.0f}{unit} where {other.source} peaks at {low:.0f}{unit}"
