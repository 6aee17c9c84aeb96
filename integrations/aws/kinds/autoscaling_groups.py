"""EC2 Auto Scaling groups: whoever stops one of their machines gets a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import hardware, running
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "autoscaling:DescribeAutoScalingGroups"
PAGE = 100
BILLED = ("Pending", "InService", "Standby", "Terminating", "Detaching", "Quarantined", "Entering")
"""How lifecycle states begin in which a machine runs; those of a warm pool may be stopped."""

KIND = Kind(
    name="aws.autoscaling.group",
    title="Auto Scaling group",
    classes=("compute.group",),
    fields=(
        running("Whether any of its machines runs; they are charged for as machines."),
        Field("size.min", Type.NUMBER, "The fewest machines it keeps."),
        Field("size.max", Type.NUMBER, "The most machines it may have."),
        Field("size.desired", Type.NUMBER, "How many machines it tries to have."),
        Field("instance.count", Type.NUMBER, "Machines it has now."),
        Field("instance.types", Type.STRINGS, "Types of the machines it has, and of those it may choose from."),
        Field("spot_share", Type.NUMBER, "Percent of spot machines above the base.", unit="percent"),
        Field("cluster", Type.STRING, "The EKS cluster it is a part of.", group="tags", optional=True),
        Field("node_group", Type.STRING, "The EKS node group it belongs to.", group="tags", optional=True),
        Field("batch_environment", Type.STRING, "The Batch environment it belongs to.", group="tags", optional=True),
        Field("deleting", Type.BOOL, "Whether it is being deleted."),
        *hardware("all its machines"),
    ),
    metrics=(Metric("size.in_service", "count", 60, "requests", "Machines in service (`GroupInServiceInstances`)."),),
)
OWNERS = {
    "cluster": ("eks:cluster-name", "k8s.io/cluster-autoscaler/cluster-name"),
    "node_group": ("eks:nodegroup-name",),
    "batch_environment": ("aws:batch:compute-environment", "AWSBatchServiceTag"),
}
"""Tags that whatever made it puts on it."""


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the groups of a region, page by page."""
    for page in reader.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", PAGE):
        entries = reader.sound(CALL, page, "AutoScalingGroupARN", "AutoScalingGroupName")
        yield reader.made(CALL, partial(_group, reader), entries)


def _group(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["AutoScalingGroupARN"], entry["AutoScalingGroupName"])
    draft.read(
        entry,
        {"size.min": "MinSize", "size.max": "MaxSize", "size.desired": "DesiredCapacity", "created": "CreatedTime"},
    )
    machines = [m for m in entry.get("Instances") or () if str(m["LifecycleState"]).startswith(BILLED)]
    types = Counter(m.get("InstanceType") for m in machines)
    choices = at(entry, "MixedInstancesPolicy.LaunchTemplate.Overrides") or ()
    chosen = {o["InstanceType"] for o in choices if "InstanceType" in o}
    draft.put("running", bool(machines))
    draft.put("instance.count", len(machines))
    draft.put("instance.types", sorted({*types, *chosen}) if None not in types else None)
    draft.put("spot_share", _spot_share(entry))
    draft.put("deleting", bool(entry.get("Status")))
    draft.machines(types.items())
    draft.tagged(entry.get("Tags"))
    for name, tags in OWNERS.items():
        draft.put(name, next((draft.tags[tag] for tag in tags if tag in draft.tags), None))
    # Its machines are resources of their own, with charges of their own.
    return draft.resource()


def _spot_share(entry: Mapping[str, Any]) -> object:
    above = at(entry, "MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity")
    if above is None:
        return 0
    return 100 - above if isinstance(above, int) and not isinstance(above, bool) else above


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "ec2:DescribeInstanceTypes"),
    metrics={
        "size.in_service": Source(
            "AWS/AutoScaling", "GroupInServiceInstances", "Maximum", "AutoScalingGroupName", by_name=True
        )
    },
)
