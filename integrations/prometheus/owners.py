"""
Whose a machine is, from a Prometheus-compatible server.

Each origin tells by series of its own, and none covers for another: while one lives, that it names nobody is a 0;
where it falls silent, nothing is known. An origin that never had a machine says nothing of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.kinds import Kind, Metric
from engine.model import Resource, Series
from engine.values import Reason, Unknown
from integrations.prometheus.client import PrometheusClient
from integrations.prometheus.exporters import Labels
from integrations.prometheus.index import named_nodes, where_label
from integrations.prometheus.queries import Selection, batches
from integrations.prometheus.readings import add_points
from integrations.prometheus.told import TOLD, Told
from integrations.telemetry.frame import Frame, frame_of
from integrations.telemetry.joining import Claims, Directory
from integrations.telemetry.merging import merged_devices
from integrations.telemetry.owners import held_series
from integrations.telemetry.port import Device, Measured

REMEMBERED = timedelta(days=1)
"""How long an origin that has fallen silent is missed: whom it named may hold the machine still."""
METRICS = frozenset(told.metric for told in TOLD)


@dataclass
class _Places:
    """Where the series of one origin are, by the label that says so."""

    told: Told
    by_key: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Label and value, by the key of the machine."""
    keys: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def add(self, row: Mapping[str, str], labels: Labels, directory: Directory) -> None:
        """Take over where a listed series is."""
        key, label = directory.key_of(labels.sender(row)), where_label(labels.raw(row), row, labels)
        if key and label:
            self.by_key.setdefault(key, set()).add((label, row[label]))
            self.keys.setdefault((label, row[label]), set()).add(key)

    def of(self, keys: Iterable[str]) -> set[tuple[str, str]]:
        """Return the places of the machine that has these keys."""
        return {place for key in keys for place in self.by_key.get(key, ())}

    def disputed(self, place: tuple[str, str], metric: Metric) -> Unknown | None:
        """Return why it is not known whose a series is, where its label stands for several machines."""
        if len(self.keys[place]) < 2:
            return None
        return Unknown(Reason.SOURCE_ERROR, f"`{place[1]}` stands for several machines", metric.name)


@dataclass
class _Found:
    """What is known of one machine."""

    gaps: dict[str, Unknown]
    series: list[Series] = field(default_factory=list)

    def measured(self, metrics: Sequence[Metric]) -> Measured:
        pairs = merged_devices(metrics, [(Device(), series) for series in self.series], self.gaps)
        return Measured(tuple(pairs), self.gaps)


@dataclass
class Owners:
    """What the server knows of whose machines are; safe to use from several threads."""

    client: PrometheusClient
    match: str
    nodes: str
    """The series that says which node is which machine; empty for none."""
    labels: Labels
    interval: int
    now: datetime
    _claims: Claims = field(default_factory=Claims)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: dict[timedelta, list[_Places] | Unknown] = field(default_factory=dict)

    def measure(
        self, kind: Kind, resources: Sequence[Resource], wanted: Mapping[Metric, timedelta], directory: Directory
    ) -> list[Measured]:
        """Return what the server knows of each resource, in order."""
        window = max(wanted.values())
        with self._lock:
            if window not in self._places:
                self._places[window] = self._listed(window, directory)
            places = self._places[window]
        if isinstance(places, Unknown):
            return [Measured((), _all(wanted, places))] * len(resources)
        claimed = self._claims.claim(resources, {key for one in places for key in one.by_key})
        found = [_Found(_all(wanted, keys) if isinstance(keys, Unknown) else {}) for keys in claimed]
        own = [() if isinstance(keys, Unknown) else keys for keys in claimed]
        for one in places:
            metric = kind.metric_by_name[one.told.metric]
            if metric in wanted:
                frame = frame_of(wanted[metric], max(self.interval, metric.interval), self.now)
                self._read(one, metric, frame, [one.of(keys) for keys in own], found)
        return [one.measured(list(wanted)) for one in found]

    def _listed(self, window: timedelta, directory: Directory) -> list[_Places] | Unknown:
        """Return where the series of each origin are, asked for once."""
        frame = frame_of(max(window, REMEMBERED), 300, self.now)
        matchers = dict.fromkeys(matcher for told in TOLD for matcher in told.matchers(self.match))
        rows = self.client.series([*matchers, *filter(None, [self.nodes])], frame)
        if isinstance(rows, Unknown):
            return rows
        by_name: dict[str, list[Mapping[str, str]]] = {}
        for row in rows:
            by_name.setdefault(row.get("__name__", ""), []).append(row)
        past = named_nodes(by_name.get(self.nodes.partition("{")[0], ()))
        # The names of nodes come from an exporter that may be silent now, which is what has to be noticed.
        directory = Directory(directory.gpus, {**past, **directory.nodes})
        found: list[_Places] = []
        for told in TOLD:
            places = _Places(told)
            for row in by_name.get(told.series, ()):
                places.add(row, self.labels, directory)
            if not places.by_key:
                continue
            podless = self._podless() if told.pods else False
            if isinstance(podless, Unknown):
                return podless
            if not podless:
                found.append(places)
        return found

    def _podless(self) -> bool | Unknown:
        """Return whether kube-state-metrics lives and is not let to tell what pods ask for: it knows of no pod then."""
        some = f"{{{self.match}}}"
        query = f"count(kube_node_spec_unschedulable{some}) unless count(kube_pod_container_resource_requests{some})"
        rows = self.client.instant(query, self.now.timestamp())
        return rows if isinstance(rows, Unknown) else bool(rows)

    def _read(
        self,
        places: _Places,
        metric: Metric,
        frame: Frame,
        wanted: Sequence[set[tuple[str, str]]],
        found: Sequence[_Found],
    ) -> None:
        """Add what one origin tells of each machine; `wanted` are the places of each, by position."""
        by_label: dict[str, set[str]] = {}
        for label, value in {place for own in wanted for place in own}:
            by_label.setdefault(label, set()).add(value)
        levels: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
        failed: dict[tuple[str, str], Unknown] = {}
        for label, values in by_label.items():
            for some, stretch in batches(values, frame, places.told.most_points):
                selection = Selection(self.match, label, some, (label,))
                rows = self.client.matrix(places.told.query(selection, frame.step), stretch)
                if isinstance(rows, Unknown):
                    failed.update({(label, value): rows for value in some})
                    continue
                for labels, points in rows:
                    holders = levels.setdefault((label, labels.get(label, "")), {})
                    for at, number in points:
                        holder, level = places.told.reading(labels, number)
                        add_points(holders.setdefault(holder, {}), [(at, level)], frame)
        source = f"prometheus {places.told.series}"
        for own, one in zip(wanted, found, strict=True):
            for place in sorted(own):
                trouble = failed[place] if place in failed else places.disputed(place, metric)
                if trouble is not None:
                    one.gaps.setdefault(metric.signal, trouble)
                else:
                    one.series += held_series(metric, places.told.origin, levels.get(place, {}), frame, source)


def _all(wanted: Iterable[Metric], gap: Unknown) -> dict[str, Unknown]:
    return {metric.signal: gap for metric in wanted}
