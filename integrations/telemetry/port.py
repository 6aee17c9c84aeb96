"""
What an estate asks of telemetry, and what every source of it answers.

CloudWatch, a Prometheus-compatible server and recorded files are sources. Each turns its samples into series in
the declared units, on the grid of `frame`, with how many samples stand behind each bucket; coverage and
freshness are judged from that by the engine, alike for all of them. A source answers for itself by `reach`:
what cannot be read is a gap, never an empty series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from engine.kinds import Kind
from engine.model import Asked, KindNeeds, Resource, ScopeReport, Series
from engine.values import Unknown

TELEMETRY = "telemetry"
"""What stands for the kind in the report of a source."""
MACHINE = "compute.instance"
"""The class of what GPUs are joined to by host name or instance id."""
BY_DEVICE = "accelerator.devices"
"""The number of series of a metric that accelerators send each for itself."""


class Telemetry(Protocol):
    """Something that measures resources; the inventory calls it once for each chunk it has read."""

    def attach(self, resources: list[Resource], need: KindNeeds, region: str) -> list[Resource]:
        """
        Return the resources, in order, with the series that `need` asks for.

        All are of one kind and of `region`. What cannot be read becomes a gap `metrics.<signal>` of the
        resources concerned, never an exception and never an empty series.
        """

    def asked(self, kind: str, region: str) -> Asked:
        """Return what was asked so far for the resources of a kind in a region, and what it costs."""


@dataclass(frozen=True, slots=True)
class Device:
    """Which accelerator of a machine, as far as the source says; both empty for the whole resource."""

    index: str = ""
    """As the driver counts: `0`. It is not stable, and containers count for themselves."""
    uuid: str = ""
    """`GPU-…`; the same in every source."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one source knows of one resource."""

    series: tuple[tuple[Device, Series], ...] = ()
    gaps: Mapping[str, Unknown] = field(default_factory=dict)
    """By signal: why the source does not know."""
    required: bool = False
    """True where its gaps count although another source has samples: it may know of work that nobody else sees."""


class Source(Protocol):
    """One place that has telemetry; safe to use from several threads."""

    @property
    def name(self) -> str:
        """For people: `cloudwatch`, `prometheus thanos.example`."""

    def measure(self, kind: Kind, resources: Sequence[Resource], need: KindNeeds, region: str) -> Sequence[Measured]:
        """Return what the source knows of each resource, in order. Never raises for what it cannot read."""

    def report(self) -> ScopeReport | None:
        """Return how the source did in this run: its health, and how much of what it has was joined."""


@runtime_checkable
class Charging(Protocol):
    """A source whose answers cost money."""

    def asked(self, kind: str, region: str) -> Asked:
        """Return what was asked so far for the resources of a kind in a region, and what it costs."""
