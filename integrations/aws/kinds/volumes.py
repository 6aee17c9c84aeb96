"""EBS volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.model import Resource, Usage
from engine.values import Answer, Unknown, clean
from integrations.aws.reader import Reader, tags_of

CALL = "ec2:DescribeVolumes"
FREE_IOPS = {"gp3": 3000}
"""Operations a second that the price of the capacity includes; other types with a price for them include none."""
FREE_THROUGHPUT = 125
"""MiB/s that the price of a gp3 volume includes."""
CHARGED_BY_IOPS = ("gp3", "io1", "io2")


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the volumes of a region, page by page."""
    for page in reader.pages("ec2", "describe_volumes", "Volumes"):
        found = []
        for entry in page:
            if "VolumeId" not in entry or "State" not in entry:
                reader.skip(CALL, entry, "VolumeId or State")
            elif entry["State"] not in ("deleting", "deleted"):
                found.append(_volume(reader, entry))
        yield found


def _volume(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    tags = tags_of(entry.get("Tags"))
    gaps = reader.unasked()
    gaps.pop("tags", None)  # they come with the volume
    fields = _fields(entry)
    key = entry.get("KmsKeyId")
    if reader.wants("encryption") and entry.get("Encrypted") and key:
        fields["encryption.key"] = reader.key_manager(key)
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


def _fields(entry: Mapping[str, Any]) -> dict[str, Answer]:
    attachments = [a for a in entry.get("Attachments", ()) if a.get("State") != "detached"]
    fields: dict[str, Answer] = {
        "state": entry["State"],
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
        fields["volume.iops"] = entry["Iops"]
    if entry.get("Throughput") is not None:
        fields["volume.throughput_mibps"] = entry["Throughput"]
    return fields


def _usage(fields: Mapping[str, Answer]) -> tuple[Usage, ...] | Unknown:
    kind, size = fields["volume.type"], fields["volume.size_gib"]
    for value in (kind, size):
        if isinstance(value, Unknown):
            return value
    parts = [Usage(f"aws.ebs.{kind}", Decimal(str(size)), "GiB-month", "storage")]
    iops, throughput = fields.get("volume.iops"), fields.get("volume.throughput_mibps")
    if kind in CHARGED_BY_IOPS and isinstance(iops, int) and iops > FREE_IOPS.get(str(kind), 0):
        more = Decimal(iops - FREE_IOPS.get(str(kind), 0))
        parts.append(Usage(f"aws.ebs.{kind}.iops", more, "IOPS-month", "storage"))
    if kind == "gp3" and isinstance(throughput, int) and throughput > FREE_THROUGHPUT:
        parts.append(Usage("aws.ebs.gp3.throughput", Decimal(throughput - FREE_THROUGHPUT), "MiBps-month", "storage"))
    return tuple(parts)
