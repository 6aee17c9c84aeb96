"""OpenSearch (and Elasticsearch) domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, hours, stored
from integrations.aws.fields import encryption_key, running
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

LIST = "es:ListDomainNames"
CALL = "es:DescribeDomains"
AT_ONCE = 5
"""Domains that one call describes, the most that the service takes."""

KIND = Kind(
    name="aws.opensearch.domain",
    title="OpenSearch domain",
    classes=("search.domain",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "What the service does with it.",
            values=(
                "Creating",
                "Active",
                "Modifying",
                "UpgradingEngineVersion",
                "UpdatingServiceSoftware",
                "Isolated",
                "Deleting",
            ),
        ),
        running("Whether its nodes are charged for: from creation to deletion, as a domain cannot be stopped."),
        Field("engine.version", Type.STRING, "The engine's version, such as `OpenSearch_2.17`."),
        Field("instance.type", Type.STRING, "The instance type of the data nodes."),
        Field("instance.count", Type.NUMBER, "Data nodes."),
        Field("masters.type", Type.STRING, "The instance type of dedicated masters.", optional=True),
        Field("masters.count", Type.NUMBER, "Dedicated masters; 0 where there are none."),
        Field("warm.type", Type.STRING, "The instance type of UltraWarm nodes.", optional=True),
        Field("warm.count", Type.NUMBER, "UltraWarm nodes; 0 where there are none."),
        Field("zones", Type.NUMBER, "Availability zones that its data nodes are spread over."),
        Field("storage.type", Type.STRING, "The type of its EBS volumes.", optional=True),
        Field("storage.size_gib", Type.NUMBER, "EBS storage of all data nodes together.", unit="GiB"),
        Field("in_vpc", Type.BOOL, "Whether its endpoint is in a VPC of the account."),
        Field("public_access", Type.BOOL, "Whether its endpoint is on the internet."),
        Field("access_logging", Type.BOOL, "Whether its audit log is published."),
        Field("fine_grained_access", Type.BOOL, "Whether fine-grained access control is on."),
        Field("encryption.at_rest", Type.BOOL, "Whether its storage is encrypted."),
        Field("encryption.in_transit", Type.BOOL, "Whether clients have to use HTTPS."),
        Field("encryption.between_nodes", Type.BOOL, "Whether traffic between its nodes is encrypted."),
        encryption_key(),
    ),
    metrics=(
        Metric("cpu.utilization", "percent", 60, "cpu", "CPU use of the busiest data node."),
        Metric("memory.pressure", "percent", 60, "memory", "Java memory pressure (`JVMMemoryPressure`)."),
        Metric("search.rate", "count", 60, "requests", "Searches a minute on the busiest data node (`SearchRate`)."),
        Metric("indexing.rate", "count", 60, "requests", "Documents indexed a minute (`IndexingRate`)."),
        Metric("documents", "count", 60, "documents", "Searchable documents (`SearchableDocuments`)."),
        Metric("storage.used", "MiB", 60, "storage", "Space used on all nodes (`ClusterUsedSpace`)."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the domains of a region, some at a time."""
    client = reader.client("opensearch")
    for page in reader.pages("opensearch", "list_domain_names", "DomainNames"):
        names = [str(entry["DomainName"]) for entry in reader.sound(LIST, page, "DomainName")]
        for start in range(0, len(names), AT_ONCE):
            asked = names[start : start + AT_ONCE]
            described = client.describe_domains(DomainNames=asked).get("DomainStatusList")
            entries = reader.sound(CALL, described or [None] * len(asked), "ARN", "DomainName")
            there = [entry for entry in entries if entry.get("Deleted") is not True]
            yield reader.each(CALL, partial(_domain, reader), there, itemgetter("ARN"))


