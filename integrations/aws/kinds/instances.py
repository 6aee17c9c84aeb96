"""EC2 instances, with what is charged for them. Terminated ones are gone and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from engine.values import Answer, Reason, Unknown, clean
from integrations.aws.declared import AwsKind
from integrations.aws.fields import agent_gpu_metrics, cpu, hardware, instance_type, network, owners, running
from integrations.aws.metric_sources import Source, agent_gpu, agent_owners
from integrations.aws.reader import Reader, hardware_fields, tags_of

CALL = "ec2:DescribeInstances"
PAGE = 1000
"""Instances a call, the most that EC2 gives."""
BILLED = ("pending", "running")
GONE = ("terminated", "shutting-down")
PLATFORMS = {
    "Linux/UNIX": "linux",
    "Windows": "windows",
    "Red Hat Enterprise Linux": "rhel",
    "SUSE Linux": "suse",
}
"""`PlatformDetails` to the platform of the price list; other values carry other charges."""
MANAGERS = {
    "aws:autoscaling:groupName": "autoscaling",
    "aws:eks:cluster-name": "eks",
    "eks:cluster-name": "eks",
    "karpenter.sh/nodepool": "eks",
    "AWSBatchServiceTag": "batch",
    "aws:batch:compute-environment": "batch",
    "aws:elasticmapreduce:job-flow-id": "emr",
    "sagemaker:cluster-name": "sagemaker",
    "parallelcluster:cluster-name": "parallelcluster",
}
"""Tags that whatever would replace a stopped instance puts on it; the most telling last."""

KIND = Kind(
    name="aws.ec2.instance",
    title="EC2 instance",
    classes=("compute.instance",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EC2 reports it; terminated instances are listed for about an hour.",
            values=("pending", "running", "shutting-down", "terminated", "stopping", "stopped"),
        ),
        running("Whether it is charged for compute: pending or running."),
        instance_type(),
        Field("availability_zone", Type.STRING, "The availability zone, such as `us-east-1a`."),
        Field(
            "lifecycle",
            Type.STRING,
            "How its capacity is bought. Capacity blocks are paid in advance: a stop saves nothing.",
            values=("on-demand", "spot", "capacity-block"),
        ),
        Field(
            "capacity_reservation",
            Type.STRING,
            "The capacity reservation or block it runs in. Its place is charged, used or not: a stop saves nothing.",
            optional=True,
        ),
        Field("tenancy", Type.STRING, "Whose hardware it runs on.", values=("default", "dedicated", "host")),
        Field(
            "platform",
            Type.STRING,
            "The operating system it is charged for.",
            values=("linux", "windows", "rhel", "suse", "other"),
        ),
        Field("launched", Type.TIMESTAMP, "When it was last started (`LaunchTime`)."),
        Field(
            "managed_by",
            Type.STRING,
            "What would replace it when it is stopped, by its `aws:` and cluster tags.",
            group="tags",
            optional=True,
            values=("autoscaling", "eks", "batch", "emr", "sagemaker", "parallelcluster"),
        ),
        Field("auto_scaling_group", Type.STRING, "The Auto Scaling group it is of.", group="tags", optional=True),
        Field("node_group", Type.STRING, "The EKS node group it is of.", group="tags", optional=True),
        Field("cluster", Type.STRING, "The EKS cluster it is a node of.", group="tags", optional=True),
        Field("batch_environment", Type.STRING, "The Batch environment it is of.", group="tags", optional=True),
        Field("imdsv2", Type.BOOL, "Whether instance metadata is read with session tokens only (IMDSv2)."),
        Field("public_ip", Type.BOOL, "Whether it has a public IPv4 address."),
        Field("private_dns_name", Type.STRING, "The private DNS name, a node's name in many clusters.", optional=True),
        *hardware("one instance"),
        Field("instance_store", Type.BOOL, "Whether it has local disks that a stop erases.", group="hardware"),
    ),
    metrics=(*agent_gpu_metrics(), cpu(300), *network(), *owners()),
)

OWNERS = {
    "auto_scaling_group": ("aws:autoscaling:groupName",),
    "node_group": ("eks:nodegroup-name",),
    "cluster": ("aws:eks:cluster-name", "eks:cluster-name"),
    "batch_environment": ("aws:batch:compute-environment", "AWSBatchServiceTag"),
}
"""Tags that whatever made it puts on it, by the field that names it."""


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the instances of a region, page by page."""
    for page in reader.pages("ec2", "describe_instances", "Reservations", PAGE, **reader.narrowed("instance-id")):
        reservations = reader.sound(CALL, page, "Instances")
        listed = [entry for reservation in reservations for entry in reservation["Instances"]]
        entries = [entry for entry in reader.sound(CALL, listed, "InstanceId", "State") if not _gone(entry)]
        known = reader.hardware(t for e in entries if (t := e.get("InstanceType"))) if reader.wants("hardware") else {}
        yield reader.made(CALL, partial(_instance, reader, known), entries)


def _gone(entry: Mapping[str, Any]) -> bool:
    state = entry["State"]
    return isinstance(state, Mapping) and state.get("Name") in GONE


