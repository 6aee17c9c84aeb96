"""ElastiCache replication groups, which hold vectors and features in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, hours
from integrations.aws.fields import encryption_key, running
from integrations.aws.reader import Reader

CALL = "elasticache:DescribeReplicationGroups"
TAGS = "elasticache:ListTagsForResource"
PAGE = 100

KIND = Kind(
    name="aws.elasticache.cluster",
    title="ElastiCache cluster",
    classes=("database.cache",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as ElastiCache reports it.",
            values=("creating", "available", "modifying", "deleting", "create-failed", "snapshotting"),
        ),
        running("Whether its nodes are charged for: as long as it is there."),
        Field("engine", Type.STRING, "The engine.", values=("redis", "valkey")),
        Field("instance.type", Type.STRING, "The node type, such as `cache.r7g.xlarge`."),
        Field("instance.count", Type.NUMBER, "Nodes of all shards."),
        Field("shards", Type.NUMBER, "Shards."),
        Field("multi_az", Type.BOOL, "Whether replicas are in other zones."),
        Field("data_tiering", Type.BOOL, "Whether values that are seldom read are kept on disks."),
        Field("backup_days", Type.NUMBER, "Days that snapshots are kept; 0 is none.", unit="days"),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted at rest."),
        Field("encryption.in_transit", Type.BOOL, "Whether clients have to use TLS."),
        encryption_key(),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the replication groups of a region, page by page."""
    for page in reader.pages("elasticache", "describe_replication_groups", "ReplicationGroups", PAGE):
        entries = reader.sound(CALL, page, "ARN", "ReplicationGroupId")
        yield reader.each(CALL, partial(_group, reader), entries, itemgetter("ARN"))


def _group(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["ARN"], entry["ReplicationGroupId"])
    draft.read(
        entry,
        {
            "state": "Status",
            "instance.type": "CacheNodeType",
            "backup_days": "SnapshotRetentionLimit",
            "encryption.at_rest": "AtRestEncryptionEnabled",
            "created": "ReplicationGroupCreateTime",
        },
    )
    draft.put("engine", entry.get("Engine") or "redis")
    draft.put("running", True)
    members, shards = entry.get("MemberClusters"), entry.get("NodeGroups")
    draft.put("instance.count", len(members) if isinstance(members, list) else members)
    draft.put("shards", len(shards) if isinstance(shards, list) else shards)
    draft.one_of("multi_az", entry.get("MultiAZ"), ("enabled",))
    draft.one_of("data_tiering", entry.get("DataTiering") or "disabled", ("enabled",))
    _encryption(draft, entry)
    client = reader.client("elasticache")
    draft.ask_tags(TAGS, lambda: client.list_tags_for_resource(ResourceName=entry["ARN"])["TagList"])
    draft.charge(("engine", "instance.type", "instance.count"), _usage)
    return draft.resource()


def _encryption(draft: Draft, entry: Mapping[str, Any]) -> None:
    if entry.get("AtRestEncryptionEnabled") is False and entry.get("StorageEncryptionType") == "sse-elasticache":
        draft.put("encryption.at_rest", True)
    if draft.fields["encryption.at_rest"] is not False:
        draft.key(entry.get("KmsKeyId"))
    # Where TLS is `preferred`, a client may still do without.
    on, mode = entry.get("TransitEncryptionEnabled"), entry.get("TransitEncryptionMode")
    draft.put("encryption.in_transit", mode != "preferred" if on is True else on)


def _usage(engine: str, type_: str, nodes: int) -> Iterator[Usage]:
    if nodes:
        yield hours(f"aws.elasticache.{engine}:{type_}", nodes)


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, TAGS, "kms:DescribeKey"))
