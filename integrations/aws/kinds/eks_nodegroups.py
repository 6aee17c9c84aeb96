"""EKS managed node groups: how many machines of which type a cluster keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import hardware
from integrations.aws.kinds.eks_clusters import arn_of
from integrations.aws.reader import Reader

CALL = "eks:ListNodegroups"
CLUSTERS = "eks:ListClusters"
DETAILS = "eks:DescribeNodegroup"
PAGE = 100
UNREAD = Unknown(Reason.NOT_COLLECTED, "it comes with the description")

KIND = Kind(
    name="aws.eks.nodegroup",
    title="EKS node group",
    classes=("compute.group",),
    fields=(
        Field("cluster", Type.STRING, "The cluster it belongs to."),
        Field(
            "state",
            Type.STRING,
            "State as EKS reports it.",
            group="details",
            values=("CREATING", "ACTIVE", "UPDATING", "DELETING", "CREATE_FAILED", "DELETE_FAILED", "DEGRADED"),
        ),
        Field("running", Type.BOOL, "Whether it keeps any machine; they are charged for as machines.", group="details"),
        Field("size.min", Type.NUMBER, "The fewest machines it keeps.", group="details"),
        Field("size.max", Type.NUMBER, "The most machines it may have.", group="details"),
        Field("size.desired", Type.NUMBER, "How many machines it tries to have.", group="details"),
        Field("instance.types", Type.STRINGS, "Types it chooses from; none with a launch template.", group="details"),
        Field(
            "lifecycle",
            Type.STRING,
            "How its capacity is bought.",
            group="details",
            values=("on-demand", "spot", "capacity-block"),
        ),
        Field("auto_scaling_group", Type.STRING, "The Auto Scaling group behind it.", group="details", optional=True),
        Field("modified", Type.TIMESTAMP, "When it was last changed.", group="details"),
        *hardware("all its machines, where it has one type"),
    ),
)
GROUPS = ("details", "hardware", "tags")


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the node groups of a region, cluster by cluster."""
    for clusters in reader.names(CLUSTERS, "eks", "list_clusters", "clusters", PAGE):
        for cluster in clusters:
            for names in reader.names(CALL, "eks", "list_nodegroups", "nodegroups", PAGE, clusterName=cluster):
                yield reader.each(CALL, partial(_group, reader, cluster), names)


def _group(reader: Reader, cluster: str, name: str) -> Resource:
    client = reader.client("eks")
    # The last part of its ARN is not told by the listing; cluster and name are as lasting.
    draft = Draft(reader, arn_of(reader, "nodegroup", f"{cluster}/{name}"), name)
    draft.put("cluster", cluster)
    details = draft.ask(
        GROUPS, DETAILS, lambda: client.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
    )
    draft.put("created", UNREAD if details is None else details.get("createdAt"))
    if details is not None:
        _describe(draft, details)
    # Its machines are resources of their own, with charges of their own.
    return draft.resource()


def _describe(draft: Draft, details: Mapping[str, Any]) -> None:
    draft.read(
        details,
        {
            "state": "status",
            "size.min": "scalingConfig.minSize",
            "size.max": "scalingConfig.maxSize",
            "size.desired": "scalingConfig.desiredSize",
            "modified": "modifiedAt",
        },
    )
    desired = at(details, "scalingConfig.desiredSize")
    draft.put("running", desired > 0 if isinstance(desired, int) and not isinstance(desired, bool) else None)
    types = details.get("instanceTypes") or []
    draft.put("instance.types", types)
    capacity = details.get("capacityType")
    draft.put("lifecycle", capacity.lower().replace("_", "-") if isinstance(capacity, str) else capacity)
    groups = at(details, "resources.autoScalingGroups") or ()
    draft.put("auto_scaling_group", next((group["name"] for group in groups), None))
    # Of several types it may have machines of any, and with a launch template the type stands there.
    draft.machines([(types[0] if len(types) == 1 else None, desired)])
    draft.tagged(details.get("tags"))


SOURCE = AwsKind(KIND, CALL, collect, actions=(CLUSTERS, CALL, DETAILS, "ec2:DescribeInstanceTypes"))
