"""
The estate as the engine sees it: resources with their fields, tags, telemetry and usage, and how
completely each part of the estate could be read. All values are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.values import Answer, Reason, Unknown, Value


@dataclass(frozen=True, slots=True)
class Series:
    """
    One metric of one device on a regular grid of buckets.

    Bucket i covers `[start + i*step, start + (i+1)*step)`. A bucket without a sample is None.
    """

    metric: str
    device: str
    """The accelerator's index or UUID; empty for a metric of the whole resource."""
    start: datetime
    step: int
    """Seconds a bucket covers."""
    values: tuple[float | None, ...]
    interval: int
    """Seconds between samples at the source; `step` is a multiple of it."""
    source: str
    """Where the samples come from, for a person: `cloudwatch CWAgent/nvidia_smi_utilization_gpu`."""
    samples: tuple[int, ...] | None = None
    """How many source samples each bucket holds; None where `step` equals `interval`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a resource is charged for: so many units of a stock-keeping unit, for as long as it stays as it is."""

    sku: str
    """A key of the price book: `aws.ec2.linux.on_demand:p5.48xlarge`, `aws.ebs.gp3`."""
    quantity: Decimal
    unit: str
    """`hour` (per hour) or `GiB-month` (per month), `month`, `IOPS-month`, `MiBps-month`."""
    role: str = "compute"
    """`compute` is what a stop ends; `storage` stays until deleted."""
    kept: str = ""
    """Why the charge goes on when the resource ends: `paid in advance with its capacity block`; empty where it ends."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that costs money."""

    kind: str
    id: str
    account: str
    region: str
    name: str = ""
    fields: Mapping[str, Answer] = field(default_factory=dict)
    """By dotted name; values went through `values.clean`. An absent key is judged by its group."""
    tags: Mapping[str, str] = field(default_factory=dict)
    gaps: Mapping[str, Unknown] = field(default_factory=dict)
    """Field groups that are *not* attested complete, with the reason. `tags` and `metrics.<signal>`
    are groups too. A group that is not named here is complete."""
    metrics: Mapping[str, tuple[Series, ...]] = field(default_factory=dict)
    usage: tuple[Usage, ...] | Unknown = ()
    """Empty: free as it is. Unknown: what is charged is not known."""

    @property
    def uid(self) -> str:
        """Unique across kinds, accounts and regions, and never reused by another object."""
        return f"{self.kind}/{self.account}/{self.region}/{self.id}"


class ScopeStatus(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    """Some resources were read, then the source failed."""
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """The unit of completeness."""

    account: str
    region: str
    kind: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.account, self.region, self.kind) if part)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a source that charges for its answers."""

    metrics: int = 0
    """Series times statistics."""
    usd: Decimal = Decimal(0)
    """What the source takes for them at list price."""

    def __add__(self, other: Asked) -> Asked:
        return Asked(self.metrics + other.metrics, self.usd + other.usd)


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """How completely a scope was read. An estate sends exactly one for each scope it was asked for."""

    scope: Scope
    status: ScopeStatus
    resources: int = 0
    detail: str = ""
    """For anything but complete: which call failed, and how."""
    asked: Asked = Asked()
    """What was asked of telemetry for its resources."""


@dataclass(frozen=True, slots=True)
class KindNeeds:
    """What the loaded policies ask of one kind."""

    groups: frozenset[str] = frozenset()
    """Field groups beside `core`."""
    metrics: Mapping[str, timedelta] = field(default_factory=dict)
    """Metric name to the longest window asked for."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One resource, by what it is known to its provider."""

    kind: str
    account: str
    region: str
    id: str

    @property
    def scope(self) -> Scope:
        return Scope(self.account, self.region, self.kind)


@dataclass(frozen=True, slots=True)
class Needs:
    """What an estate has to fetch: nothing else is asked for."""

    kinds: Mapping[str, KindNeeds] = field(default_factory=dict)
    only: frozenset[Identity] | None = None
    """These resources and no others; None is all. Scopes without one of them are not read and not reported."""

    def ids(self, scope: Scope) -> frozenset[str] | None:
        """Return the ids of the resources of `scope` to read; None is all of them."""
        return None if self.only is None else frozenset(one.id for one in self.only if one.scope == scope)

    def covers(self, scope: Scope) -> bool:
        """Return whether anything of `scope` is to be read."""
        ids = self.ids(scope)
        return ids is None or bool(ids)


IDENTITY = frozenset({"kind", "id", "account", "region"})


def read_field(resource: Resource, name: str, group: str, now: datetime) -> Answer:
    """
    Return the field `name` of `resource`, or why it is not known.

    An absent key is `missing` only when its group is complete; otherwise it has the reason of the gap.
    """
    value = resource.fields.get(name)
    if value is not None:
        return value
    if name in IDENTITY:
        identity: Value = getattr(resource, name)
        return identity
    if name == "name":
        return resource.name or resource.id
    if name == "age":
        return age_of(resource, now)
    return absence(resource, group, f"resource.{name}")


def age_of(resource: Resource, now: datetime) -> timedelta | Unknown:
    """Return `now` minus the creation time; a creation time in the future is not believed."""
    created = resource.fields.get("created")
    if isinstance(created, datetime) and created.tzinfo is not None:
        if created > now:
            return Unknown(Reason.FUTURE_TIMESTAMP, created.isoformat(), "resource.age")
        return now - created
    if isinstance(created, Unknown):
        return Unknown(created.reason, created.detail, "resource.age")
    if created is not None:
        return Unknown(Reason.WRONG_TYPE, repr(created), "resource.age")
    return absence(resource, "core", "resource.age")


def read_tag(resource: Resource, key: str) -> str | Unknown:
    """Return the tag `key`, or why it is not known."""
    value = resource.tags.get(key)
    return absence(resource, "tags", f"tags[{key!r}]") if value is None else value


def absence(resource: Resource, group: str, path: str) -> Unknown:
    """Return what the absence of something from `group` means for this resource."""
    gap = resource.gaps.get(group)
    if gap is None:
        return Unknown(Reason.MISSING, "", path)
    return Unknown(gap.reason, gap.detail, path)
