"""ECS services, with the accelerators that their tasks ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft
from integrations.aws.fields import running
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CLUSTERS = "ecs:ListClusters"
SERVICES = "ecs:ListServices"
CALL = "ecs:DescribeServices"
TASKS = "ecs:DescribeTaskDefinition"
AT_ONCE = 10
"""Services that one call describes, the most that ECS takes."""
ACCELERATORS = ("GPU", "InferenceAccelerator", "NeuronDevice")
FARGATE = Unknown(Reason.NOT_COLLECTED, "what its Fargate tasks are charged for is not read")

KIND = Kind(
    name="aws.ecs.service",
    title="ECS service",
    classes=("container.service",),
    fields=(
        Field("state", Type.STRING, "State as ECS reports it.", values=("ACTIVE", "DRAINING", "INACTIVE")),
        running("Whether any of its tasks runs."),
        Field("cluster", Type.STRING, "The cluster it runs in."),
        Field("size.desired", Type.NUMBER, "How many tasks it tries to run."),
        Field("size.running", Type.NUMBER, "Tasks that run now."),
        Field(
            "launch_type",
            Type.STRING,
            "What its tasks run on; absent where capacity providers decide.",
            optional=True,
            values=("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"),
        ),
        Field("task_definition", Type.STRING, "The name and revision of its task definition."),
        Field(
            "accelerator.count",
            Type.NUMBER,
            "Accelerators that its running tasks ask for together; 0 where they ask for none.",
            group="hardware",
        ),
    ),
    metrics=(
        Metric("cpu.utilization", "percent", 60, "cpu", "CPU use, of what its tasks reserve."),
        Metric("memory.utilization", "percent", 60, "memory", "Memory use, of what its tasks reserve."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the services of a region, cluster by cluster."""
    client, asked = reader.client("ecs"), {"include": ["TAGS"]} if reader.wants("tags") else {}
    for clusters in reader.names(CLUSTERS, "ecs", "list_clusters", "clusterArns", 100):
        for cluster in clusters:
            for page in reader.names(SERVICES, "ecs", "list_services", "serviceArns", 100, cluster=cluster):
                for start in range(0, len(page), AT_ONCE):
                    names = page[start : start + AT_ONCE]
                    found = client.describe_services(cluster=cluster, services=names, **asked).get("services")
                    # One that went between the calls is left out; an answer without a list is no answer.
                    entries = reader.sound(CALL, [None] if found is None else found, "serviceArn", "serviceName")
                    yield reader.each(CALL, partial(_service, reader, _last(cluster)), entries)


def _last(arn: object) -> object:
    return arn.rpartition("/")[2] if isinstance(arn, str) else arn


def _service(reader: Reader, cluster: object, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["serviceArn"], entry["serviceName"])
    draft.read(
        entry,
        {
            "state": "status",
            "size.desired": "desiredCount",
            "size.running": "runningCount",
            "launch_type": "launchType",
            "created": "createdAt",
        },
    )
    tasks = draft.fields["size.running"]
    draft.put("running", tasks > 0 if isinstance(tasks, int) else tasks)
    draft.put("cluster", cluster)
    draft.put("task_definition", _last(entry.get("taskDefinition")))
    client = reader.client("ecs")
    task = draft.ask(
        ("hardware",),
        TASKS,
        lambda: client.describe_task_definition(taskDefinition=entry["taskDefinition"])["taskDefinition"],
    )
    if task is not None:
        draft.put("accelerator.count", _accelerators(task) * tasks if isinstance(tasks, int) else tasks)
    if reader.wants("tags"):
        draft.tagged(entry.get("tags"), "key", "value")
    # Tasks on machines of the account are charged for as machines.
    if entry.get("launchType") != "EC2":
        draft.usage = FARGATE
    return draft.resource()


def _accelerators(task: Mapping[str, Any]) -> int:
    """Return how many accelerators one task asks for."""
    return sum(
        int(need["value"])
        for container in task["containerDefinitions"]
        for need in container.get("resourceRequirements") or ()
        if need["type"] in ACCELERATORS
    )


def _metric(name: str) -> Source:
    return Source("AWS/ECS", name, "Maximum", "ServiceName", by_name=True, also={"ClusterName": "cluster"})


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CLUSTERS, SERVICES, CALL, TASKS),
    metrics={
        "cpu.utilization": _metric("CPUUtilization"),
        "memory.utilization": _metric("MemoryUtilization"),
    },
)
