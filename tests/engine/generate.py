"""
Estates made by chance, in which much is idle and much is wrong, and single data taken out of them.

Every choice comes from a `random.Random`: a seeded one in the long runs, one that hypothesis steers
where failures are to shrink.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from engine.kinds import Kind
from engine.model import Resource, Scope, ScopeReport, ScopeStatus, Series, Usage
from engine.policy.model import PolicySet
from engine.values import Answer, Reason, Unknown
from tests.engine.estates import (
    APPROVE,
    BUCKET,
    CATALOG,
    ENDPOINT,
    GPU_HOUR,
    INSTANCE,
    NOTEBOOK,
    NOW,
    VOLUME,
    policies,
    series,
)

REGIONS = ("us-east-1", "eu-west-1")
ACCOUNT = "111122223333"

_ACTING = (
    """resource: aws.ec2.instance
    where: resource.accelerator.count > 0 and resource.lifecycle == "on-demand" and not has(resource.managed_by)
    unless:
      - tags["bursar/keep"] == "true"
      - tags.environment in ["production", "prod"]
    idle: {for: 1h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    remediate: [stop]""",
    """resource: compute.instance
    idle: {for: 1h, below: {gpu.utilization: 5%, gpu.power: 70W}, coverage: 40%, classes: [no_process]}
    remediate: [stop]""",
    """resource: [aws.ec2.instance, aws.sagemaker.notebook]
    unless: resource.age < 3d
    idle: {for: 1h, below: {gpu.utilization: 5%, cpu.utilization: 5%}}
    remediate: [stop]""",
    """resource: aws.ec2.instance
    idle: {for: 1h, below: {cpu.utilization: 5%, network.in: 1MiB}, coverage: 80%}
    remediate: [stop]""",
    """resource: ml.endpoint
    unless: tags.environment == "production"
    idle: {for: 1h, below: {requests: 1, gpu.utilization: 5%}}
    remediate: [delete]""",
    """resource: aws.ebs.volume
    idle: {for: 1h, below: {volume.read_ops: 1, volume.write_ops: 1}}
    remediate: [snapshot_and_delete]""",
    """resource: aws.ebs.volume
    where: resource.age > 7d
    unless: tags["bursar/keep"] == "true"
    rule: not resource.attached and resource.state == "available"
    remediate: [snapshot_and_delete]""",
    """resource: [aws.ec2.instance, aws.s3.bucket]
    required_tags: {tags: {owner: {synonyms: [Owner]}, environment: {values: [production, dev], case: insensitive}}}
    remediate: [{tag: {owner: unowned}}]""",
    """resource: aws.s3.bucket
    encryption: {at_rest: required, key: customer}
    remediate: [{encrypt: {key: alias/data}}]""",
    """resource: aws.s3.bucket
    unless: tags.public == "true"
    encryption: {public_access: denied, in_transit: required, access_logging: required}
    remediate: [block_public_access]""",
    """resource: [aws.ec2.instance, aws.sagemaker.notebook]
    where: has(tags.environment) and tags.environment != "production"
    schedule: {hours: "18:00-24:00", zone: Europe/Berlin}
    remediate: [stop]""",
    """resource: aws.ec2.instance
    unless:
      - resource.instance.type.startsWith("m")
      - tags.exists(k, k == "bursar/keep")
    rule: cost.monthly > 500 and max(metrics.cpu.utilization, 1h) < 5 and size(tags) < 3
    remediate: [{tag: {owner: unowned}}, stop]""",
)
_TALKING = (
    """resource: [aws.ec2.instance, ml.endpoint]
    quota: {group_by: tags.team, limits: {accelerators: 3, resources: 2}}""",
    "resource: compute.instance\n    where: resource.running\n    quota: {limits: {spend_rate: $1.50/h}}",
    "resource: aws.ec2.instance\n    rule: avg(metrics.gpu.utilization, 1h) < 10",
    "unit_cost: {per: request, target: $1}",
    'budget: {amount: "$5/mo"}',
    "job_approval: {gpus: 8}",
    "vector_limits: {replicas: 2}",
)


@cache
def every_check() -> PolicySet:
    """Return policies of all checks, those that can act acting, within limits that hold nothing."""
    return policies(*(f"{entry}\n    {APPROVE}" for entry in _ACTING), *_TALKING)


UNLESS = (
    "resource.running",
    "not resource.running",
    'tags.owner == "ana"',
    'tags["bursar/keep"] != "true"',
    "has(tags.team)",
    "resource.age > 20d",
    'resource.region == "eu-west-1"',
    "cost.hourly >= 1",
    "true",
    "false",
)
"""Conditions that every kind with `running` understands."""
PROTECT = tuple(text for text in UNLESS if "running" not in text)

REASONS = (Reason.DENIED, Reason.SOURCE_ERROR, Reason.NOT_COLLECTED)
LIES: tuple[Any, ...] = ("", "x", -1, 10**9, float("nan"), True, False, ("a",), timedelta(0), NOW, Decimal(3))
"""Values that a field can hold although its kind declares another type or another range."""


def unknown(rng: Random) -> Unknown:
    return Unknown(rng.choice(REASONS), "made up")


# --- telemetry


def samples(rng: Random, rest: tuple[float, ...], work: tuple[float, ...], count: int = 60) -> list[float | None]:
    """Return the values of a device at rest, mostly; or at work, or silent, or lying."""
    quiet: list[float | None] = [rng.choice(rest) for _ in range(count)]
    match rng.randrange(12):
        case 0:
            return [rng.choice(work) for _ in range(count)]
        case 1:
            quiet[rng.randrange(count)] = rng.choice(work)
        case 2:
            return [rng.choice((*rest, *work))] * count
        case 3:
            quiet = [None if rng.random() < 0.15 else value for value in quiet]
        case 4:
            quiet[rng.randrange(count)] = rng.choice((float("nan"), float("inf"), -1.0))
        case 5:
            return quiet[: count // 2]
        case 6:
            still = rng.randrange(count)
            quiet[-still:] = [rest[0]] * still
        case 7:
            return [None] * rng.randrange(count) + quiet
        case 8:
            return quiet + [rng.choice(work)] * rng.choice((0, 1, 30))
    return quiet


def drawn(rng: Random, metric: str, rest: tuple[float, ...], work: tuple[float, ...], device: str) -> Series:
    """Return one series of the last hour; rarely its clock is ahead or behind."""
    interval = 300 if metric.startswith(("cpu", "network", "volume")) else 60
    values = samples(rng, rest, work, 3600 // interval)
    ahead = rng.choice((0,) * 20 + (1, -1, 30, -30))
    return series(metric, values, device, end=NOW + timedelta(minutes=ahead), step=interval, interval=interval)


SIGNALS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "gpu.utilization": ((0.0, 0.0, 0.0, 1.0), (97.0, 100.0, 6.0)),
    "gpu.power": ((58.1, 58.3, 58.7), (250.5, 251.25, 90.1)),
    "gpu.memory_used": ((1.0,), (60.0,)),
    "cpu.utilization": ((1.0, 2.0), (80.0, 6.0)),
    "network.in": ((10.0, 20.0), (5e6,)),
    "network.out": ((10.0,), (5e6,)),
    "volume.read_ops": ((0.0,), (3.0,)),
    "volume.write_ops": ((0.0,), (3.0,)),
    "requests": ((0.0,), (4.0,)),
    "gpu.video": ((0.0,), (44.0, 6.0)),
    "gpu.fault": ((0.0, 0.0, 31.0), (79.0, 1015.0)),
    "sessions.active": ((0.0,), (1.0, 2.0)),
    "jobs.running": ((0.0,), (1.0,)),
    "node.cordoned": ((0.0,), (1.0,)),
}


def metrics_of(rng: Random, kind: Kind, devices: int) -> dict[str, tuple[Series, ...]]:
    """Return series for every metric of a kind; devices at rest as a whole are common, silent ones rare."""
    found: dict[str, tuple[Series, ...]] = {}
    careful = rng.random() < 0.5
    for metric in kind.metrics:
        if metric.derived_from or rng.random() < 0.05:
            continue
        names = [str(n) for n in range(devices)] if metric.devices else [""]
        if (metric.event_driven or metric.optional) and rng.random() < 0.7:
            continue
        rest, work = SIGNALS[metric.name]
        step = metric.interval
        found[metric.name] = tuple(
            series(metric.name, [rest[n % len(rest)] for n in range(3600 // step)], name, step=step, interval=step)
            if careful
            else drawn(rng, metric.name, rest, work, name)
            for name in names
            if careful or rng.random() < 0.97
        )
    return found


# --- resources


def _machine(rng: Random) -> dict[str, Any]:
    devices = rng.choice((0, 1, 1, 1, 2))
    return {
        "state": "running",
        "running": rng.random() < 0.9,
        "instance.type": rng.choice(("g5.xlarge", "m7i.large")),
        "lifecycle": rng.choice(("on-demand",) * 4 + ("spot",)),
        "platform": "linux",
        "launched": NOW - rng.choice((timedelta(days=4), timedelta(hours=1), timedelta(minutes=5))),
        "imdsv2": rng.random() < 0.5,
        "public_ip": rng.random() < 0.5,
        "accelerator.count": devices,
        "accelerator.devices": devices,
        "accelerator.model": "A10G",
        "vcpus": 4,
        **({"managed_by": "eks"} if rng.random() < 0.1 else {}),
    }


def _volume(rng: Random) -> dict[str, Any]:
    attached = rng.random() < 0.3
    return {
        "state": "in-use" if attached else "available",
        "attached": attached,
        "volume.type": "gp3",
        "volume.size_gib": 100,
        "encryption.at_rest": True,
    }


def _bucket(rng: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "encryption.at_rest": rng.random() < 0.7,
        "encryption.key": rng.choice(("customer", "aws_managed", "aws_owned")),
        "encryption.in_transit": rng.random() < 0.5,
        "public_access": rng.random() < 0.3,
        "public_access_blocked": rng.random() < 0.5,
        "access_logging": rng.random() < 0.5,
    }
    return fields


def _hosted(rng: Random) -> dict[str, Any]:
    return {
        "state": "InService",
        "running": rng.random() < 0.9,
        "modified": NOW - timedelta(days=2),
        "instance.type": "ml.g5.xlarge",
        "accelerator.count": rng.choice((0, 1, 1)),
        "accelerator.devices": 1,
        "accelerator.model": "A10G",
    }


def _endpoint(rng: Random) -> dict[str, Any]:
    return {**_hosted(rng), "variants": 1, "serverless": False}


MADE = {INSTANCE: _machine, VOLUME: _volume, BUCKET: _bucket, ENDPOINT: _endpoint, NOTEBOOK: _hosted}
SKUS = {
    INSTANCE: (GPU_HOUR, "hour"),
    VOLUME: ("aws.ebs.gp3", "GiB-month"),
    ENDPOINT: ("aws.sagemaker.hosting:ml.g5.xlarge", "hour"),
    NOTEBOOK: ("aws.sagemaker.notebook:ml.g5.xlarge", "hour"),
}
TAGS = {
    "owner": ("ana", "bob", "todo", ""),
    "Owner": ("ana",),
    "environment": ("dev", "dev", "dev", "production", "Dev", "x"),
    "team": ("red", "blue"),
    "bursar/keep": ("true", "false"),
    "bursar/protect": ("true", "", "false"),
    "public": ("true",),
}
LIKELY = {"environment": 0.8, "owner": 0.6, "team": 0.5}


def resource(rng: Random, identity: str) -> Resource:
    """Return a resource of any kind; of one in three something is missing or wrong."""
    name = rng.choice((INSTANCE, INSTANCE, INSTANCE, VOLUME, BUCKET, ENDPOINT, NOTEBOOK))
    kind = CATALOG.kinds[name]
    fields: dict[str, Answer] = MADE[name](rng)
    fields["created"] = NOW - timedelta(days=rng.choice((1, 10, 30)))
    devices = fields.get("accelerator.devices", 1)
    found = Resource(
        name,
        identity,
        ACCOUNT,
        rng.choice(REGIONS),
        f"n-{identity}",
        fields,
        {key: rng.choice(values) for key, values in TAGS.items() if rng.random() < LIKELY.get(key, 0.1)},
        metrics=metrics_of(rng, kind, int(devices)),  # type: ignore[call-overload]
        usage=(Usage(SKUS[name][0], Decimal(1), SKUS[name][1]),) if name in SKUS else Unknown(Reason.NOT_COLLECTED),
    )
    return damaged(rng, found) if rng.random() < 0.33 else found


def damaged(rng: Random, found: Resource) -> Resource:
    """Return the resource with one part of it unknown or wrong."""
    groups = sorted({field.group for field in CATALOG.kinds[found.kind].fields} | {"tags"})
    match rng.randrange(4):
        case 0:
            name = rng.choice(sorted(found.fields))
            return replace(found, fields={**found.fields, name: rng.choice((*LIES, unknown(rng)))})
        case 1:
            return hidden_group(found, rng.choice(groups), unknown(rng))
        case 2:
            return replace(found, usage=unknown(rng))
        case _:
            name = rng.choice(sorted(found.fields))
            return replace(found, fields={key: value for key, value in found.fields.items() if key != name})


def hidden_group(found: Resource, group: str, gap: Unknown) -> Resource:
    """Return the resource without a field group, and with the gap that its collector reports."""
    fields = CATALOG.kinds[found.kind].field_by_name
    kept = {name: value for name, value in found.fields.items() if fields[name].group != group}
    tags = {} if group == "tags" else found.tags
    return replace(found, fields=kept, tags=tags, gaps={**found.gaps, group: gap})


@dataclass(frozen=True)
class Estate:
    """Resources and the reports of their scopes."""

    resources: tuple[Resource, ...]
    reports: tuple[ScopeReport, ...]

    @property
    def items(self) -> list[Resource | ScopeReport]:
        return [*self.resources, *self.reports]


def estate(rng: Random, count: int) -> Estate:
    """Return `count` resources, and a report of every scope, some of which were not read."""
    resources = tuple(resource(rng, f"r-{number}") for number in range(count))
    reports = []
    for region in REGIONS:
        for kind in CATALOG.kinds:
            status = rng.choice((ScopeStatus.COMPLETE,) * 9 + (ScopeStatus.PARTIAL,))
            reports.append(ScopeReport(Scope(ACCOUNT, region, kind), status))
    return Estate(resources, tuple(reports))


# --- single data taken out


def deletions(rng: Random, found: Estate) -> Iterator[tuple[str, Estate]]:
    """Yield the estate without one datum each time, with what was taken."""
    for position, one in enumerate(found.resources):
        for what, less in _lessened(rng, one):
            resources = (*found.resources[:position], less, *found.resources[position + 1 :])
            yield f"{one.id}: {what}", replace(found, resources=resources)
    for position, report in enumerate(found.reports):
        kept = tuple(r for r in found.resources if (r.region, r.kind) != (report.scope.region, report.scope.kind))
        denied = replace(report, status=ScopeStatus.DENIED)
        reports = (*found.reports[:position], denied, *found.reports[position + 1 :])
        yield f"scope {report.scope}", Estate(kept, reports)


def _lessened(rng: Random, one: Resource) -> Iterator[tuple[str, Resource]]:
    kind = CATALOG.kinds[one.kind]
    for name in one.fields:
        yield f"{name} unknown", replace(one, fields={**one.fields, name: unknown(rng)})
        rest = {key: value for key, value in one.fields.items() if key != name}
        group = kind.field_by_name[name].group
        yield f"{name} gone with its group", replace(one, fields=rest, gaps={**one.gaps, group: unknown(rng)})
        if not kind.field_by_name[name].optional:
            yield f"{name} gone", replace(one, fields=rest)
            yield f"{name} null", replace(one, fields={**rest, name: Unknown(Reason.NULL)})
    for group in sorted({field.group for field in kind.fields} | {"tags"}):
        yield f"group {group}", hidden_group(one, group, unknown(rng))
    yield "usage", replace(one, usage=unknown(rng))
    for name, all_series in one.metrics.items():
        metric = kind.metric_by_name[name]
        gone = replace(one, gaps={**one.gaps, f"metrics.{metric.signal}": unknown(rng)})
        yield f"all of {name}", replace(gone, metrics={**one.metrics, name: ()})
        if metric.event_driven or metric.optional:
            continue
        for number, lost in enumerate(all_series):
            kept = (*all_series[:number], *all_series[number + 1 :])
            yield f"{name}[{lost.device}]", replace(one, metrics={**one.metrics, name: kept})


def sample_deletions(rng: Random, one: Resource, count: int) -> Iterator[tuple[str, Series, int, Resource]]:
    """Yield the resource without one sample each time, the highest among them: metric, series, position, rest."""
    places = [
        (name, number, index)
        for name, all_series in one.metrics.items()
        for number, found in enumerate(all_series)
        for index, value in enumerate(found.values)
        if value is not None
    ]
    # What matters is rare among hundreds of samples: the highest of each series is always taken out.
    highest = {}
    for name, number, index in places:
        value = one.metrics[name][number].values[index] or 0.0
        if value > highest.get((name, number), (0.0, 0))[0]:
            highest[name, number] = (value, index)
    peaks = [(name, number, index) for (name, number), (_, index) in highest.items()]
    for name, number, index in [*peaks, *rng.sample(places, min(count, len(places)))]:
        all_series = one.metrics[name]
        found = all_series[number]
        values = (*found.values[:index], None, *found.values[index + 1 :])
        changed = (*all_series[:number], replace(found, values=values), *all_series[number + 1 :])
        yield name, found, index, replace(one, metrics={**one.metrics, name: changed})
