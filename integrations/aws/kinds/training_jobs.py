"""SageMaker training jobs that run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.kinds import Field, Kind, Type
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

CALL = "sagemaker:ListTrainingJobs"
DETAILS = "sagemaker:DescribeTrainingJob"
GROUPS = ("details", "encryption", "hardware")
UNREAD = Unknown(Reason.NOT_COLLECTED, "its description was not read")

KIND = Kind(
    name="aws.sagemaker.training_job",
    title="SageMaker training job",
    classes=("ml.training_job",),
    fields=(
        *job_fields("training job"),
        Field("phase", Type.STRING, "What it does now, such as `Downloading` or `Training`.", optional=True),
        Field("spot", Type.BOOL, "Whether it runs on managed spot instances.", group="details"),
        Field(
            "checkpointing", Type.BOOL, "Whether it saves checkpoints, without which spot loses work.", group="details"
        ),
        Field("tuning_job", Type.STRING, "The tuning job it is a part of.", group="details", optional=True),
        Field(
            "warm_pool", Type.DURATION, "How long its instances are kept when it ends.", group="details", optional=True
        ),
    ),
    metrics=job_metrics(),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the running jobs of a region, page by page."""
    identity = ("TrainingJobArn", "TrainingJobName")
    return active_jobs(reader, CALL, "list_training_jobs", "TrainingJobSummaries", identity, _job)


def _job(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    name = entry["TrainingJobName"]
    draft = Draft(reader, entry["TrainingJobArn"], name, usage=UNREAD)
    draft.read(
        entry,
        {
            "state": "TrainingJobStatus",
            "phase": "SecondaryStatus",
            "created": "CreationTime",
            "modified": "LastModifiedTime",
        },
    )
    # Starting up and waiting for capacity is free: https://aws.amazon.com/sagemaker/pricing/ bills from launch to end.
    draft.put("running", entry.get("SecondaryStatus") not in ("Starting", "Pending", "LaunchingMLInstances"))
    client = reader.client("sagemaker")
    details = draft.ask(GROUPS, DETAILS, lambda: client.describe_training_job(TrainingJobName=name))
    if details is not None:
        _describe(draft, details)
    ask_sagemaker_tags(draft)
    return draft.resource()


def _describe(draft: Draft, details: Mapping[str, Any]) -> None:
    config = details["ResourceConfig"]
    machines = machines_of(config)
    types = tuple(dict.fromkeys(str(type_) for type_, _ in machines if type_))
    counts = [count for _, count in machines]
    known = all(isinstance(count, int) and not isinstance(count, bool) for count in counts)
    total = sum(count for count in counts if isinstance(count, int)) if known else None
    draft.put("instance.type", types[0] if len(types) == 1 else None)
    draft.put("instance.count", total)
    draft.put("storage.size_gib", config.get("VolumeSizeInGB"))
    draft.put("started", details.get("TrainingStartTime"))
    draft.put("max_runtime", minutes_of(at(details, "StoppingCondition.MaxRuntimeInSeconds")))
    draft.put("warm_pool", minutes_of(config.get("KeepAlivePeriodInSeconds")))
    draft.put("in_vpc", bool(at(details, "VpcConfig.Subnets")))
    draft.put("network_isolation", details.get("EnableNetworkIsolation") or False)
    draft.put("spot", details.get("EnableManagedSpotTraining") or False)
    draft.put("checkpointing", bool(at(details, "CheckpointConfig.S3Uri")))
    tuning = details.get("TuningJobArn")
    draft.put("tuning_job", tuning.rpartition("/")[2] if isinstance(tuning, str) else tuning)
    draft.machines(machines)
    add_volumes(draft, types, config.get("VolumeKmsKeyId"))
    draft.put("encryption.output", bool(at(details, "OutputDataConfig.KmsKeyId")))
    draft.put("encryption.in_transit", total == 1 or details.get("EnableInterContainerTrafficEncryption") or False)
    _charge(draft, machines)


def _charge(draft: Draft, machines: list[tuple[object, object]]) -> None:
    if not draft.reader.wants("details"):
        draft.usage = UNREAD
        return
    parts: list[Usage] = []
    market = ".spot" if draft.fields["spot"] is True else ""
    for type_, count in machines:
        if not isinstance(type_, str) or not isinstance(count, int) or isinstance(count, bool):
            draft.usage = Unknown(Reason.NULL, "types and numbers of its instances are not known")
            return
        parts.append(hours(f"aws.sagemaker.training{market}:{type_}", count))
    running, size, total = (draft.fields.get(n) for n in ("running", "storage.size_gib", "instance.count"))
    if running is not True:
        draft.usage = running if isinstance(running, Unknown) else ()
        return
    if isinstance(size, int) and isinstance(total, int):
        parts.append(stored("aws.sagemaker.training.storage", size * total))
    draft.usage = tuple(parts)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, DETAILS, TAGS, "ec2:DescribeInstanceTypes", "kms:DescribeKey"),
    metrics=job_sources("/aws/sagemaker/TrainingJobs"),
)
