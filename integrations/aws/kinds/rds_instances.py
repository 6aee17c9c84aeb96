"""RDS database instances, where pgvector lives; members of Aurora clusters too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, hours, stored
from integrations.aws.fields import cpu, encryption_key, running
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "rds:DescribeDBInstances"
PAGE = 100
"""Instances a call, the most that RDS gives."""
AT_REST = ("stopped", "stopping", "deleting", "inaccessible-encryption-credentials", "restore-error", "failed")
"""States in which no instance hours are charged; storage is."""

KIND = Kind(
    name="aws.rds.instance",
    title="RDS instance",
    classes=("database.instance",),
    fields=(
        Field("state", Type.STRING, "State as RDS reports it: `available`, `stopped`, `backing-up` and many more."),
        running("Whether instance hours are charged; a stopped instance starts by itself after seven days."),
        Field("instance.type", Type.STRING, "The instance class, such as `db.r6g.large`."),
        Field("engine", Type.STRING, "The engine, such as `postgres` or `aurora-postgresql`."),
        Field("engine.version", Type.STRING, "The engine's version."),
        Field("cluster", Type.STRING, "The Aurora or Multi-AZ cluster it is in.", optional=True),
        Field("multi_az", Type.BOOL, "Whether a standby runs in another zone, at twice the price."),
        Field("storage.type", Type.STRING, "The storage type: `gp2`, `gp3`, `io1`, `io2`, `aurora` …"),
        Field("storage.size_gib", Type.NUMBER, "Provisioned storage; 1 for members of an Aurora cluster.", unit="GiB"),
        Field("availability_zone", Type.STRING, "The availability zone.", optional=True),
        Field("deletion_protection", Type.BOOL, "Whether deletion is refused."),
        Field("public_access", Type.BOOL, "Whether it has a public address."),
        Field("access_logging", Type.BOOL, "Whether any of its logs go to CloudWatch."),
        Field("encryption.at_rest", Type.BOOL, "Whether its storage is encrypted, by KMS or by RDS itself."),
        encryption_key(),
    ),
    metrics=(
        cpu(60),
        Metric("connections", "count", 60, "requests", "Client connections (`DatabaseConnections`)."),
        Metric("io.read_ops", "count", 60, "io", "Disk reads a second (`ReadIOPS`)."),
        Metric("io.write_ops", "count", 60, "io", "Disk writes a second (`WriteIOPS`)."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the instances of a region, page by page."""
    for page in reader.pages("rds", "describe_db_instances", "DBInstances", PAGE):
        entries = reader.sound(CALL, page, "DBInstanceArn", "DBInstanceIdentifier")
        yield reader.made(CALL, partial(_instance, reader), entries)


def _instance(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["DBInstanceArn"], entry["DBInstanceIdentifier"])
    draft.read(
        entry,
        {
            "state": "DBInstanceStatus",
            "instance.type": "DBInstanceClass",
            "engine": "Engine",
            "engine.version": "EngineVersion",
            "cluster": "DBClusterIdentifier",
            "multi_az": "MultiAZ",
            "storage.type": "StorageType",
            "storage.size_gib": "AllocatedStorage",
            "availability_zone": "AvailabilityZone",
            "deletion_protection": "DeletionProtection",
            "public_access": "PubliclyAccessible",
            "created": "InstanceCreateTime",
        },
    )
    state = entry.get("DBInstanceStatus")
    draft.put("running", state not in AT_REST if isinstance(state, str) else None)
    draft.put("access_logging", bool(entry.get("EnabledCloudwatchLogsExports")))
    _encryption(draft, entry)
    draft.tagged(entry.get("TagList"))
    draft.charge(("running", "instance.type", "engine", "multi_az", "storage.type", "storage.size_gib"), _usage)
    return draft.resource()


def _encryption(draft: Draft, entry: Mapping[str, Any]) -> None:
    encrypted = entry.get("StorageEncrypted")
    # `StorageEncrypted` speaks of KMS alone; RDS's own encryption is told by the type.
    by_rds = encrypted is False and entry.get("StorageEncryptionType") == "sse-rds"
    draft.put("encryption.at_rest", True if by_rds else encrypted)
    if draft.fields["encryption.at_rest"] is not False:
        draft.key(entry.get("KmsKeyId"))


def _usage(running: bool, type_: str, engine: str, multi_az: bool, storage: str, size: int) -> Iterator[Usage]:
    zones = ".multi_az" if multi_az else ""
    if running:
        yield hours(f"aws.rds.{engine}{zones}:{type_}")
    # The storage of an Aurora cluster is the cluster's, by use.
    if not engine.startswith("aurora"):
        yield stored(f"aws.rds.storage.{storage}{zones}", size)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "kms:DescribeKey"),
    metrics={
        "cpu.utilization": Source("AWS/RDS", "CPUUtilization", "Maximum", "DBInstanceIdentifier", by_name=True),
        "connections": Source("AWS/RDS", "DatabaseConnections", "Maximum", "DBInstanceIdentifier", by_name=True),
        "io.read_ops": Source("AWS/RDS", "ReadIOPS", "Maximum", "DBInstanceIdentifier", by_name=True),
        "io.write_ops": Source("AWS/RDS", "WriteIOPS", "Maximum", "DBInstanceIdentifier", by_name=True),
    },
)
