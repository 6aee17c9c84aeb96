"""SageMaker notebook instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from engine.values import Answer, Reason, Unknown, clean
from integrations.aws.declared import AwsKind
from integrations.aws.fields import agent_gpu_metrics, cpu, encryption_key, hardware, instance_type, running
from integrations.aws.kinds.endpoints import PAGE, read_tags
from integrations.aws.metric_sources import AGENT, Source, agent_gpu
from integrations.aws.reader import Reader, attempt, hardware_fields

CALL = "sagemaker:ListNotebookInstances"
BILLED = ("Pending", "InService", "Updating")
DETAIL_GROUPS = ("details", "encryption")

KIND = Kind(
    name="aws.sagemaker.notebook",
    title="SageMaker notebook instance",
    classes=("ml.notebook",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as SageMaker reports it.",
            values=("Pending", "InService", "Stopping", "Stopped", "Failed", "Deleting", "Updating"),
        ),
        running("Whether it is charged for compute."),
        instance_type(),
        Field("modified", Type.TIMESTAMP, "When it was last changed, started or stopped."),
        Field("volume.size_gib", Type.NUMBER, "Size of its volume.", unit="GiB", group="details"),
        Field("public_access", Type.BOOL, "Whether it reaches the internet directly.", group="details"),
        Field("root_access", Type.BOOL, "Whether its users are root.", group="details"),
        Field("in_vpc", Type.BOOL, "Whether it is in a VPC of the account.", group="details"),
        Field("encryption.at_rest", Type.BOOL, "Whether its volume is encrypted; it always is.", group="encryption"),
        encryption_key(),
        *hardware("the notebook instance"),
    ),
    metrics=(*agent_gpu_metrics(), cpu(60)),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the notebook instances of a region, page by page."""
    for page in reader.pages("sagemaker", "list_notebook_instances", "NotebookInstances", PAGE):
        entries = reader.sound(CALL, page, "NotebookInstanceName", "NotebookInstanceArn")
        known = reader.hardware(t for e in entries if (t := e.get("InstanceType"))) if reader.wants("hardware") else {}
        yield reader.each(CALL, partial(_notebook, reader, known), entries, itemgetter("NotebookInstanceArn"))


def _notebook(reader: Reader, known: Mapping[str, Any], entry: Mapping[str, Any]) -> Resource:
    state, kind = entry.get("NotebookInstanceStatus"), entry.get("InstanceType")
    gaps = reader.unasked()
    fields: dict[str, Answer] = {
        "state": clean(state, "resource.state"),
        "running": state in BILLED if state else Unknown(Reason.NULL, path="resource.running"),
        "instance.type": clean(kind, "resource.instance.type"),
        "created": clean(entry.get("CreationTime"), "resource.created"),
        "modified": clean(entry.get("LastModifiedTime"), "resource.modified"),
    }
    if reader.wants("hardware"):
        hardware = hardware_fields(known, kind)
        if isinstance(hardware, Unknown):
            gaps["hardware"] = hardware
        else:
            hardware.pop("instance_store", None)
            fields.update(hardware)
    size: Answer = Unknown(Reason.NOT_COLLECTED, "the size of its volume was not read")
    if reader.wants(*DETAIL_GROUPS):
        size = _add_details(reader, entry["NotebookInstanceName"], fields, gaps)
    return Resource(
        kind=reader.kind.name,
        id=entry["NotebookInstanceArn"],
        account=reader.account,
        region=reader.region,
        name=entry["NotebookInstanceName"],
        fields=fields,
        tags=read_tags(reader, entry["NotebookInstanceArn"], gaps),
        gaps=gaps,
        usage=_usage(fields, size),
    )


def _add_details(reader: Reader, name: str, fields: dict[str, Answer], gaps: dict[str, Unknown]) -> Answer:
    """Add what only the description of the notebook says; return the size of its volume."""
    client = reader.client("sagemaker")
    call = "sagemaker:DescribeNotebookInstance"
    details = attempt(call, lambda: client.describe_notebook_instance(NotebookInstanceName=name))
    if isinstance(details, Unknown):
        gaps.update(dict.fromkeys((g for g in DETAIL_GROUPS if reader.wants(g)), details))
        return details
    size = clean(details.get("VolumeSizeInGB"), "resource.volume.size_gib")
    fields.update(
        {
            "volume.size_gib": size,
            "public_access": _switch(details, "DirectInternetAccess", "resource.public_access"),
            "root_access": _switch(details, "RootAccess", "resource.root_access"),
            "in_vpc": bool(details.get("SubnetId")),
        }
    )
    if reader.wants("encryption"):
        key = details.get("KmsKeyId")
        fields["encryption.at_rest"] = True
        fields["encryption.key"] = reader.key_manager(key) if key else "aws_owned"
    return size


def _switch(details: Mapping[str, Any], key: str, path: str) -> Answer:
    value = details.get(key)
    return clean(None if value is None else value == "Enabled", path)


def _usage(fields: Mapping[str, Answer], size: Answer) -> tuple[Usage, ...] | Unknown:
    for value in (fields["running"], fields["instance.type"], size):
        if isinstance(value, Unknown):
            return value
    disk = Usage("aws.sagemaker.notebook.storage", Decimal(str(size)), "GiB-month", "storage")
    if not fields["running"]:
        return (disk,)
    return (Usage(f"aws.sagemaker.notebook:{fields['instance.type']}", Decimal(1), "hour"), disk)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(
        "ec2:DescribeInstanceTypes",
        "kms:DescribeKey",
        "sagemaker:DescribeNotebookInstance",
        "sagemaker:ListNotebookInstances",
        "sagemaker:ListTags",
    ),
    metrics={
        **agent_gpu("NotebookInstanceName", by_name=True),
        "cpu.utilization": Source(
            AGENT,
            "cpu_usage_active",
            "Maximum",
            "NotebookInstanceName",
            by_name=True,
            discover=True,
            fixed={"cpu": "cpu-total"},
        ),
    },
)
