"""
What kinds of resource there are and what a policy may ask of each.

A kind is declared beside its collector (`integrations/<cloud>/kinds/`); the front door gathers them
in a `Catalog` and passes it down. The loader checks every expression, metric and remediation
against these declarations, so that a misspelt field is an error and never an empty result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Type(StrEnum):
    """The types of the expression language."""

    BOOL = "bool"
    NUMBER = "number"
    """int, float or Decimal; one type. Booleans are not numbers."""
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    STRINGS = "list<string>"
    TAGS = "map<string,string>"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Field:
    """One fact about a resource, read as `resource.<name>`."""

    name: str
    """Dotted, lower case: `accelerator.count`."""
    type: Type
    doc: str
    unit: str = ""
    """`percent`, `GiB`, `usd/h`, `seconds` … or empty."""
    group: str = "core"
    """The field group that is complete or not as a whole; one or more API calls fill it."""
    optional: bool = False
    """True where a complete group may lack the field."""
    values: tuple[str, ...] = ()
    """The known values of an enumeration; other values are accepted at run time, not in policies."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One telemetry series of a resource, read by `idle` checks and metric functions."""

    name: str
    """Dotted, lower case: `gpu.utilization`."""
    unit: str
    """`percent` (0-100), `watt`, `bytes`, `count`, `seconds`."""
    interval: int
    """Seconds between samples at the source."""
    signal: str
    """The independent thing measured (`compute`, `power`, `memory`, `network`, `requests`, `io`,
    `cpu`, `video`, `health`, `sessions`, `jobs`, `cordon`; `source`: whether metrics come at all): two metrics
    of one signal do not confirm each other."""
    doc: str
    devices: str = ""
    """The number field that says how many series are expected, such as `accelerator.devices`; empty
    for one series of the whole resource."""
    derived_from: str = ""
    """The metric the engine computes this one from; never asked of a source."""
    event_driven: bool = False
    """The source sends a value only when something happens: no datapoint is zero, provided that
    another metric of the resource shows the source to be alive."""
    optional: bool = False
    """Not every source has it: what it shows counts, and that nothing sends it says nothing. A source
    that has it and cannot be read leaves a gap, as for every other metric."""
    reduce: str = "max"
    """How samples inside a coarser period are combined: `max`, `sum`, `min` or `avg`."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource."""

    name: str
    """`aws.ec2.instance`."""
    title: str
    """For people: `EC2 instance`."""
    classes: tuple[str, ...]
    """The same idea across clouds: `compute.instance`."""
    fields: tuple[Field, ...]
    metrics: tuple[Metric, ...] = ()

    @cached_property
    def field_by_name(self) -> Mapping[str, Field]:
        return {f.name: f for f in (*COMMON_FIELDS, *self.fields)}

    @cached_property
    def metric_by_name(self) -> Mapping[str, Metric]:
        return {m.name: m for m in self.metrics}


COMMON_FIELDS: tuple[Field, ...] = (
    Field("kind", Type.STRING, "The kind, such as `aws.ec2.instance`."),
    Field("id", Type.STRING, "The provider's immutable id or ARN."),
    Field("name", Type.STRING, "The name people use; the id where there is none."),
    Field("account", Type.STRING, "The account, project or subscription."),
    Field("region", Type.STRING, "The region."),
    Field("created", Type.TIMESTAMP, "When the resource was created.", optional=True),
    Field("age", Type.DURATION, "Time since `created`.", optional=True),
)
"""Fields every kind has. `age` is derived from `created` and `now`; the others come from the resource itself."""


@dataclass(frozen=True)
class Catalog:
    """All kinds an installation knows, by name and by class."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, kinds: Iterable[Kind]) -> Catalog:
        return cls({kind.name: kind for kind in kinds})

    @cached_property
    def classes(self) -> Mapping[str, tuple[Kind, ...]]:
        found: dict[str, list[Kind]] = {}
        for kind in self.kinds.values():
            for name in kind.classes:
                found.setdefault(name, []).append(kind)
        return {name: tuple(members) for name, members in sorted(found.items())}

    def select(self, selector: str) -> tuple[Kind, ...]:
        """Return the kinds a kind name or class name stands for; empty when it is neither."""
        if selector in self.kinds:
            return (self.kinds[selector],)
        return self.classes.get(selector, ())

    @property
    def selectors(self) -> tuple[str, ...]:
        return (*self.kinds, *self.classes)
