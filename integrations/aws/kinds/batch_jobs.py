"""Batch jobs that wait or run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, moment
from integrations.aws.fields import running
from integrations.aws.reader import Reader

QUEUES = "batch:DescribeJobQueues"
LIST = "batch:ListJobs"
CALL = "batch:DescribeJobs"
OPEN = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
AT_ONCE = 100
"""Jobs that one call describes, the most that Batch takes."""
CHARGED = Unknown(Reason.NOT_COLLECTED, "the machines of its compute environment are charged for as machines")

KIND = Kind(
    name="aws.batch.job",
    title="Batch job",
    classes=("ml.training_job",),
    fields=(
        Field("state", Type.STRING, "State as Batch reports it; those that have ended are left out.", values=OPEN),
        running("Whether it runs, rather than waits."),
        Field("queue", Type.STRING, "The queue it was submitted to."),
        Field("definition", Type.STRING, "The name and revision of its job definition."),
        Field("started", Type.TIMESTAMP, "When it began to run.", optional=True),
        Field("nodes", Type.NUMBER, "Machines that it runs on at the same time."),
        Field("array_size", Type.NUMBER, "Jobs that it stands for; 1 where it is no array."),
        Field(
            "accelerator.count",
            Type.NUMBER,
            "GPUs that it asks for, on all its nodes; 0 where it asks for none.",
            group="hardware",
        ),
        Field("vcpus", Type.NUMBER, "vCPUs that it asks for, on all its nodes.", group="hardware", optional=True),
        Field("max_runtime", Type.DURATION, "After how long an attempt is ended.", optional=True),
        Field("attempts", Type.NUMBER, "How often it is tried."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the jobs of a region, queue by queue; nothing but the listing asks about each state."""
    client = reader.client("batch")
    for queues in reader.pages("batch", "describe_job_queues", "jobQueues", 100):
        for queue in reader.sound(QUEUES, queues, "jobQueueArn", "jobQueueName"):
            for state in OPEN:
                asked = {"jobQueue": queue["jobQueueArn"], "jobStatus": state}
                for page in reader.pages("batch", "list_jobs", "jobSummaryList", AT_ONCE, **asked):
                    ids = [entry["jobId"] for entry in reader.sound(LIST, page, "jobId")]
                    if not ids:
                        continue
                    found = client.describe_jobs(jobs=ids).get("jobs")
                    entries = reader.sound(CALL, [None] if found is None else found, "jobId", "jobName")
                    yield reader.made(CALL, partial(_job, reader, queue["jobQueueName"]), entries)


def _job(reader: Reader, queue: object, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["jobId"], entry["jobName"], usage=CHARGED)
    draft.put("state", entry.get("status"))
    draft.one_of("running", entry.get("status"), ("STARTING", "RUNNING"))
    draft.put("queue", queue)
    definition = entry.get("jobDefinition")
    draft.put("definition", definition.rpartition("/")[2] if isinstance(definition, str) else definition)
    draft.put("created", moment(entry.get("createdAt")))
    draft.put("started", moment(entry.get("startedAt")))
    draft.put("attempts", 1 if entry.get("retryStrategy") is None else at(entry, "retryStrategy.attempts"))
    seconds = at(entry, "timeout.attemptDurationSeconds")
    draft.put("max_runtime", timedelta(seconds=seconds) if isinstance(seconds, int) else seconds)
    draft.put("nodes", 1 if entry.get("nodeProperties") is None else at(entry, "nodeProperties.numNodes"))
    draft.put("array_size", 1 if entry.get("arrayProperties") is None else at(entry, "arrayProperties.size"))
    _needs(draft, entry)
    draft.tagged(entry.get("tags"))
    return draft.resource()


def _needs(draft: Draft, entry: Mapping[str, Any]) -> None:
    """Read what the job asks for; several ranges of nodes, tasks or pods are not added up."""
    container: object = entry.get("container")
    nodes = draft.fields["nodes"]
    if entry.get("nodeProperties") is not None:
        ranges: list[Mapping[str, Any]] = at(entry, "nodeProperties.nodeRangeProperties") or []
        container = ranges[0].get("container") if len(ranges) == 1 else None
    if not isinstance(container, Mapping) or not isinstance(nodes, int):
        draft.gaps["hardware"] = Unknown(Reason.NOT_COLLECTED, "it is not one container that tells what it asks for")
        return
    asked = {need["type"]: need["value"] for need in container.get("resourceRequirements") or ()}
    draft.put("accelerator.count", int(asked.get("GPU", 0)) * nodes)
    vcpus = asked.get("VCPU", container.get("vcpus"))
    draft.put("vcpus", None if vcpus is None else float(vcpus) * nodes)


SOURCE = AwsKind(KIND, CALL, collect, actions=(QUEUES, LIST, CALL))
