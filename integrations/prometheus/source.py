"""
GPU telemetry from a Prometheus-compatible server.

The server is asked once whether it is well, and which devices it has; then for each chunk of resources for the
samples of their devices, aggregated to buckets. An empty answer means nothing unless the server has shown that
it would have had an answer.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.kinds import Kind, Metric
from engine.model import KindNeeds, Resource, Scope, ScopeReport, ScopeStatus
from engine.values import Reason, Unknown
from integrations.prometheus.chunk import Chunk, Found
from integrations.prometheus.client import Endpoint, PrometheusClient
from integrations.prometheus.exporters import EXPORTERS, Labels
from integrations.prometheus.index import Index, index_of, named_nodes
from integrations.prometheus.owners import METRICS as OWNERS
from integrations.prometheus.owners import Owners
from integrations.prometheus.queries import listing
from integrations.telemetry.frame import Frame, frame_of
from integrations.telemetry.joining import FLOOR, Claims, Directory
from integrations.telemetry.port import TELEMETRY, Measured
from integrations.telemetry.reach import Reach, wanted_of_devices

SKEW = 60
"""Seconds by which the clock of the server may differ from ours."""
KNOWN = frozenset(name for exporter in EXPORTERS for name in exporter.metrics)


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """One server, and what of it is to be read."""

    endpoint: Endpoint
    match: str = ""
    """Matchers of PromQL without braces: `cluster="training"`."""
    canary: str = "up"
    """A series that is always there; without it the server is taken to be broken."""
    nodes: str = "kube_node_info"
    """The series of kube-state-metrics that says which node is which machine; empty for none."""
    interval: int = 0
    """Seconds between samples, where it is more than the 60 of the declared metrics."""
    labels: Labels = field(default_factory=Labels)
    gpus: Mapping[str, str] = field(default_factory=dict)
    """GPU UUID to the id of the resource it is in."""
    reach: Reach = field(default_factory=Reach)
    floor: float = FLOOR
    required: bool = True
    """Whether the GPUs in reach are unknown while the server does not answer, whatever other sources say."""
    workers: int = 4


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the server has over one window."""

    indexes: tuple[Index, ...]
    directory: Directory

    @property
    def devices(self) -> int:
        return max((index.devices for index in self.indexes), default=0)

    @property
    def keyless(self) -> int:
        return max((index.keyless for index in self.indexes), default=0)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(key for index in self.indexes for key in index.by_key)


