"""
What published numbers have to be divided by, how high they can be, and how many senders stand behind one.

Pure. Nothing is divided by a guess: hardware that is not known makes the metric unknown.
"""

from __future__ import annotations

from datetime import timedelta

from engine.model import Resource, absence
from engine.values import Reason, Unknown
from integrations.aws.metric_sources import Scale, Source

MINUTE = 60
SLACK = 1.1
"""Sums of what is sampled one after another go a little over what is possible; more shows other hardware or units."""


def divisor_of(source: Source, resource: Resource) -> float | Unknown:
    """
    Return what the published numbers of `resource` are divided by; 1 where they are as declared.

    For `OF_TOTAL` it is the memory by instance type, for agents that do not publish the total.
    """
    match source.scale:
        case Scale.PER_VCPU:
            return _per_instance(source, resource, "vcpus")
        case Scale.OF_TOTAL:
            return _nominal_memory(resource)
        case _:
            return 1.0


def ceiling_of(source: Source, resource: Resource) -> float | Unknown:
    """Return the highest number that can be published of `resource`; infinity where nothing says."""
    match source.scale:
        case Scale.OVER_ACCELERATORS:
            each = _per_instance(source, resource, "accelerator.devices")
        case Scale.PER_VCPU:
            each = _per_instance(source, resource, "vcpus")
        case _:
            return float("inf")
    return each if isinstance(each, Unknown) else 100 * each * SLACK


def accelerators_of(source: Source, resource: Resource, device: str) -> int | Unknown:
    """Return how many accelerators the instances behind `device` have together."""
    each = _per_instance(source, resource, "accelerator.devices")
    instances = _instances_of(resource, device)
    if isinstance(each, Unknown):
        return each
    return instances if isinstance(instances, Unknown) else round(each) * instances


def senders_of(source: Source, resource: Resource, device: str) -> int | Unknown:
    """Return how many samples a minute has where nobody is silent; 0 where that is not known of the source."""
    if not source.by_instance:
        return 0
    instances, configured = _instances_of(resource, device), resource.fields.get("metrics_interval")
    if isinstance(configured, Unknown):
        return configured
    if isinstance(instances, Unknown):
        return instances
    return instances * max(MINUTE // interval_of(source, resource, MINUTE), 1)


def interval_of(source: Source, resource: Resource, declared: int) -> int:
    """Return the seconds between samples: what the resource is configured to, where it is, or as declared."""
    if not source.by_instance:
        return declared
    configured = resource.fields.get("metrics_interval")
    return int(configured.total_seconds()) if isinstance(configured, timedelta) else declared


def hosts_of(resource: Resource) -> int | Unknown:
    """Return how many hosts a job has."""
    count = _number(resource, "instance.count")
    return count if isinstance(count, Unknown) else int(count)


def _instances_of(resource: Resource, variant: str) -> int | Unknown:
    """Return how many instances a variant has; 1 of one that the endpoint has no more."""
    listed = resource.fields.get("variant.instances")
    if isinstance(listed, Unknown):
        return listed
    if not isinstance(listed, tuple):
        gap = absence(resource, "config", "variant.instances")
        reason = Reason.NOT_COLLECTED if gap.reason is Reason.MISSING else gap.reason
        return Unknown(reason, gap.detail or "the instances of its variants are not known", "variant.instances")
    counts = {name: count for name, _, count in (str(one).rpartition("=") for one in listed)}
    count = counts.get(variant, "1")
    return int(count) if count.isdigit() else Unknown(Reason.WRONG_TYPE, count, "variant.instances")


def _per_instance(source: Source, resource: Resource, name: str) -> float | Unknown:
    """Return how many of something one instance has, from the sum over all instances."""
    types = resource.fields.get("instance.types")
    if isinstance(types, tuple) and len(set(types)) > 1:
        return Unknown(Reason.NOT_COLLECTED, "its variants run on different instance types", name)
    total, instances = _number(resource, name), _number(resource, "instance.count")
    if source.by_host and not isinstance(total, Unknown) and not isinstance(resource.fields.get("instance.type"), str):
        return Unknown(Reason.NOT_COLLECTED, "its hosts are of different instance types", name)
    if isinstance(total, Unknown):
        return total
    if isinstance(instances, Unknown):
        return instances
    each = total / instances if instances else 0.0
    if each < 1 or not each.is_integer():
        detail = f"{total:g} {name} on {instances:g} instances"
        return Unknown(Reason.SOURCE_ERROR, detail, name)
    return each


def _number(resource: Resource, name: str) -> float | Unknown:
    value = resource.fields.get(name)
    if value is None:
        groups = ("config", "details") if name == "instance.count" else ("hardware",)
        gap = absence(resource, next((one for one in groups if one in resource.gaps), ""), name)
        reason = Reason.NOT_COLLECTED if gap.reason is Reason.MISSING else gap.reason
        return Unknown(reason, gap.detail or f"{name} is not known", name)
    if isinstance(value, Unknown):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Unknown(Reason.WRONG_TYPE, repr(value), name)
    return float(value)


def _nominal_memory(resource: Resource) -> float | Unknown:
    """Return the MiB of one accelerator by its instance type."""
    gib = _number(resource, "accelerator.memory_gib")
    if isinstance(gib, Unknown):
        return gib
    return gib * 1024 if gib > 0 else Unknown(Reason.NOT_COLLECTED, "its memory is given as 0")
