"""The samples of the devices of some resources: from what is listed to queries, and from answers to series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from engine.kinds import Metric
from engine.model import Series
from engine.values import Reason, Unknown
from integrations.prometheus.client import PrometheusClient, Row
from integrations.prometheus.exporters import Exporter, Labels, Published
from integrations.prometheus.index import Index, Listed, jobs_of
from integrations.prometheus.queries import Selection, batches, count_query, value_query
from integrations.prometheus.readings import Part, add_points, device_series
from integrations.telemetry.frame import Frame
from integrations.telemetry.joining import Directory
from integrations.telemetry.merging import merged_devices
from integrations.telemetry.port import Device

Frames = Sequence[tuple[Metric, Frame]]


@dataclass
class Found:
    """What was found of one resource."""

    series: list[tuple[Device, Series]] = field(default_factory=list)
    gaps: dict[str, Unknown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One device of one resource, and how a metric of it is read."""

    resource: int
    device: Device
    metric: Metric
    exporter: Exporter
    published: Published
    frame: Frame
    listed: tuple[Listed, ...]

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(one.sender.part for one in self.listed)


@dataclass(frozen=True)
class Chunk:
    """The questions about the devices of one chunk of resources."""

    client: PrometheusClient
    match: str
    labels: Labels
    directory: Directory
    indexes: Sequence[Index]

    def read(self, keys: Sequence[Sequence[str]], frames: Frames, pool: ThreadPoolExecutor) -> list[Found]:
        """Return the series of the resources that have these keys, by position."""
        found = [Found() for _ in keys]
        asks = [ask for n, own in enumerate(keys) for ask in self._asks(n, own, frames, found[n])]
        grouped: dict[tuple[Published, str, Frame], list[_Ask]] = {}
        for ask in asks:
            grouped.setdefault((ask.published, ask.listed[0].label, ask.frame), []).append(ask)
        answers = pool.map(lambda pair: self._fetched(*pair), grouped.items())
        for mine in answers:
            for ask, series in mine:
                if isinstance(series, Unknown):
                    found[ask.resource].gaps.setdefault(ask.metric.signal, series)
                elif series is not None:
                    found[ask.resource].series.append((ask.device, series))
        for one in found:
            one.series = merged_devices([metric for metric, _ in frames], one.series, one.gaps)
        return found

    def _asks(self, resource: int, keys: Sequence[str], frames: Frames, found: Found) -> Iterable[_Ask]:
        """Yield what to read of each device of a resource; what is known to be amiss becomes a gap."""
        for index in self.indexes:
            devices: dict[Device, list[Listed]] = {}
            for key in keys:
                for listed in index.by_key.get(key, ()):
                    devices.setdefault(listed.sender.device, []).append(listed)
            for device, all_listed in devices.items():
                for metric, frame in frames:
                    ask = _ask(resource, device, all_listed, metric, frame, index.exporter)
                    if isinstance(ask, Unknown):
                        found.gaps.setdefault(metric.signal, ask)
                    elif ask is not None:
                        yield ask

    def _fetched(
        self, key: tuple[Published, str, Frame], asks: Sequence[_Ask]
    ) -> list[tuple[_Ask, Series | Unknown | None]]:
        """Return the series of devices that are asked for alike."""
        published, label, frame = key
        by = tuple(sorted({name for ask in asks for one in ask.listed for name in one.raw}))
        values = [one.value for ask in asks for one in ask.listed]
        parts: dict[tuple[str, Device], dict[str, Part]] = {}
        failed: dict[str, Unknown] = {}
        for some, stretch in batches(values, frame):
            selection = Selection(self.match, label, some, by)
            queries = [(value_query(published, selection, stretch), False)]
            if frame.per_bucket > 1:
                queries.append((count_query(published, selection, stretch), True))
            for query, counts in queries:
                rows = self.client.matrix(query, stretch)
                if isinstance(rows, Unknown):
                    failed.update(dict.fromkeys(some, rows))
                else:
                    self._keep(rows, frame, parts, counts=counts)
        return [(ask, self._answer(ask, failed, parts)) for ask in asks]

    def _keep(
        self, rows: Iterable[Row], frame: Frame, parts: dict[tuple[str, Device], dict[str, Part]], *, counts: bool
    ) -> None:
        for labels, points in rows:
            sender = self.labels.sender(labels)
            part = parts.setdefault((self.directory.key_of(sender), sender.device), {}).setdefault(sender.part, Part())
            add_points(part.counts if counts else part.values, points, frame)

    def _answer(
        self, ask: _Ask, failed: Mapping[str, Unknown], parts: Mapping[tuple[str, Device], Mapping[str, Part]]
    ) -> Series | Unknown | None:
        """Return the series of one device, or why it is not known."""
        for listed in ask.listed:
            if listed.value in failed:
                return failed[listed.value]
        own: dict[str, Part] = {}
        for key in {self.directory.key_of(one.sender) for one in ask.listed}:
            for name, part in parts.get((key, ask.device), {}).items():
                own.setdefault(name, Part()).add(part)
        silent = ask.parts - {name for name, part in own.items() if part.values}
        if own and silent and silent != ask.parts:
            return _silent(ask.device, silent, ask.published)
        job = jobs_of(ask.listed)
        source = f"prometheus {ask.published.series}{f' of {job}' if job else ''}"
        return device_series(ask.metric, ask.device.index, own, ask.published, ask.frame, source)


def _ask(
    resource: int, device: Device, all_listed: Sequence[Listed], metric: Metric, frame: Frame, exporter: Exporter
) -> _Ask | Unknown | None:
    """Return how `metric` of a device is read; None where the exporter sends nothing of it."""
    parts = {one.sender.part for one in all_listed} - {""}
    for published in exporter.metrics.get(metric.name, ()):
        listed = tuple(one for one in all_listed if one.name == published.series)
        if not listed:
            continue
        if parts and metric.signal == "compute":
            # A GPU that is cut into MIG instances has no utilisation as a whole; each instance has to speak.
            if not published.by_part:
                continue
            listed = tuple(one for one in listed if one.sender.part)
            silent = parts - {one.sender.part for one in listed}
            if silent:
                return _silent(device, silent, published)
        return _Ask(resource, device, metric, exporter, published, frame, listed)
    return None


def _silent(device: Device, parts: Iterable[str], published: Published) -> Unknown:
    names = ", ".join(sorted(parts))
    name = device.index or device.uuid
    return Unknown(Reason.INSUFFICIENT_SAMPLES, f"MIG instance {names} of device {name} sends no {published.series}")