class PrometheusSource:
    """A source of telemetry; safe to use from several threads."""

    def __init__(
        self,
        settings: PrometheusSettings,
        now: datetime,
        *,
        clock: Callable[[], float] = time.time,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings = settings
        self._now = now
        self._clock = clock
        self._client = PrometheusClient(settings.endpoint, environment)
        self._claims = Claims()
        self._owners = Owners(self._client, settings.match, settings.nodes, settings.labels, settings.interval, now)
        self._lock = threading.Lock()
        self._opened: dict[timedelta, _Opened | Unknown] = {}
        self._joined: set[str] = set()

    @property
    def name(self) -> str:
        return f"prometheus {self._settings.endpoint.host}"

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def measure(self, kind: Kind, resources: Sequence[Resource], need: KindNeeds, region: str) -> list[Measured]:
        """Return what the server knows of each resource, in order."""
        del region
        wanted = wanted_of_devices(kind, need, KNOWN)
        of_owners = wanted_of_devices(kind, need, OWNERS, "")
        mine = [n for n, resource in enumerate(resources) if self._settings.reach.holds(kind, resource)]
        found = [Measured()] * len(resources)
        if not (wanted or of_owners) or not mine:
            return found
        opened = self._open(max([*wanted.values(), *of_owners.values()]))
        some = [resources[n] for n in mine]
        gpus, owners = self._measured(some, wanted, opened), self._owned(kind, some, of_owners, opened)
        for position, one, other in zip(mine, gpus, owners, strict=True):
            gaps = {**one.gaps, **other.gaps}
            found[position] = Measured((*one.series, *other.series), gaps, self._settings.required)
        return found

    def _owned(
        self,
        kind: Kind,
        resources: Sequence[Resource],
        wanted: Mapping[Metric, timedelta],
        opened: _Opened | Unknown,
    ) -> Sequence[Measured]:
        """Return whose the machines are."""
        if isinstance(opened, Unknown):
            return [self._unread({metric.signal for metric in wanted}, opened)] * len(resources)
        if not wanted:
            return [Measured()] * len(resources)
        return self._owners.measure(kind, resources, wanted, opened.directory)

    def _measured(
        self, resources: Sequence[Resource], wanted: Mapping[Metric, timedelta], opened: _Opened | Unknown
    ) -> list[Measured]:
        signals = {metric.signal for metric in wanted}
        if isinstance(opened, Unknown):
            return [self._unread(signals, opened)] * len(resources)
        claimed = self._claims.claim(resources, opened.keys)
        lost = self._lost(opened)
        chunk = Chunk(self._client, self._settings.match, self._settings.labels, opened.directory, opened.indexes)
        with ThreadPoolExecutor(self._settings.workers) as pool:
            keys_of = [() if isinstance(keys, Unknown) else keys for keys in claimed]
            read = chunk.read(keys_of, list(self._frames(wanted)), pool)
        return [self._one(keys, found, signals, lost) for keys, found in zip(claimed, read, strict=True)]

    def _frames(self, wanted: Mapping[Metric, timedelta]) -> Iterator[tuple[Metric, Frame]]:
        for metric, window in wanted.items():
            yield metric, frame_of(window, max(self._settings.interval, metric.interval), self._now)

    def _one(self, keys: tuple[str, ...] | Unknown, found: Found, signals: set[str], lost: Unknown | None) -> Measured:
        if isinstance(keys, Unknown):
            return self._unread(signals, keys)
        if not keys:
            return self._unread(signals, lost) if lost is not None else Measured()
        with self._lock:
            self._joined.update(keys)
        return Measured(tuple(found.series), found.gaps, self._settings.required)

    def _unread(self, signals: set[str], gap: Unknown) -> Measured:
        return Measured((), dict.fromkeys(signals, gap), self._settings.required)

    def _lost(self, opened: _Opened) -> Unknown | None:
        """Return why a machine that nothing was joined to may be measured all the same."""
        if not opened.devices:
            names = " nor ".join(exporter.name for exporter in EXPORTERS)
            return Unknown(Reason.NOT_COLLECTED, f"{self.name} has no series of {names}")
        known = (opened.devices - opened.keyless) * 100 / opened.devices
        if known >= self._settings.floor:
            return None
        detail = f"{opened.keyless} of {opened.devices} GPUs of {self.name} do not say which machine they are in"
        return Unknown(Reason.SOURCE_ERROR, f"{detail}: were labels renamed?")

    def _open(self, window: timedelta) -> _Opened | Unknown:
        """Return what the server has over `window`, asked for once."""
        with self._lock:
            if window not in self._opened:
                unwell = self._health()
                self._opened[window] = self._listed(window) if unwell is None else unwell
            return self._opened[window]

    def _health(self) -> Unknown | None:
        """Return why the server is not to be believed, if it is not."""
        moment = self._client.instant("time()")
        if isinstance(moment, Unknown):
            return moment
        skew = (moment[0][1][0][1] if moment else 0.0) - self._clock()
        if abs(skew) > SKEW:
            return Unknown(Reason.SOURCE_ERROR, f"the clock of {self.name} differs from ours by {skew:,.0f} s")
        canary = self._client.instant(f"count({self._settings.canary})", self._now.timestamp())
        if isinstance(canary, Unknown):
            return canary
        if not canary or not canary[0][1][0][1] > 0:
            detail = f"{self.name} answers and has no `{self._settings.canary}`, which is always there"
            return Unknown(Reason.SOURCE_ERROR, detail)
        return None

    def _listed(self, window: timedelta) -> _Opened | Unknown:
        settings = self._settings
        frame = frame_of(window, 60, self._now)
        nodes = self._nodes() if settings.nodes else {}
        if isinstance(nodes, Unknown):
            return nodes
        directory = Directory(settings.gpus, nodes)
        indexes: list[Index] = []
        for exporter in EXPORTERS:
            rows = self._client.series([listing(exporter.names(KNOWN), settings.match)], frame)
            if isinstance(rows, Unknown):
                return rows
            indexes.append(index_of(exporter, rows, settings.labels, directory))
        return _Opened(tuple(indexes), directory)

    def _nodes(self) -> dict[str, str] | Unknown:
        """Return the `providerID` of each node; a name of two machines is none of them."""
        rows = self._client.instant(f"{self._settings.nodes}", self._now.timestamp())
        if isinstance(rows, Unknown):
            return rows
        return named_nodes(labels for labels, _ in rows)

    def report(self) -> ScopeReport | None:
        """Return the health of the server and how much of what it has was joined; None where it was not asked."""
        with self._lock:
            opened, joined = list(self._opened.values()), len(self._joined)
        if not opened:
            return None
        scope = Scope(self.name, "", TELEMETRY)
        failed = next((one for one in opened if isinstance(one, Unknown)), None)
        if failed is not None:
            status = ScopeStatus.DENIED if failed.reason is Reason.DENIED else ScopeStatus.FAILED
            return ScopeReport(scope, status, joined, failed.detail)
        widest = max((one for one in opened if isinstance(one, _Opened)), key=lambda one: one.devices)
        lost = self._lost(widest)
        if lost is not None:
            return ScopeReport(scope, ScopeStatus.PARTIAL, joined, lost.detail)
        strange = len(widest.keys - self._claims.taken)
        detail = f"{widest.devices} GPUs; {joined} machines joined, {strange} that sent something are not in the estate"
        return ScopeReport(scope, ScopeStatus.COMPLETE, joined, detail)
