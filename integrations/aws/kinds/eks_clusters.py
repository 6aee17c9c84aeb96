"""EKS clusters: a control plane charged by the hour, and what it lets in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, hours
from integrations.aws.fields import encryption_key
from integrations.aws.reader import Reader

CALL = "eks:ListClusters"
DETAILS = "eks:DescribeCluster"
PAGE = 100
UNREAD = Unknown(Reason.NOT_COLLECTED, "it comes with the description")

KIND = Kind(
    name="aws.eks.cluster",
    title="EKS cluster",
    classes=("cluster.kubernetes",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EKS reports it.",
            group="details",
            values=("CREATING", "ACTIVE", "DELETING", "FAILED", "UPDATING", "PENDING"),
        ),
        Field("running", Type.BOOL, "Whether its control plane is charged for.", group="details"),
        Field("version", Type.STRING, "The Kubernetes version.", group="details"),
        Field(
            "support",
            Type.STRING,
            "What happens when its version leaves standard support; extended costs six times as much.",
            group="details",
            values=("STANDARD", "EXTENDED"),
        ),
        Field("auto_mode", Type.BOOL, "Whether EKS runs its nodes (Auto Mode).", group="details"),
        Field("public_access", Type.BOOL, "Whether its API can be reached from every address.", group="details"),
        Field("public_endpoint", Type.BOOL, "Whether its API has a public address.", group="details"),
        Field("access_logging", Type.BOOL, "Whether its audit log goes to CloudWatch.", group="details"),
        Field("deletion_protection", Type.BOOL, "Whether deletion is refused.", group="details"),
        Field(
            "encryption.at_rest",
            Type.BOOL,
            "Whether secrets are encrypted by a KMS key, beside the disk they are on.",
            group="encryption",
        ),
        encryption_key(),
    ),
)
GROUPS = ("details", "encryption", "tags")


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the clusters of a region, page by page."""
    for names in reader.names(CALL, "eks", "list_clusters", "clusters", PAGE):
        yield reader.each(CALL, partial(_cluster, reader), names)


def arn_of(reader: Reader, kind: str, path: str) -> str:
    """Return the ARN of something of EKS's."""
    partition = reader.client("eks").meta.partition
    return f"arn:{partition}:eks:{reader.region}:{reader.account}:{kind}/{path}"


def _cluster(reader: Reader, name: str) -> Resource:
    draft = Draft(reader, arn_of(reader, "cluster", name), name, usage=UNREAD)
    client = reader.client("eks")
    details = draft.ask(GROUPS, DETAILS, lambda: client.describe_cluster(name=name)["cluster"])
    draft.put("created", UNREAD if details is None else details.get("createdAt"))
    if details is not None:
        _describe(draft, details)
        draft.charge(("running",), _usage)
    return draft.resource()


def _describe(draft: Draft, details: Mapping[str, Any]) -> None:
    draft.read(
        details,
        {
            "state": "status",
            "version": "version",
            "public_endpoint": "resourcesVpcConfig.endpointPublicAccess",
        },
    )
    draft.put("support", at(details, "upgradePolicy.supportType") or "EXTENDED")
    draft.put("deletion_protection", details.get("deletionProtection") or False)
    draft.one_of("running", details.get("status"), ("ACTIVE", "UPDATING", "DELETING"))
    draft.put("auto_mode", at(details, "computeConfig.enabled") is True)
    draft.put(
        "public_access", _open(draft.fields["public_endpoint"], at(details, "resourcesVpcConfig.publicAccessCidrs"))
    )
    logs = at(details, "logging.clusterLogging") or ()
    draft.put("access_logging", any(log["enabled"] and "audit" in log["types"] for log in logs))
    keys = [at(one, "provider.keyArn") for one in details.get("encryptionConfig") or ()]
    draft.put("encryption.at_rest", bool(keys))
    if keys:
        draft.key(keys[0], none=None)
    draft.tagged(details.get("tags"))


def _open(public: object, cidrs: object) -> object:
    """Return whether everybody gets in: a public address without a list is open to all."""
    if public is not True:
        return public
    if cidrs is None:
        return True
    return any(c in ("0.0.0.0/0", "::/0") for c in cidrs) if isinstance(cidrs, list) else cidrs


def _usage(running: bool) -> Iterator[Usage]:
    if running:
        # Which support a version is in today is not told by its description: the standard price is the least it is.
        yield hours("aws.eks.cluster")


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, DETAILS, "kms:DescribeKey"))
