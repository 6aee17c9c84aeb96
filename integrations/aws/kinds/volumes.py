"""EBS volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from engine.values import Answer, Reason, Unknown, clean
from integrations.aws.declared import AwsKind
from integrations.aws.fields import encryption_key
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader, tags_of

CALL = "ec2:DescribeVolumes"
PAGE = 500
"""Volumes a call, the most that EC2 gives."""
GONE = ("deleting", "deleted")
FREE_IOPS = {"gp3": 3000}
"""Operations a second that the price of the capacity includes; other types with a price for them include none."""
FREE_THROUGHPUT = 125
"""MiB/s that the price of a gp3 volume includes."""
CHARGED_BY_IOPS = ("gp3", "io1", "io2")

KIND = Kind(
    name="aws.ebs.volume",
    title="EBS volume",
    classes=("storage.volume",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EC2 reports it; `available` is attached to nothing.",
            values=("creating", "available", "in-use", "deleting", "deleted", "error"),
        ),
        Field("attached", Type.BOOL, "Whether it is attached to an instance."),
        Field("attached_to", Type.STRING, "The id of the instance.", optional=True),
        Field(
            "volume.type",
            Type.STRING,
            "The volume type.",
            values=("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"),
        ),
        Field("volume.size_gib", Type.NUMBER, "Provisioned size.", unit="GiB"),
        Field("volume.iops", Type.NUMBER, "Provisioned or baseline operations per second.", unit="1/s", optional=True),
        Field("volume.throughput_mibps", Type.NUMBER, "Provisioned throughput.", unit="MiB/s", optional=True),
        Field("availability_zone", Type.STRING, "The availability zone."),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted."),
        encryption_key(),
    ),
    metrics=(
        Metric("volume.read_ops", "count", 300, "io", "Completed reads.", reduce="sum"),
        Metric("volume.write_ops", "count", 300, "io", "Completed writes.", reduce="sum"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the volumes of a region, page by page."""
    for page in reader.pages("ec2", "describe_volumes", "Volumes", PAGE, **reader.narrowed("volume-id")):
        entries = [e for e in reader.sound(CALL, page, "VolumeId", "State") if e["State"] not in GONE]
        yield reader.made(CALL, lambda entry: _volume(reader, entry), entries)


def _volume(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    tags = tags_of(entry.get("Tags"))
    gaps = reader.unasked()
    gaps.pop("tags", None)  # they come with the volume
    fields = _fields(entry)
    if reader.wants("encryption") and fields["encryption.at_rest"] is not False:
        fields["encryption.key"] = _key_manager(reader, entry.get("KmsKeyId"))
    return Resource(
        kind=reader.kind.name,
        id=entry["VolumeId"],
        account=reader.account,
        region=reader.region,
        name=tags.get("Name", ""),
        fields=fields,
        tags=tags,
        gaps=gaps,
        usage=_usage(fields),
    )


def _key_manager(reader: Reader, key: str | None) -> Answer:
    """Return who manages the key; only a volume that is known not to be encrypted has none."""
    return reader.key_manager(key) if key else Unknown(Reason.NULL, "no KmsKeyId", "resource.encryption.key")


def _fields(entry: Mapping[str, Any]) -> dict[str, Answer]:
    attachments = [a for a in entry.get("Attachments", ()) if a.get("State") != "detached"]
    fields: dict[str, Answer] = {
        "state": clean(entry["State"], "resource.state"),
        "attached": bool(attachments),
        "volume.type": clean(entry.get("VolumeType"), "resource.volume.type"),
        "volume.size_gib": clean(entry.get("Size"), "resource.volume.size_gib"),
        "availability_zone": clean(entry.get("AvailabilityZone"), "resource.availability_zone"),
        "created": clean(entry.get("CreateTime"), "resource.created"),
        "encryption.at_rest": clean(entry.get("Encrypted"), "resource.encryption.at_rest"),
    }
    if attachments and attachments[0].get("InstanceId"):
        fields["attached_to"] = attachments[0]["InstanceId"]
    if entry.get("Iops") is not None:
        fields["volume.iops"] = clean(entry["Iops"], "resource.volume.iops")
    if entry.get("Throughput") is not None:
        fields["volume.throughput_mibps"] = clean(entry["Throughput"], "resource.volume.throughput_mibps")
    return fields


def _usage(fields: Mapping[str, Answer]) -> tuple[Usage, ...] | Unknown:
    kind, size = fields["volume.type"], fields["volume.size_gib"]
    for value in (kind, size):
        if isinstance(value, Unknown):
            return value
    parts = [Usage(f"aws.ebs.{kind}", Decimal(str(size)), "GiB-month", "storage")]
    iops, throughput = fields.get("volume.iops"), fields.get("volume.throughput_mibps")
    if kind in CHARGED_BY_IOPS and kind not in FREE_IOPS and not isinstance(iops, int):
        return Unknown(Reason.NULL, f"the operations of an {kind} volume, which are charged for, did not come")
    if kind in CHARGED_BY_IOPS and isinstance(iops, int) and iops > FREE_IOPS.get(str(kind), 0):
        more = Decimal(iops - FREE_IOPS.get(str(kind), 0))
        parts.append(Usage(f"aws.ebs.{kind}.iops", more, "IOPS-month", "storage"))
    if kind == "gp3" and isinstance(throughput, int) and throughput > FREE_THROUGHPUT:
        parts.append(Usage("aws.ebs.gp3.throughput", Decimal(throughput - FREE_THROUGHPUT), "MiBps-month", "storage"))
    return tuple(parts)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=("ec2:DescribeVolumes", "kms:DescribeKey"),
    metrics={
        "volume.read_ops": Source("AWS/EBS", "VolumeReadOps", "Sum", "VolumeId"),
        "volume.write_ops": Source("AWS/EBS", "VolumeWriteOps", "Sum", "VolumeId"),
    },
)
