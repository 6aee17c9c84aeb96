"""EFS file systems, charged for by what is stored in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, stored
from integrations.aws.fields import encryption_key
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "elasticfilesystem:DescribeFileSystems"
PAGE = 100
GIB = 1024**3

KIND = Kind(
    name="aws.efs.file_system",
    title="EFS file system",
    classes=("storage.file_system",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EFS reports it.",
            values=("creating", "available", "updating", "deleting", "deleted", "error"),
        ),
        Field("storage.size_gib", Type.NUMBER, "What is stored, metered every few hours.", unit="GiB"),
        Field("storage.standard_gib", Type.NUMBER, "The part in the standard class.", unit="GiB", optional=True),
        Field("storage.infrequent_gib", Type.NUMBER, "The part in Infrequent Access.", unit="GiB", optional=True),
        Field("storage.archive_gib", Type.NUMBER, "The part in Archive.", unit="GiB", optional=True),
        Field("mount_targets", Type.NUMBER, "Mount targets; with none, nothing can reach it."),
        Field(
            "throughput.mode", Type.STRING, "How throughput is bought.", values=("bursting", "provisioned", "elastic")
        ),
        Field("throughput.mibps", Type.NUMBER, "Provisioned throughput.", unit="MiB/s", optional=True),
        Field("one_zone", Type.BOOL, "Whether it is kept in one zone."),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted; decided when it is created."),
        encryption_key(),
    ),
    metrics=(
        Metric(
            "connections",
            "count",
            60,
            "requests",
            "Client connections in the minute (`ClientConnections`).",
            reduce="sum",
        ),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the file systems of a region, page by page."""
    for page in reader.pages("efs", "describe_file_systems", "FileSystems", PAGE):
        entries = reader.sound(CALL, page, "FileSystemId")
        yield reader.made(CALL, partial(_file_system, reader), entries)


def _file_system(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["FileSystemId"], entry.get("Name") or "")
    draft.read(
        entry,
        {
            "state": "LifeCycleState",
            "created": "CreationTime",
            "mount_targets": "NumberOfMountTargets",
            "throughput.mode": "ThroughputMode",
            "throughput.mibps": "ProvisionedThroughputInMibps",
            "encryption.at_rest": "Encrypted",
        },
    )
    for name, key in {
        "storage.size_gib": "Value",
        "storage.standard_gib": "ValueInStandard",
        "storage.infrequent_gib": "ValueInIA",
        "storage.archive_gib": "ValueInArchive",
    }.items():
        draft.put(name, _gib((entry.get("SizeInBytes") or {}).get(key)))
    draft.put("one_zone", bool(entry.get("AvailabilityZoneName")))
    if draft.fields["encryption.at_rest"] is not False:
        draft.key(entry.get("KmsKeyId"))
    draft.tagged(entry.get("Tags"))
    draft.charge(
        ("storage.size_gib", "storage.infrequent_gib", "storage.archive_gib", "one_zone", "throughput.mibps"), _usage
    )
    return draft.resource()


def _gib(size: object) -> object:
    return size / GIB if isinstance(size, int) and not isinstance(size, bool) else size


def _usage(
    size: float, infrequent: float | None, archive: float | None, one_zone: bool, throughput: float | None
) -> Iterator[Usage]:
    """Yield each storage class at its price; what is not in a cheaper class is in the standard one."""
    zone = ".one_zone" if one_zone else ""
    for name, gib in (("infrequent_access", infrequent or 0), ("archive", archive or 0)):
        if gib:
            yield stored(f"aws.efs.{name}{zone}", gib)
    standard = size - (infrequent or 0) - (archive or 0)
    yield stored(f"aws.efs.standard{zone}", max(standard, 0))
    if throughput:
        yield Usage("aws.efs.throughput", Decimal(str(throughput)), "MiBps-month", "storage")


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "kms:DescribeKey"),
    metrics={"connections": Source("AWS/EFS", "ClientConnections", "Sum", "FileSystemId")},
)
