"""What several SageMaker kinds share: tags, pages of running jobs, the parts of a job's description."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Metric, Type
from engine.model import Resource
from integrations.aws.draft import Draft
from integrations.aws.fields import encryption_key, hardware, running
from integrations.aws.metric_sources import Scale, Source
from integrations.aws.reader import Reader

PAGE = 100
"""Items a listing call, the most that SageMaker gives; it gives ten to who does not ask."""
ACTIVE = ("InProgress", "Stopping")
TAGS = "sagemaker:ListTags"


def ask_sagemaker_tags(draft: Draft) -> None:
    """Ask for the tags of a SageMaker resource."""
    reader, arn = draft.reader, draft.id
    pages = partial(reader.pages, "sagemaker", "list_tags", "Tags", ResourceArn=arn)
    draft.ask_tags(TAGS, lambda: [tag for page in pages() for tag in page])


def active_jobs(
    reader: Reader, call: str, operation: str, key: str, identity: tuple[str, str], make: Callable[..., Resource]
) -> Iterator[list[Resource]]:
    """Yield the jobs of a region that run or are being stopped; those that have ended cost nothing any more."""
    for state in ACTIVE:
        for page in reader.pages("sagemaker", operation, key, PAGE, StatusEquals=state):
            entries = reader.sound(call, page, *identity)
            yield reader.each(call, partial(make, reader), entries, itemgetter(identity[0]))


def job_fields(what: str) -> tuple[Field, ...]:
    """Return the fields that training and processing jobs have alike."""
    return (
        Field("state", Type.STRING, f"State of the {what}; those that have ended are left out.", values=ACTIVE),
        running("Whether its instances are charged for."),
        Field("instance.type", Type.STRING, "The instance type; absent with several.", group="details", optional=True),
        Field("instance.count", Type.NUMBER, "Instances.", group="details"),
        Field("storage.size_gib", Type.NUMBER, "Storage of each instance.", unit="GiB", group="details", optional=True),
        Field("started", Type.TIMESTAMP, "When its instances were there.", group="details", optional=True),
        Field("max_runtime", Type.DURATION, "After how long it is ended.", group="details", optional=True),
        Field("in_vpc", Type.BOOL, "Whether it runs in a VPC of the account.", group="details"),
        Field("network_isolation", Type.BOOL, "Whether its containers have no network.", group="details"),
        Field("modified", Type.TIMESTAMP, "When it last changed."),
        Field(
            "encryption.at_rest",
            Type.BOOL,
            "Whether its volumes are encrypted: by a key, or by hardware on types with local NVMe disks.",
            group="encryption",
        ),
        Field(
            "encryption.output", Type.BOOL, "Whether what it writes is encrypted under a KMS key.", group="encryption"
        ),
        Field(
            "encryption.in_transit",
            Type.BOOL,
            "Whether traffic between its instances is encrypted; with one there is none.",
            group="encryption",
        ),
        encryption_key(),
        *hardware("all its instances"),
    )


def job_metrics() -> tuple[Metric, ...]:
    """Return what the hosts of training and processing jobs send, each for itself."""

    def of_host(name: str, signal: str, doc: str) -> Metric:
        return Metric(name, "percent", 60, signal, doc, devices="instance.count")

    return (
        of_host("gpu.utilization", "compute", "Use of a host's busiest GPU at most: the published sum over its GPUs."),
        of_host("gpu.memory_used", "memory", "Used memory of a host's fullest GPU at most, likewise."),
        of_host("cpu.utilization", "cpu", "Use of a host's vCPUs; the published sum is divided by their number."),
    )


def job_sources(namespace: str) -> Mapping[str, Source]:
    """Return where CloudWatch keeps the metrics of a job's hosts; their names are known without a list."""

    def of_host(metric: str, scale: Scale) -> Source:
        return Source(
            namespace,
            metric,
            "Maximum",
            "Host",
            by_name=True,
            device="Host",
            by_host=True,
            scale=scale,
            accelerator=scale is Scale.OVER_ACCELERATORS,
        )

    return {
        "gpu.utilization": of_host("GPUUtilization", Scale.OVER_ACCELERATORS),
        "gpu.memory_used": of_host("GPUMemoryUtilization", Scale.OVER_ACCELERATORS),
        "cpu.utilization": of_host("CPUUtilization", Scale.PER_VCPU),
    }


def minutes_of(seconds: object) -> object:
    """Return seconds as a duration; anything else as it is."""
    return timedelta(seconds=seconds) if isinstance(seconds, int) and not isinstance(seconds, bool) else seconds


def add_volumes(draft: Draft, types: tuple[str, ...], key: object) -> None:
    """Set whether a job's volumes are encrypted, and under whose key."""
    if not draft.reader.wants("encryption"):
        return
    if key:
        draft.put("encryption.at_rest", True)
        draft.key(key)
        return
    # Local NVMe disks are encrypted by their hardware, and such types take no key.
    known = draft.reader.hardware(types)
    local = [known[t.removeprefix("ml.")] for t in types]
    if types and all(isinstance(one, Mapping) and one.get("InstanceStorageSupported") for one in local):
        draft.put("encryption.at_rest", True)
        draft.key(None)
        return
    unknown = next((one for one in local if not isinstance(one, Mapping)), None)
    draft.put("encryption.at_rest", False if unknown is None else unknown)
    if unknown is not None:
        draft.put("encryption.key", unknown)


def machines_of(config: Mapping[str, Any]) -> list[tuple[object, object]]:
    """Return the instance types and counts of a training job's resources: one type, or groups."""
    groups = config.get("InstanceGroups")
    if groups:
        return [(group.get("InstanceType"), group.get("InstanceCount")) for group in groups]
    chosen = config.get("SelectedInstanceType") or config.get("InstanceType")
    count = config.get("SelectedInstanceCount") or config.get("InstanceCount")
    return [(chosen, count)]
