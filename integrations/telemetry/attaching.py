"""Sources to the telemetry of an estate: each is asked, and what they know is merged and put on the resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.kinds import Kind
from engine.model import Asked, KindNeeds, Needs, Resource, Series
from engine.ports import Estate, Item
from engine.values import Reason, Unknown
from integrations.telemetry.merging import merged_measurements
from integrations.telemetry.port import Charging, Measured, Source


@dataclass(frozen=True)
class SourcesTelemetry:
    """All sources of an installation as one."""

    kinds: Mapping[str, Kind]
    sources: Sequence[Source]

    def attach(self, resources: list[Resource], need: KindNeeds, region: str) -> list[Resource]:
        """Return the resources, in order, with what all sources know of them."""
        if not resources:
            return []
        kind = self.kinds[resources[0].kind]
        answers = [source.measure(kind, resources, need, region) for source in self.sources]
        merged = [merged_measurements(kind, found) for found in zip(*answers, strict=True)]
        return with_measurements(kind, resources, need, merged)

    def asked(self, kind: str, region: str) -> Asked:
        """Return what the sources that charge for their answers were asked so far, and what it costs."""
        found = [source.asked(kind, region) for source in self.sources if isinstance(source, Charging)]
        return sum(found, Asked())


def with_measurements(
    kind: Kind, resources: Sequence[Resource], need: KindNeeds, measured: Sequence[Measured]
) -> list[Resource]:
    """Return the resources with their series and gaps; what no policy asks for is a gap too."""
    asked = {metric.signal for metric in kind.metrics if metric.name in _with_sources(kind, need)}
    unasked = {
        f"metrics.{metric.signal}": Unknown(Reason.NOT_COLLECTED, "no policy asks for it")
        for metric in kind.metrics
        if metric.signal not in asked
    }
    return [_attached(one, found, unasked) for one, found in zip(resources, measured, strict=True)]


def _with_sources(kind: Kind, need: KindNeeds) -> set[str]:
    """Return the metrics asked for, with those that derived ones are computed from."""
    known = kind.metric_by_name
    return {source for name in need.metrics if name in known for source in (name, known[name].derived_from) if source}


def _attached(resource: Resource, measured: Measured, unasked: Mapping[str, Unknown]) -> Resource:
    by_metric: dict[str, tuple[Series, ...]] = {}
    for _, series in measured.series:
        by_metric[series.metric] = (*by_metric.get(series.metric, ()), series)
    gaps = {f"metrics.{signal}": gap for signal, gap in measured.gaps.items()}
    return replace(
        resource,
        metrics={**resource.metrics, **by_metric},
        gaps={**unasked, **gaps, **resource.gaps},
    )


@dataclass(frozen=True)
class ReportingEstate:
    """An estate that says at its end how each source of telemetry did."""

    estate: Estate
    sources: Sequence[Source]

    @property
    def name(self) -> str:
        return self.estate.name

    @property
    def taken_at(self) -> datetime:
        return self.estate.taken_at

    def stream(self, needs: Needs) -> Iterator[Item]:
        """Yield all that the estate has, and then a report for each source that was asked."""
        yield from self.estate.stream(needs)
        for source in self.sources:
            report = source.report()
            if report is not None:
                yield report
