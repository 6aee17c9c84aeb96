"""
Which series a resource has, or may have: from what CloudWatch lists, or from names that are known beforehand.

Pure. `metric_plan` makes queries of what is found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.metric_scale import accelerators_of, ceiling_of, divisor_of, hosts_of
from integrations.aws.metric_sources import (
    Dimensions,
    Listed,
    Scale,
    Source,
    dimensions_of,
    fits,
    identity_of,
    published_name,
)

Index: TypeAlias = Mapping[Listed, Mapping[str, list[Dimensions]] | Unknown]
"""The series of each listing by the resource they name."""
MOST_WITNESSES = 100
"""Series that are read to see whether a service sends metrics; any of them shows it."""
MOST_HOSTS = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """A series that exists, or may."""

    metric: str
    device: str
    dimensions: Dimensions
    total: str = ""
    """The metric that holds the device's memory, where one is listed."""
    parts: int = 0
    """Where it is that of one accelerator: how many there have to be of the device."""


def listings_of(source: Source, resource: Resource) -> tuple[Listed, ...]:
    """Return the listings that a series of `source` may stand in."""
    return ((source.namespace, published_name(source.metric, resource)), *source.siblings)


def by_identity(source: Source, series: tuple[Dimensions, ...] | Unknown) -> Mapping[str, list[Dimensions]] | Unknown:
    """Return the listed series that `source` means, by the resource they name."""
    if isinstance(series, Unknown):
        return series
    found: dict[str, list[Dimensions]] = {}
    for dimensions in series:
        if fits(source, dimensions) or _is_part(source, dimensions):
            found.setdefault(dict(dimensions)[source.identity], []).append(dimensions)
    return found


def _is_part(source: Source, dimensions: Dimensions) -> bool:
    held = {name for name, _ in dimensions}
    return any(held == {source.identity, source.device, *names} for names in source.parts)


def found_series(source: Source, resource: Resource, index: Index) -> list[Found] | Unknown:
    """Return the series of `source` that the resource has, or why they are not known."""
    unknown = _unscaled(source, resource)
    if unknown is not None:
        return unknown
    name = published_name(source.metric, resource)
    if source.by_host:
        return _of_hosts(source, resource)
    if not source.discover:
        dimensions = dimensions_of(source, resource)
        return dimensions if isinstance(dimensions, Unknown) else [Found(name, "", dimensions)]
    if source.everybody:
        return _of_everybody(source, index)
    if source.resembling:
        return _resembling(source, resource, index)
    identity = identity_of(source, resource)
    if isinstance(identity, Unknown):
        return identity
    all_dimensions: dict[Dimensions, None] = {}
    for listed in listings_of(source, resource):
        of_all = index[listed]
        if isinstance(of_all, Unknown):
            return of_all
        all_dimensions.update(dict.fromkeys(of_all.get(identity, ())))
    if source.parts:
        return _of_parts(source, resource, all_dimensions)
    found = [Found(name, dict(d).get(source.device, ""), d) for d in sorted(all_dimensions)]
    return _with_totals(found, source, resource, index) if source.total else found


def _unscaled(source: Source, resource: Resource) -> Unknown | None:
    """Return why the numbers of `source` would mean nothing, if so."""
    divisor, ceiling = divisor_of(source, resource), ceiling_of(source, resource)
    if isinstance(divisor, Unknown) and source.scale is not Scale.OF_TOTAL:
        return divisor
    return ceiling if isinstance(ceiling, Unknown) else None


def _of_hosts(source: Source, resource: Resource) -> list[Found] | Unknown:
    name, hosts = identity_of(source, resource), hosts_of(resource)
    if isinstance(name, Unknown):
        return name
    if isinstance(hosts, Unknown):
        return hosts
    numbered = [f"algo-{number}" for number in range(1, min(hosts, MOST_HOSTS) + 1)]
    return [Found(source.metric, host, ((source.identity, f"{name}/{host}"),)) for host in numbered]


def _of_everybody(source: Source, index: Index) -> list[Found] | Unknown:
    of_all = index[source.namespace, source.metric]
    if isinstance(of_all, Unknown):
        return of_all
    every = sorted({dimensions for one in of_all.values() for dimensions in one})
    return [Found(source.metric, "", dimensions) for dimensions in every[:MOST_WITNESSES]]


def _resembling(source: Source, resource: Resource, index: Index) -> list[Found] | Unknown:
    """Return the series that the service keeps of the resource under another name than its ARN or id."""
    of_all = index[source.namespace, source.metric]
    if isinstance(of_all, Unknown):
        return of_all
    own = resource.id.rpartition("/")[2]
    names = [name for name in of_all if (own in name or name == resource.name) and name not in (own, resource.id)]
    return [Found(source.metric, "", dimensions) for name in sorted(names) for dimensions in of_all[name]]


def _of_parts(source: Source, resource: Resource, listed: Iterable[Dimensions]) -> list[Found] | Unknown:
    """
    Return the series of each device: those of its accelerators where they are listed, else its own.

    An endpoint that was changed back to metrics of the whole goes on to be listed with its accelerators for two weeks.
    """
    whole: dict[str, list[Dimensions]] = {}
    single: dict[str, list[Dimensions]] = {}
    for dimensions in sorted(listed):
        device = dict(dimensions)[source.device]
        (single if _is_part(source, dimensions) else whole).setdefault(device, []).append(dimensions)
    enhanced = resource.fields.get("enhanced_metrics")
    found: list[Found] = []
    for device in dict.fromkeys([*whole, *single]):
        if device not in single or enhanced is False:
            found += [Found(source.metric, device, dimensions) for dimensions in whole.get(device, ())]
            continue
        due = accelerators_of(source, resource, device)
        if isinstance(due, Unknown):
            return due
        if len(single[device]) < due:
            detail = f"{len(single[device])} of {due} accelerators of variant {device} send {source.metric}"
            return Unknown(Reason.INSUFFICIENT_SAMPLES, detail, source.metric)
        found += [Found(source.metric, device, dimensions, parts=due) for dimensions in single[device]]
    return found


def _with_totals(found: list[Found], source: Source, resource: Resource, index: Index) -> list[Found] | Unknown:
    """Return the series with the metric that holds their 100%, or why it is not known of one of them."""
    total = published_name(source.total, resource)
    of_all = index[source.namespace, total]
    listed = () if isinstance(of_all, Unknown) else of_all.get(str(identity_of(source, resource)), ())
    nominal = divisor_of(source, resource)
    if isinstance(nominal, Unknown) and any(one.dimensions not in listed for one in found):
        if isinstance(of_all, Unknown):
            return of_all
        return Unknown(nominal.reason, f"nothing sends {source.total}: {nominal.detail}", source.total)
    return [replace(one, total=total) if one.dimensions in listed else one for one in found]
