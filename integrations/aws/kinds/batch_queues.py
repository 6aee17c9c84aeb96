"""Batch job queues: where jobs wait, and for what capacity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft
from integrations.aws.reader import Reader

CALL = "batch:DescribeJobQueues"
PAGE = 100

KIND = Kind(
    name="aws.batch.queue",
    title="Batch job queue",
    classes=("job.queue",),
    fields=(
        Field("state", Type.STRING, "Whether it takes jobs.", values=("ENABLED", "DISABLED")),
        Field(
            "status",
            Type.STRING,
            "What Batch does with it.",
            values=("CREATING", "UPDATING", "DELETING", "DELETED", "VALID", "INVALID"),
        ),
        Field("priority", Type.NUMBER, "Its priority before other queues of the same environments."),
        Field("environments", Type.STRINGS, "The names of its compute environments, in order."),
        Field("limits_waiting", Type.BOOL, "Whether jobs that wait for too long are ended."),
        Field("fair_share", Type.BOOL, "Whether a scheduling policy shares it out."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the queues of a region, page by page."""
    for page in reader.pages("batch", "describe_job_queues", "jobQueues", PAGE):
        yield reader.made(CALL, partial(_queue, reader), reader.sound(CALL, page, "jobQueueArn", "jobQueueName"))


def _queue(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["jobQueueArn"], entry["jobQueueName"])
    draft.read(entry, {"state": "state", "status": "status", "priority": "priority"})
    order = sorted(entry.get("computeEnvironmentOrder") or (), key=lambda one: int(one["order"]))
    draft.put("environments", [str(one["computeEnvironment"]).rpartition("/")[2] for one in order])
    draft.put("limits_waiting", bool(entry.get("jobStateTimeLimitActions")))
    draft.put("fair_share", bool(entry.get("schedulingPolicyArn")))
    draft.put("created", Unknown(Reason.NOT_COLLECTED, "Batch does not tell when it was made"))
    draft.tagged(entry.get("tags"))
    return draft.resource()


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL,))
