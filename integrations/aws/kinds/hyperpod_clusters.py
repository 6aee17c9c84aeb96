"""SageMaker HyperPod clusters: groups of instances that are charged for whether or not a job runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, hours
from integrations.aws.fields import hardware, running
from integrations.aws.kinds.sagemaker_parts import PAGE, TAGS, ask_sagemaker_tags
from integrations.aws.reader import Reader

CALL = "sagemaker:ListClusters"
DETAILS = "sagemaker:DescribeCluster"
UNREAD = Unknown(Reason.NOT_COLLECTED, "its description was not read")

KIND = Kind(
    name="aws.sagemaker.cluster",
    title="SageMaker HyperPod cluster",
    classes=("compute.group",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as SageMaker reports it.",
            values=("Creating", "Deleting", "Failed", "InService", "RollingBack", "SystemUpdating", "Updating"),
        ),
        running("Whether its instances are charged for."),
        Field("instance.count", Type.NUMBER, "Instances of all groups.", group="details"),
        Field("size.desired", Type.NUMBER, "Instances that all groups try to have.", group="details"),
        Field("instance.types", Type.STRINGS, "Instance types of all groups.", group="details"),
        Field("groups", Type.NUMBER, "Instance groups.", group="details"),
        Field("orchestrator", Type.STRING, "What runs its jobs.", group="details", values=("eks", "slurm")),
        Field("cluster", Type.STRING, "The EKS cluster that runs its jobs.", group="details", optional=True),
        Field("training_plan", Type.BOOL, "Whether any group is paid in advance by a training plan.", group="details"),
        Field("node_recovery", Type.BOOL, "Whether faulty nodes are replaced.", group="details"),
        Field("in_vpc", Type.BOOL, "Whether it is in a VPC of the account.", group="details"),
        *hardware("all its instances"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the clusters of a region, page by page."""
    for page in reader.pages("sagemaker", "list_clusters", "ClusterSummaries", PAGE):
        entries = reader.sound(CALL, page, "ClusterArn", "ClusterName")
        yield reader.each(CALL, partial(_cluster, reader), entries, itemgetter("ClusterArn"))


def _cluster(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["ClusterArn"], entry["ClusterName"], usage=UNREAD)
    draft.read(entry, {"state": "ClusterStatus", "created": "CreationTime"})
    state = entry.get("ClusterStatus")
    draft.put("running", state not in ("Creating", "Failed") if isinstance(state, str) else None)
    client = reader.client("sagemaker")
    asked = {"ClusterName": entry["ClusterName"]}
    details = draft.ask(("details", "hardware"), DETAILS, lambda: client.describe_cluster(**asked))
    if details is not None:
        _describe(draft, details)
    ask_sagemaker_tags(draft)
    return draft.resource()


def _describe(draft: Draft, details: Mapping[str, Any]) -> None:
    groups = [*(details.get("InstanceGroups") or ()), *(details.get("RestrictedInstanceGroups") or ())]
    machines = [machine for group in groups for machine in _machines(group)]
    draft.put("instance.count", _summed([count for _, count in machines]))
    draft.put("size.desired", _summed([group.get("TargetCount") for group in groups]))
    draft.put("instance.types", sorted({type_ for type_, _ in machines}) if _texts(machines) else None)
    draft.put("groups", len(groups))
    eks = at(details, "Orchestrator.Eks.ClusterArn")
    draft.put("orchestrator", "eks" if eks else "slurm")
    draft.put("cluster", eks.rpartition("/")[2] if isinstance(eks, str) else eks)
    draft.put("training_plan", any(group.get("TrainingPlanArn") for group in groups))
    draft.put("node_recovery", details.get("NodeRecovery", "Automatic") == "Automatic")
    draft.put("in_vpc", bool(at(details, "VpcConfig.Subnets")))
    draft.machines(machines)
    _charge(draft, machines)


def _machines(group: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return the types and counts of a group: one type, or several."""
    several = group.get("InstanceTypeDetails")
    if several and not group.get("InstanceType"):
        return [(one.get("InstanceType"), one.get("CurrentCount")) for one in several]
    return [(group.get("InstanceType"), group.get("CurrentCount"))]


def _texts(machines: list[tuple[Any, Any]]) -> bool:
    return all(isinstance(type_, str) for type_, _ in machines)


def _summed(counts: list[Any]) -> int | None:
    """Return the sum; None where one of them is not known."""
    return sum(counts) if all(isinstance(c, int) and not isinstance(c, bool) for c in counts) else None


def _charge(draft: Draft, machines: list[tuple[Any, Any]]) -> None:
    if draft.fields["training_plan"] is True:
        draft.usage = Unknown(Reason.NOT_COLLECTED, "a training plan is paid in advance")
    elif not _texts(machines) or _summed([count for _, count in machines]) is None:
        draft.usage = Unknown(Reason.NULL, "types and numbers of its instances are not known")
    elif isinstance(running := draft.fields["running"], Unknown):
        draft.usage = running
    else:
        draft.usage = tuple(hours(f"aws.sagemaker.hyperpod:{t}", n) for t, n in machines if running and n)


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, DETAILS, TAGS, "ec2:DescribeInstanceTypes"))
