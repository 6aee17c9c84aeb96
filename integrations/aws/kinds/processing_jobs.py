"""SageMaker processing jobs that run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.kinds import Kind
from engine.model import Resource, Usage
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, hours, stored
from integrations.aws.kinds.sagemaker_parts import (
    TAGS,
    active_jobs,
    add_volumes,
    ask_sagemaker_tags,
    job_fields,
    job_metrics,
    job_sources,
    machines_of,
    minutes_of,
)
from integrations.aws.reader import Reader

CALL = "sagemaker:ListProcessingJobs"
DETAILS = "sagemaker:DescribeProcessingJob"
GROUPS = ("details", "encryption", "hardware")
UNREAD = Unknown(Reason.NOT_COLLECTED, "its description was not read")

KIND = Kind(
    name="aws.sagemaker.processing_job",
    title="SageMaker processing job",
    classes=("ml.processing_job",),
    fields=job_fields("processing job"),
    metrics=job_metrics(),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the running jobs of a region, page by page."""
    identity = ("ProcessingJobArn", "ProcessingJobName")
    return active_jobs(reader, CALL, "list_processing_jobs", "ProcessingJobSummaries", identity, _job)


def _job(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    name = entry["ProcessingJobName"]
    draft = Draft(reader, entry["ProcessingJobArn"], name, usage=UNREAD)
    draft.read(entry, {"state": "ProcessingJobStatus", "created": "CreationTime", "modified": "LastModifiedTime"})
    draft.one_of("running", entry.get("ProcessingJobStatus"), ("InProgress", "Stopping"))
    client = reader.client("sagemaker")
    details = draft.ask(GROUPS, DETAILS, lambda: client.describe_processing_job(ProcessingJobName=name))
    if details is not None:
        _describe(draft, details)
        if reader.wants("details"):
            draft.charge(("running", "instance.type", "instance.count", "storage.size_gib"), _usage)
    ask_sagemaker_tags(draft)
    return draft.resource()


def _describe(draft: Draft, details: Mapping[str, Any]) -> None:
    config = details["ProcessingResources"]["ClusterConfig"]
    ((type_, count),) = machines_of(config)
    draft.put("instance.type", type_)
    draft.put("instance.count", count)
    draft.put("storage.size_gib", config.get("VolumeSizeInGB"))
    draft.put("started", details.get("ProcessingStartTime"))
    draft.put("max_runtime", minutes_of(at(details, "StoppingCondition.MaxRuntimeInSeconds")))
    draft.put("in_vpc", bool(at(details, "NetworkConfig.VpcConfig.Subnets")))
    draft.put("network_isolation", at(details, "NetworkConfig.EnableNetworkIsolation") or False)
    draft.machines([(type_, count)])
    add_volumes(draft, (type_,) if isinstance(type_, str) else (), config.get("VolumeKmsKeyId"))
    draft.put("encryption.output", bool(at(details, "ProcessingOutputConfig.KmsKeyId")))
    between = at(details, "NetworkConfig.EnableInterContainerTrafficEncryption")
    draft.put("encryption.in_transit", count == 1 or between or False)


def _usage(running: bool, type_: str | None, count: int, size: int | None) -> Iterator[Usage]:
    if running and type_:
        yield hours(f"aws.sagemaker.processing:{type_}", count)
        yield stored("aws.sagemaker.processing.storage", (size or 0) * count)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, DETAILS, TAGS, "ec2:DescribeInstanceTypes", "kms:DescribeKey"),
    metrics=job_sources("/aws/sagemaker/ProcessingJobs"),
)
