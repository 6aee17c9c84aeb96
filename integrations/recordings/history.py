"""
The history of a live source of telemetry, such as a Prometheus server, as recorded machines.

A source is asked for one day after the other, as a run at the end of that day would have asked it: a day at a sample a
minute comes back minute by minute. What a source cannot answer ends the replay: half a history would look like rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from engine.backtest.recording import RECORDED, Machine, Numbers, Track
from engine.errors import ConfigError
from engine.kinds import Kind
from engine.model import KindNeeds, Resource, ScopeStatus, Series
from integrations.telemetry.attaching import SourcesTelemetry
from integrations.telemetry.port import MACHINE, Source

DAY = timedelta(days=1)
CHUNK = 100
"""Machines that are asked about at once."""
SourcesAt = Callable[[datetime], AbstractContextManager[Sequence[Source]]]
"""The sources as a run at that time would ask them."""


@dataclass
class Heard:
    """What was heard so far."""

    machines: int = 0
    devices: int = 0
    samples: int = 0
    metrics: set[str] = field(default_factory=set)
    names: tuple[str, ...] = ()


def machines_of(
    resources: Iterable[Resource], kinds: Mapping[str, Kind], sources_at: SourcesAt, span: tuple[datetime, datetime],
    heard: Heard,
) -> Iterator[Machine]:  # fmt: skip
    """
    Yield the machines with accelerators among `resources` that were heard of in `span`.

    Raises:
        ConfigError: where a source could not answer.
    """
    with ExitStack() as stack:
        days = [stack.enter_context(sources_at(end)) for end in _ends(span)]
        heard.names = tuple(source.name for source in days[0])
        asked = [SourcesTelemetry(kinds, sources) for sources in days]
        for chunk in _chunks(resources, kinds):
            need = KindNeeds(frozenset(), dict.fromkeys(RECORDED, DAY))
            answers = [one.attach(chunk, need, chunk[0].region) for one in asked]
            _complete(days)
            for resource, *found in zip(chunk, *answers, strict=True):
                machine = _machine(resource, found, span)
                if machine is not None:
                    _count(heard, machine)
                    yield machine


def _ends(span: tuple[datetime, datetime]) -> list[datetime]:
    """Return the end of each day from the first to the last moment of `span`."""
    start, end = span
    count = max(1, -((start - end) // DAY))
    return [min(start + DAY * (number + 1), end) for number in range(count)]


def _chunks(resources: Iterable[Resource], kinds: Mapping[str, Kind]) -> Iterator[list[Resource]]:
    """Yield machines with accelerators, of one kind and region each, without telemetry."""
    waiting: dict[tuple[str, str], list[Resource]] = {}
    for resource in resources:
        if MACHINE not in kinds[resource.kind].classes or not resource.fields.get("accelerator.count"):
            continue
        own = waiting.setdefault((resource.kind, resource.region), [])
        own.append(replace(resource, metrics={}, fields={**resource.fields, "running": True}))
        if len(own) == CHUNK:
            yield waiting.pop((resource.kind, resource.region))
    yield from waiting.values()


def _complete(days: Sequence[Sequence[Source]]) -> None:
    for source in (source for sources in days for source in sources):
        report = source.report()
        if report is not None and report.status is not ScopeStatus.COMPLETE:
            hint = "a part of a history would look like rest; choose a time of which there is all, with --from and --to"
            raise ConfigError.of("bad-recording", report.detail, where=source.name, hint=hint)


def _machine(resource: Resource, days: Sequence[Resource], span: tuple[datetime, datetime]) -> Machine | None:
    """Return the machine with what every day knows of its devices; None where nothing was heard of it."""
    devices = sorted({s.device for day in days for name in RECORDED for s in day.metrics.get(name, ())})
    tracks = tuple(track for device in devices if (track := _track(device, days, span)) is not None)
    if not tracks:
        return None
    first = datetime.fromtimestamp(min(float(track.at[0]) for track in tracks), UTC)
    launched = resource.fields.get("launched")
    started = min(first, launched) if isinstance(launched, datetime) else first
    gaps = {group: gap for group, gap in resource.gaps.items() if not group.startswith("metrics.")}
    return Machine(replace(resource, fields={**resource.fields, "launched": started}, gaps=gaps), tracks)


def _track(device: str, days: Sequence[Resource], span: tuple[datetime, datetime]) -> Track | None:
    start, end = (moment.timestamp() for moment in span)
    found: dict[str, tuple[Numbers, Numbers]] = {}
    for name in RECORDED:
        series = [s for day in days for s in day.metrics.get(name, ()) if s.device == device]
        if series:
            at = np.concatenate([_times(one) for one in series])
            values = np.concatenate([_values(one) for one in series])
            kept = (at >= start) & (at < end) & ~np.isnan(values)
            found[name] = (at[kept], values[kept])
    times = np.unique(np.concatenate([at for at, _ in found.values()])) if found else np.empty(0)
    if not times.size:
        return None
    return Track(device, times, {name: _on(times, *pair) for name, pair in found.items()})


def _times(series: Series) -> Numbers:
    return series.start.timestamp() + series.step * np.arange(len(series.values), dtype=float)


def _values(series: Series) -> Numbers:
    return np.array([np.nan if value is None else value for value in series.values], float)


def _on(times: Numbers, at: Numbers, values: Numbers) -> Numbers:
    """Return the highest of `values` at each of `times`; NaN where there is none."""
    laid = np.full(len(times), np.nan)
    np.fmax.at(laid, np.searchsorted(times, at), values)
    return laid


def _count(heard: Heard, machine: Machine) -> None:
    heard.machines += 1
    heard.devices += len(machine.tracks)
    heard.samples += sum(len(track.at) for track in machine.tracks)
    heard.metrics |= {name for track in machine.tracks for name in track.values}
