"""FSx file systems: Lustre for training data, and the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, stored
from integrations.aws.fields import encryption_key
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "fsx:DescribeFileSystems"
PAGE = 100
CONFIGURATION = {
    "LUSTRE": "LustreConfiguration",
    "WINDOWS": "WindowsConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
}
"""Where the answer holds what is particular to a type."""

KIND = Kind(
    name="aws.fsx.file_system",
    title="FSx file system",
    classes=("storage.file_system",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as FSx reports it.",
            values=(
                "AVAILABLE",
                "CREATING",
                "FAILED",
                "DELETING",
                "MISCONFIGURED",
                "UPDATING",
                "MISCONFIGURED_UNAVAILABLE",
            ),
        ),
        Field("type", Type.STRING, "What it speaks.", values=tuple(CONFIGURATION)),
        Field(
            "deployment", Type.STRING, "How durable it is: `SCRATCH_2`, `PERSISTENT_2`, `MULTI_AZ_1` …", optional=True
        ),
        Field("storage.type", Type.STRING, "Its disks.", values=("SSD", "HDD", "INTELLIGENT_TIERING")),
        Field("storage.size_gib", Type.NUMBER, "Provisioned storage.", unit="GiB"),
        Field("throughput.mibps", Type.NUMBER, "Provisioned throughput.", unit="MiB/s", optional=True),
        Field(
            "throughput.mibps_per_tib",
            Type.NUMBER,
            "Throughput a TiB of a persistent Lustre file system.",
            unit="MiB/s",
            optional=True,
        ),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted; it always is."),
        encryption_key(),
    ),
    metrics=(
        Metric("io.read_bytes", "bytes", 60, "io", "Bytes read (`DataReadBytes`).", reduce="sum"),
        Metric("io.write_bytes", "bytes", 60, "io", "Bytes written (`DataWriteBytes`).", reduce="sum"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the file systems of a region, page by page."""
    for page in reader.pages("fsx", "describe_file_systems", "FileSystems", PAGE):
        entries = reader.sound(CALL, page, "FileSystemId")
        yield reader.made(CALL, partial(_file_system, reader), entries)


def _file_system(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["FileSystemId"])
    draft.read(
        entry,
        {
            "state": "Lifecycle",
            "type": "FileSystemType",
            "storage.type": "StorageType",
            "storage.size_gib": "StorageCapacity",
            "created": "CreationTime",
        },
    )
    own = CONFIGURATION.get(str(entry.get("FileSystemType")), "")
    draft.put("deployment", at(entry, f"{own}.DeploymentType"))
    draft.put("throughput.mibps", at(entry, f"{own}.ThroughputCapacity"))
    draft.put("throughput.mibps_per_tib", at(entry, f"{own}.PerUnitStorageThroughput"))
    draft.put("encryption.at_rest", True)
    draft.key(entry.get("KmsKeyId"))
    draft.tagged(entry.get("Tags"))
    draft.name = draft.tags.get("Name", "")
    draft.charge(
        ("type", "deployment", "storage.type", "storage.size_gib", "throughput.mibps", "throughput.mibps_per_tib"),
        _usage,
    )
    return draft.resource()


def _usage(
    type_: str, deployment: str | None, disk: str, size: int, throughput: float | None, per_tib: float | None
) -> Iterator[Usage]:
    """Yield capacity, whose price for Lustre depends on its throughput, and throughput where it has a price."""
    shape = ".".join(str(part).lower() for part in (type_, deployment, disk, per_tib) if part)
    yield stored(f"aws.fsx.{shape}", size)
    if throughput:
        sku = f"aws.fsx.{type_.lower()}.throughput.{str(deployment or '').lower()}"
        yield Usage(sku, Decimal(str(throughput)), "MiBps-month", "storage")


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "kms:DescribeKey"),
    metrics={
        "io.read_bytes": Source("AWS/FSx", "DataReadBytes", "Sum", "FileSystemId"),
        "io.write_bytes": Source("AWS/FSx", "DataWriteBytes", "Sum", "FileSystemId"),
    },
)
