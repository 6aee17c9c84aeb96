"""Bedrock provisioned throughput: model units charged by the hour, whether or not anybody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, hours
from integrations.aws.fields import running
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "bedrock:ListProvisionedModelThroughputs"
PAGE = 100
RUNTIME, MANTLE = "AWS/Bedrock", "AWS/BedrockMantle"
"""
Namespaces of the two endpoints that take requests
(https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html).
"""


def _counted(name: str, doc: str) -> Metric:
    return Metric(name, "count", 60, "requests", doc, event_driven=True, reduce="sum")


KIND = Kind(
    name="aws.bedrock.provisioned_throughput",
    title="Bedrock provisioned throughput",
    classes=("ml.throughput",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as Bedrock reports it.",
            values=("Creating", "InService", "Updating", "Failed"),
        ),
        running("Whether its model units are charged for."),
        Field("model", Type.STRING, "The id of the model that is served."),
        Field("base_model", Type.STRING, "The id of the foundation model it is made from."),
        Field("units", Type.NUMBER, "Model units."),
        Field(
            "commitment",
            Type.STRING,
            "How long it is committed for; deleting it earlier saves nothing.",
            optional=True,
            values=("OneMonth", "SixMonths"),
        ),
        Field("commitment_expires", Type.TIMESTAMP, "When the commitment ends.", optional=True),
        Field("modified", Type.TIMESTAMP, "When it was last changed."),
    ),
    metrics=(
        _counted("requests", "Requests that were accepted (`Invocations`); nothing is sent when there are none."),
        _counted("requests.failed", "Requests that failed or were throttled, which may not be among the others."),
        _counted("tokens.in", "Tokens read (`InputTokenCount`)."),
        _counted("tokens.out", "Tokens written (`OutputTokenCount`)."),
        Metric(
            "source.requests",
            "count",
            3_600,
            "source",
            "Requests to all models of the account and region: whether Bedrock sends metrics at all.",
            reduce="sum",
        ),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the provisioned throughputs of a region, page by page."""
    pages = reader.pages("bedrock", "list_provisioned_model_throughputs", "provisionedModelSummaries", PAGE)
    for page in pages:
        entries = reader.sound(CALL, page, "provisionedModelArn", "provisionedModelName")
        yield reader.each(CALL, partial(_throughput, reader), entries)


def _throughput(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    arn = entry["provisionedModelArn"]
    draft = Draft(reader, arn, entry["provisionedModelName"])
    draft.read(
        entry,
        {
            "state": "status",
            "units": "modelUnits",
            "commitment": "commitmentDuration",
            "commitment_expires": "commitmentExpirationTime",
            "created": "creationTime",
            "modified": "lastModifiedTime",
        },
    )
    draft.put("model", model_of(entry.get("modelArn")))
    draft.put("base_model", model_of(entry.get("foundationModelArn")))
    draft.one_of("running", entry.get("status"), ("InService", "Updating"))
    ask_bedrock_tags(draft, arn)
    draft.charge(("running", "base_model", "units", "commitment"), _usage)
    return draft.resource()


def model_of(arn: object) -> object:
    """Return the id at the end of a model's ARN; anything else as it is."""
    return arn.rpartition("/")[2] if isinstance(arn, str) else arn


def ask_bedrock_tags(draft: Draft, arn: str) -> None:
    """Ask for the tags of a Bedrock resource."""
    client = draft.reader.client("bedrock")
    ask = lambda: client.list_tags_for_resource(resourceARN=arn)["tags"]  # noqa: E731
    draft.ask_tags("bedrock:ListTagsForResource", ask, "key", "value")


def _usage(running: bool, model: str, units: int, commitment: str | None) -> Iterator[Usage]:
    terms = {"OneMonth": ".1_month", "SixMonths": ".6_months"}.get(commitment or "", "")
    if running:
        kept = "it is committed for a term, charged for until that ends" if commitment else ""
        yield replace(hours(f"aws.bedrock.provisioned{terms}:{model}", units), kept=kept)


def _invoked(runtime: tuple[str, ...], mantle: str) -> Source:
    """
    Return where CloudWatch keeps what is counted of a provisioned throughput: the sum over metrics of both endpoints.

    `ModelId` is what requests name as the model: its ARN, or the id at the end of it. AWS does not say so of
    provisioned models, so requests that are listed under another name which holds the id count too. Nor does it say
    whether the endpoint `bedrock-mantle` takes them; what it publishes of one counts.
    """
    named = [(RUNTIME, name, "ModelId") for name in runtime] + [(MANTLE, mantle, "Model")]
    first, *others = (
        Source(namespace, metric, "Sum", dimension, by_last=by_last, witness="source.requests")
        for namespace, metric, dimension in named
        for by_last in (False, True)
    )
    if "Invocations" in runtime:
        others.append(replace(first, by_last=False, discover=True, exact=True, resembling=True))
    return replace(first, plus=tuple(others))


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "bedrock:ListTagsForResource"),
    metrics={
        "requests": _invoked(("Invocations",), "Inferences"),
        "requests.failed": _invoked(
            ("InvocationClientErrors", "InvocationServerErrors", "InvocationThrottles"), "InferenceClientErrors"
        ),
        "tokens.in": _invoked(("InputTokenCount",), "TotalInputTokens"),
        "tokens.out": _invoked(("OutputTokenCount",), "TotalOutputTokens"),
        "source.requests": Source(RUNTIME, "Invocations", "Sum", "ModelId", discover=True, exact=True, everybody=True),
    },
)
