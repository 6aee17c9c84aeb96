"""SageMaker tuning jobs that run; the training jobs they start are charged for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import running
from integrations.aws.kinds.sagemaker_parts import ACTIVE, TAGS, active_jobs, ask_sagemaker_tags
from integrations.aws.reader import Reader

CALL = "sagemaker:ListHyperParameterTuningJobs"
DETAILS = "sagemaker:DescribeHyperParameterTuningJob"

KIND = Kind(
    name="aws.sagemaker.tuning_job",
    title="SageMaker tuning job",
    classes=("ml.tuning_job",),
    fields=(
        Field("state", Type.STRING, "State of the tuning job; those that have ended are left out.", values=ACTIVE),
        running("Whether it starts training jobs."),
        Field("strategy", Type.STRING, "How it searches.", values=("Bayesian", "Random", "Hyperband", "Grid")),
        Field("jobs.max", Type.NUMBER, "Training jobs that it may start.", optional=True),
        Field("jobs.parallel", Type.NUMBER, "Training jobs that it may run at the same time."),
        Field("jobs.running", Type.NUMBER, "Training jobs that run now."),
        Field("jobs.completed", Type.NUMBER, "Training jobs that are done."),
        Field("jobs.failed", Type.NUMBER, "Training jobs that failed for good."),
        Field("modified", Type.TIMESTAMP, "When it last changed."),
        Field("spot", Type.BOOL, "Whether all its training jobs run on spot instances.", group="details"),
        Field("early_stopping", Type.BOOL, "Whether it ends training jobs that lead nowhere.", group="details"),
        Field("instance.types", Type.STRINGS, "Instance types of its training jobs.", group="details"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the running tuning jobs of a region, page by page."""
    identity = ("HyperParameterTuningJobArn", "HyperParameterTuningJobName")
    listing = ("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJobSummaries")
    return active_jobs(reader, CALL, *listing, identity, _job)


def _job(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    name = entry["HyperParameterTuningJobName"]
    draft = Draft(reader, entry["HyperParameterTuningJobArn"], name)
    draft.read(
        entry,
        {
            "state": "HyperParameterTuningJobStatus",
            "strategy": "Strategy",
            "jobs.max": "ResourceLimits.MaxNumberOfTrainingJobs",
            "jobs.parallel": "ResourceLimits.MaxParallelTrainingJobs",
            "jobs.running": "TrainingJobStatusCounters.InProgress",
            "jobs.completed": "TrainingJobStatusCounters.Completed",
            "jobs.failed": "TrainingJobStatusCounters.NonRetryableError",
            "created": "CreationTime",
            "modified": "LastModifiedTime",
        },
    )
    draft.one_of("running", entry.get("HyperParameterTuningJobStatus"), ("InProgress",))
    client = reader.client("sagemaker")
    asked = {"HyperParameterTuningJobName": name}
    details = draft.ask(("details",), DETAILS, lambda: client.describe_hyper_parameter_tuning_job(**asked))
    if details is not None:
        _describe(draft, details)
    ask_sagemaker_tags(draft)
    return draft.resource()


def _describe(draft: Draft, details: Mapping[str, Any]) -> None:
    one = details.get("TrainingJobDefinition")
    definitions = [one] if one else list(details.get("TrainingJobDefinitions") or ())
    draft.put("spot", bool(definitions) and all(d.get("EnableManagedSpotTraining") is True for d in definitions))
    stopping = at(details, "HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType")
    draft.put("early_stopping", stopping == "Auto")
    types = [at(definition, "ResourceConfig.InstanceType") for definition in definitions]
    draft.put("instance.types", sorted({str(type_) for type_ in types if type_}))


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, DETAILS, TAGS))
