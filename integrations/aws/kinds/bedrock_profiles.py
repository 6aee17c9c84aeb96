"""Bedrock application inference profiles: what applications call, so that their use can be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft
from integrations.aws.kinds.bedrock_throughputs import ask_bedrock_tags, model_of
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "bedrock:ListInferenceProfiles"
PAGE = 100
CHARGED = Unknown(Reason.NOT_COLLECTED, "tokens are charged by use, which its metrics show")

KIND = Kind(
    name="aws.bedrock.inference_profile",
    title="Bedrock inference profile",
    classes=("ml.profile",),
    fields=(
        Field("state", Type.STRING, "State as Bedrock reports it.", values=("ACTIVE",)),
        Field("models", Type.STRINGS, "The ids of the models it leads to."),
        Field("modified", Type.TIMESTAMP, "When it was last changed."),
    ),
    metrics=(
        Metric("requests", "count", 60, "requests", "Requests (`Invocations`).", reduce="sum"),
        Metric("tokens.in", "count", 60, "requests", "Tokens read (`InputTokenCount`).", reduce="sum"),
        Metric("tokens.out", "count", 60, "requests", "Tokens written (`OutputTokenCount`).", reduce="sum"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the application profiles of a region; those that AWS defines are nobody's resources."""
    asked = {"typeEquals": "APPLICATION"}
    for page in reader.pages("bedrock", "list_inference_profiles", "inferenceProfileSummaries", PAGE, **asked):
        entries = reader.sound(CALL, page, "inferenceProfileArn", "inferenceProfileName")
        yield reader.each(CALL, partial(_profile, reader), entries)


def _profile(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["inferenceProfileArn"], entry["inferenceProfileName"], usage=CHARGED)
    draft.read(entry, {"state": "status", "created": "createdAt", "modified": "updatedAt"})
    models = entry.get("models")
    known = isinstance(models, list) and all(isinstance(m, Mapping) for m in models)
    draft.put("models", [model_of(m.get("modelArn")) for m in models] if known and models is not None else models)
    ask_bedrock_tags(draft, entry["inferenceProfileArn"])
    return draft.resource()


def _metric(name: str) -> Source:
    # Metrics are kept by the profile's id, the last part of its ARN.
    return Source("AWS/Bedrock", name, "Sum", "ModelId", by_last=True)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "bedrock:ListTagsForResource"),
    metrics={
        "requests": _metric("Invocations"),
        "tokens.in": _metric("InputTokenCount"),
        "tokens.out": _metric("OutputTokenCount"),
    },
)
