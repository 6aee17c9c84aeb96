"""Batch compute environments: how much capacity a queue may grow to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import running
from integrations.aws.reader import Reader

CALL = "batch:DescribeComputeEnvironments"
PAGE = 100

KIND = Kind(
    name="aws.batch.compute_environment",
    title="Batch compute environment",
    classes=("compute.group",),
    fields=(
        Field("state", Type.STRING, "Whether it takes jobs.", values=("ENABLED", "DISABLED")),
        Field(
            "status",
            Type.STRING,
            "What Batch does with it.",
            values=("CREATING", "UPDATING", "DELETING", "DELETED", "VALID", "INVALID"),
        ),
        running("Whether it keeps any vCPU; its machines are charged for as machines."),
        Field("managed", Type.BOOL, "Whether Batch starts and stops its machines."),
        Field(
            "capacity",
            Type.STRING,
            "What its jobs run on; absent where it is not managed.",
            optional=True,
            values=("EC2", "SPOT", "FARGATE", "FARGATE_SPOT", "ECS_MANAGED_INSTANCES"),
        ),
        Field("vcpus.min", Type.NUMBER, "vCPUs that it keeps without jobs.", optional=True),
        Field("vcpus.max", Type.NUMBER, "The most vCPUs it may have.", optional=True),
        Field("vcpus.desired", Type.NUMBER, "vCPUs that it has or is getting.", optional=True),
        Field("instance.types", Type.STRINGS, "Types or families it chooses from."),
        Field("cluster", Type.STRING, "The ECS cluster behind it.", optional=True),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the environments of a region, page by page."""
    for page in reader.pages("batch", "describe_compute_environments", "computeEnvironments", PAGE):
        entries = reader.sound(CALL, page, "computeEnvironmentArn", "computeEnvironmentName")
        yield reader.made(CALL, partial(_environment, reader), entries)


def _environment(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["computeEnvironmentArn"], entry["computeEnvironmentName"])
    draft.read(
        entry,
        {
            "state": "state",
            "status": "status",
            "capacity": "computeResources.type",
            "vcpus.min": "computeResources.minvCpus",
            "vcpus.max": "computeResources.maxvCpus",
            "vcpus.desired": "computeResources.desiredvCpus",
        },
    )
    draft.one_of("managed", entry.get("type"), ("MANAGED",))
    desired = at(entry, "computeResources.desiredvCpus")
    draft.put(
        "running", desired > 0 if isinstance(desired, int) and not isinstance(desired, bool) else desired or False
    )
    draft.put("instance.types", at(entry, "computeResources.instanceTypes") or [])
    cluster = entry.get("ecsClusterArn")
    draft.put("cluster", cluster.rpartition("/")[2] if isinstance(cluster, str) else cluster)
    draft.put("created", Unknown(Reason.NOT_COLLECTED, "Batch does not tell when it was made"))
    draft.tagged(entry.get("tags"))
    return draft.resource()


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL,))