def _instance(reader: Reader, known: Mapping[str, Any], entry: Mapping[str, Any]) -> Resource:
    tags = tags_of(entry.get("Tags"))
    gaps = reader.unasked()
    gaps.pop("tags", None)  # they come with the instance
    fields = _fields(entry, tags)
    if reader.wants("hardware"):
        hardware = hardware_fields(known, entry.get("InstanceType"))
        if isinstance(hardware, Unknown):
            gaps["hardware"] = hardware
        else:
            fields.update(hardware)
    return Resource(
        kind=reader.kind.name,
        id=entry["InstanceId"],
        account=reader.account,
        region=reader.region,
        name=tags.get("Name", ""),
        fields=fields,
        tags=tags,
        gaps=gaps,
        usage=_usage(fields, entry.get("CapacityReservationId")),
    )


def _fields(entry: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Answer]:
    state = entry["State"].get("Name")
    placement = entry.get("Placement", {})
    fields: dict[str, Answer] = {
        "state": clean(state, "resource.state"),
        "running": state in BILLED if state else Unknown(Reason.NULL, path="resource.running"),
        "instance.type": clean(entry.get("InstanceType"), "resource.instance.type"),
        "availability_zone": clean(placement.get("AvailabilityZone"), "resource.availability_zone"),
        "lifecycle": entry.get("InstanceLifecycle") or "on-demand",
        "tenancy": placement.get("Tenancy") or "default",
        "platform": _platform(entry),
        "launched": clean(entry.get("LaunchTime"), "resource.launched"),
        "created": clean(_created(entry), "resource.created"),
        "public_ip": bool(entry.get("PublicIpAddress")),
    }
    tokens = entry.get("MetadataOptions", {}).get("HttpTokens")
    fields["imdsv2"] = clean(None if tokens is None else tokens == "required", "resource.imdsv2")
    if entry.get("CapacityReservationId"):
        fields["capacity_reservation"] = entry["CapacityReservationId"]
    if entry.get("PrivateDnsName"):
        fields["private_dns_name"] = entry["PrivateDnsName"]
    manager = [who for tag, who in MANAGERS.items() if tag in tags]
    manager += ["eks" for tag in tags if tag.startswith("kubernetes.io/cluster/")]
    if manager:
        fields["managed_by"] = manager[-1]
    owners = {name: next((tags[key] for key in keys if key in tags), None) for name, keys in OWNERS.items()}
    fields.update({name: owner for name, owner in owners.items() if owner is not None})
    return fields


def _platform(entry: Mapping[str, Any]) -> Answer:
    details = entry.get("PlatformDetails")
    if details is None:
        return Unknown(Reason.NULL, "no PlatformDetails", "resource.platform")
    return PLATFORMS.get(details, "other")


def _created(entry: Mapping[str, Any]) -> datetime | None:
    """Return the earliest time it is known to have existed: `LaunchTime` moves with every start."""
    times = [
        entry.get("LaunchTime"),
        *(i.get("Attachment", {}).get("AttachTime") for i in entry.get("NetworkInterfaces", ())),
        *(d.get("Ebs", {}).get("AttachTime") for d in entry.get("BlockDeviceMappings", ())),
    ]
    return min((t for t in times if isinstance(t, datetime)), default=None)


def _usage(fields: Mapping[str, Answer], reservation: object) -> tuple[Usage, ...] | Unknown:
    """
    Return what it is charged for as it is; volumes and addresses are resources of their own.

    A place in a capacity reservation is charged at the same price whether an instance runs in it or not.
    """
    if fields["running"] is False:
        return ()
    needed = [fields[name] for name in ("running", "instance.type", "platform")]
    unknown = next((value for value in needed if isinstance(value, Unknown)), None)
    if unknown is not None:
        return unknown
    lifecycle, tenancy = fields["lifecycle"], fields["tenancy"]
    if lifecycle == "capacity-block":
        sku = f"aws.ec2.capacity_block:{fields['instance.type']}"
        return (Usage(sku, Decimal(1), "hour", kept="it is paid in advance with its capacity block"),)
    kept = f"its place in capacity reservation {reservation} is charged, used or not" if reservation else ""
    market = {"on-demand": "on_demand"}.get(str(lifecycle), str(lifecycle))
    hardware = "" if tenancy == "default" else f".{tenancy}"
    sku = f"aws.ec2.{fields['platform']}.{market}{hardware}:{fields['instance.type']}"
    return (Usage(sku, Decimal(1), "hour", kept=kept),)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=("ec2:DescribeInstances", "ec2:DescribeInstanceTypes"),
    metrics={
        **agent_gpu("InstanceId", by_name=False),
        **agent_owners(),
        "cpu.utilization": Source("AWS/EC2", "CPUUtilization", "Maximum", "InstanceId"),
        "network.in": Source("AWS/EC2", "NetworkIn", "Sum", "InstanceId"),
        "network.out": Source("AWS/EC2", "NetworkOut", "Sum", "InstanceId"),
    },
)