def _domain(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["ARN"], entry["DomainName"])
    draft.read(
        entry,
        {
            "state": "DomainProcessingStatus",
            "engine.version": "EngineVersion",
            "instance.type": "ClusterConfig.InstanceType",
            "instance.count": "ClusterConfig.InstanceCount",
            "fine_grained_access": "AdvancedSecurityOptions.Enabled",
            "encryption.at_rest": "EncryptionAtRestOptions.Enabled",
            "encryption.in_transit": "DomainEndpointOptions.EnforceHTTPS",
            "encryption.between_nodes": "NodeToNodeEncryptionOptions.Enabled",
        },
    )
    draft.put("running", True)
    _nodes(draft, entry)
    _storage(draft, entry)
    vpc = entry.get("VPCOptions")
    draft.put("in_vpc", isinstance(vpc, Mapping) and bool(vpc.get("VPCId")))
    draft.put("public_access", not draft.fields["in_vpc"] if vpc is None or isinstance(vpc, Mapping) else None)
    draft.put("access_logging", at(entry, "LogPublishingOptions.AUDIT_LOGS.Enabled") is True)
    if draft.fields["encryption.at_rest"] is not False:
        draft.key(at(entry, "EncryptionAtRestOptions.KmsKeyId"))
    client = reader.client("opensearch")
    draft.ask_tags("es:ListTags", lambda: client.list_tags(ARN=entry["ARN"])["TagList"])
    draft.charge(CHARGED, _usage)
    return draft.resource()


def _nodes(draft: Draft, entry: Mapping[str, Any]) -> None:
    """Read the nodes beside the data nodes; AWS keeps the type of masters that have been switched off."""
    for role, switch, prefix in (
        ("masters", "DedicatedMasterEnabled", "DedicatedMaster"),
        ("warm", "WarmEnabled", "Warm"),
    ):
        on = at(entry, f"ClusterConfig.{switch}")
        draft.put(f"{role}.count", at(entry, f"ClusterConfig.{prefix}Count") if on is True else 0)
        draft.put(f"{role}.type", at(entry, f"ClusterConfig.{prefix}Type") if on is True else None)
    spread = at(entry, "ClusterConfig.ZoneAwarenessEnabled")
    zones = at(entry, "ClusterConfig.ZoneAwarenessConfig.AvailabilityZoneCount")
    # Two is what the service takes where nothing is said.
    draft.put("zones", (zones or 2) if spread is True else 1)


def _storage(draft: Draft, entry: Mapping[str, Any]) -> None:
    if at(entry, "EBSOptions.EBSEnabled") is False:
        draft.put("storage.size_gib", 0)
        return
    size, nodes = at(entry, "EBSOptions.VolumeSize"), draft.fields["instance.count"]
    known = isinstance(size, int) and isinstance(nodes, int) and not isinstance(size, bool)
    draft.put("storage.type", at(entry, "EBSOptions.VolumeType"))
    draft.put("storage.size_gib", size * nodes if known else None)


CHARGED = (
    "instance.type",
    "instance.count",
    "masters.type",
    "masters.count",
    "warm.type",
    "warm.count",
    "storage.type",
    "storage.size_gib",
)


def _usage(
    data: str, nodes: int, master: str | None, masters: int, warm: str | None, warms: int, disk: str | None, size: int
) -> Iterator[Usage]:
    for type_, count in ((data, nodes), (master, masters), (warm, warms)):
        if type_ and count:
            yield hours(f"aws.opensearch:{type_}", count)
    if disk and size:
        yield stored(f"aws.opensearch.storage.{disk}", size)


def _metric(name: str) -> Source:
    return Source("AWS/ES", name, "Maximum", "DomainName", by_name=True, also={"ClientId": "account"})


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(LIST, CALL, "es:ListTags", "kms:DescribeKey"),
    metrics={
        "cpu.utilization": _metric("CPUUtilization"),
        "memory.pressure": _metric("JVMMemoryPressure"),
        "search.rate": _metric("SearchRate"),
        "indexing.rate": _metric("IndexingRate"),
        "documents": _metric("SearchableDocuments"),
        "storage.used": _metric("ClusterUsedSpace"),
    },
)
