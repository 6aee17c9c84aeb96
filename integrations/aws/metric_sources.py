"""
Where CloudWatch keeps a metric, and how its numbers become the declared ones.

Each kind says so for its metrics; `metric_plan` asks what to query for a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from engine.model import Resource
from engine.values import Reason, Unknown

Dimensions: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values of a series, sorted by name."""
Listed: TypeAlias = tuple[str, str]
"""Namespace and metric name, which ListMetrics takes."""

AGENT = "CWAgent"


class Scale(StrEnum):
    """What a published number has to be divided by."""

    AS_SENT = "as sent"
    OVER_ACCELERATORS = "over accelerators"
    """
    Published as a sum over the accelerators of an instance, 0-400 on four. It is not divided: all of it may be
    the work of one of them, and a mean of four at 3% may be one at 12%. So it is what one does at most.
    """
    PER_VCPU = "per vCPU"
    """Published as a sum over the vCPUs of an instance."""
    OF_TOTAL = "of total"
    """Published in MiB; becomes percent of the device's memory."""


@dataclass(frozen=True, slots=True)
class Source:
    """How to ask CloudWatch for one metric of one kind."""

    namespace: str
    metric: str
    statistic: str
    """`Maximum` for levels, so that a short burst is seen; `Sum` for counts."""
    identity: str
    """The dimension that names the resource."""
    by_name: bool = False
    """True where its value is the resource's name, not its id."""
    by_field: str = ""
    """The field that holds its value, where that is neither name nor id; `account` and `name` are the resource's."""
    by_last: bool = False
    """True where its value is the last part of the resource's ARN."""
    also: Mapping[str, str] = field(default_factory=dict)
    """Further dimensions to name it by, each with the field that holds the value, as for `by_field`."""
    device: str = ""
    """The dimension that names the device; empty where the series is of the whole resource."""
    discover: bool = False
    """True where the full set of dimensions is known to ListMetrics alone."""
    exact: bool = False
    """True where series with further dimensions are another breakdown of the same samples."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Dimensions that must have this value."""
    parts: tuple[tuple[str, ...], ...] = ()
    """
    Sets of dimensions of which one, where it is listed, tells the accelerators of the device apart. Each is read
    then, in percent, in place of what is sent of the device as a whole.
    """
    plus: tuple[Source, ...] = ()
    """What is counted elsewhere of the same: the samples are added, and unknown where one of them cannot be read."""
    everybody: bool = False
    """True where it is about all resources of the region together: it shows that the service sends metrics."""
    resembling: bool = False
    """True where it is about listed series under names that hold the resource's id, or are its name."""
    by_host: bool = False
    """True where each host of a job has a series, under `name/algo-1` and so on."""
    by_instance: bool = False
    """True where each instance of the device sends samples to one series: fewer samples are silent instances."""
    siblings: tuple[Listed, ...] = ()
    """Metrics with the same dimensions that are listed even while this one is silent."""
    scale: Scale = Scale.AS_SENT
    total: str = ""
    """For `OF_TOTAL`: the metric of the same dimensions that holds 100%."""
    accelerator: bool = False
    """True where only accelerators send it."""
    hosted: bool = False
    """True where serverless resources never send it."""
    witness: str = ""
    """For an event-driven metric: the metric of the kind that shows its source to be alive."""

    @property
    def text(self) -> str:
        """For evidence."""
        return f"cloudwatch {self.namespace}/{self.metric}{' of all of the region' if self.everybody else ''}"


def identity_of(source: Source, resource: Resource) -> str | Unknown:
    """Return the value by which the dimensions of `source` name the resource, or why it is not known."""
    if source.by_field:
        return _text(resource, source.by_field)
    if source.by_last:
        return resource.id.rpartition("/")[2]
    return (resource.name or resource.id.rpartition("/")[2]) if source.by_name else resource.id


def dimensions_of(source: Source, resource: Resource) -> Dimensions | Unknown:
    """Return the dimensions of the resource's own series, or why they are not known."""
    found = {source.identity: identity_of(source, resource)}
    found.update({name: _text(resource, field_name) for name, field_name in source.also.items()})
    unknown = next((value for value in found.values() if isinstance(value, Unknown)), None)
    if unknown is not None:
        return unknown
    return tuple(sorted((name, value) for name, value in found.items() if isinstance(value, str)))


def _text(resource: Resource, name: str) -> str | Unknown:
    if name in ("account", "name"):
        return resource.account if name == "account" else resource.name
    value = resource.fields.get(name)
    if isinstance(value, str | Unknown):
        return value
    return Unknown(Reason.NOT_COLLECTED, f"{name} is not known, which names its telemetry", name)


def published_name(metric: str, resource: Resource) -> str:
    """Return the name under which the resource's agent publishes: on Windows its separator is a space."""
    if resource.fields.get("platform") == "windows":
        return metric.replace("nvidia_smi_", "nvidia_smi ", 1)
    return metric


def fits(source: Source, dimensions: Dimensions) -> bool:
    """Return whether a listed series is one that `source` means, whichever resource it is of."""
    held = dict(dimensions)
    needed = {source.identity, *source.fixed} | ({source.device} if source.device else set())
    if not needed <= held.keys() or any(held[name] != value for name, value in source.fixed.items()):
        return False
    return not source.exact or held.keys() == needed


def sends(source: Source, resource: Resource) -> bool:
    """Return whether the resource can have samples at all; what is not known counts as can."""
    fields = resource.fields
    if fields.get("running") is False:
        return False
    if source.hosted and (fields.get("serverless") is True or _is_zero(fields.get("instance.count"))):
        return False
    return not (source.accelerator and _is_zero(fields.get("accelerator.count")))


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def agent_gpu(identity: str, *, by_name: bool) -> Mapping[str, Source]:
    """Return what the CloudWatch agent publishes of GPUs; its configuration has to append `identity`."""

    def gpu(metric: str, scale: Scale = Scale.AS_SENT, total: str = "") -> Source:
        return Source(
            AGENT,
            metric,
            "Maximum",
            identity,
            by_name=by_name,
            device="index",
            discover=True,
            scale=scale,
            total=total,
            accelerator=True,
        )

    return {
        "gpu.utilization": gpu("nvidia_smi_utilization_gpu"),
        "gpu.memory_used": gpu("nvidia_smi_memory_used", Scale.OF_TOTAL, "nvidia_smi_memory_total"),
        "gpu.power": gpu("nvidia_smi_power_draw"),
    }


def agent_owners() -> Mapping[str, Source]:
    """Return what `bursar agent` publishes of machines beside their GPUs, with all that its dimensions say."""

    def owners(metric: str) -> Source:
        return Source(AGENT, metric, "Maximum", "InstanceId", discover=True, accelerator=True)

    return {"sessions.active": owners("bursar_sessions_active"), "jobs.running": owners("bursar_jobs_running")}
