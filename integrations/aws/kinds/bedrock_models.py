"""Bedrock custom models, charged for by the month that they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft
from integrations.aws.fields import encryption_key
from integrations.aws.kinds.bedrock_throughputs import ask_bedrock_tags, model_of
from integrations.aws.reader import Reader

CALL = "bedrock:ListCustomModels"
DETAILS = "bedrock:GetCustomModel"
PAGE = 100

KIND = Kind(
    name="aws.bedrock.custom_model",
    title="Bedrock custom model",
    classes=("ml.model",),
    fields=(
        Field("state", Type.STRING, "State as Bedrock reports it.", values=("Active", "Creating", "Failed")),
        Field("base_model", Type.STRING, "The id of the model it was made from."),
        Field(
            "customization",
            Type.STRING,
            "How it was made.",
            optional=True,
            values=(
                "FINE_TUNING",
                "CONTINUED_PRE_TRAINING",
                "DISTILLATION",
                "REINFORCEMENT_FINE_TUNING",
                "IMPORTED",
            ),
        ),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted; it always is."),
        encryption_key(),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the account's own custom models of a region, page by page."""
    for page in reader.pages("bedrock", "list_custom_models", "modelSummaries", PAGE, isOwned=True):
        entries = reader.sound(CALL, page, "modelArn", "modelName")
        yield reader.each(CALL, partial(_model, reader), entries)


def _model(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["modelArn"], entry["modelName"])
    draft.read(entry, {"state": "modelStatus", "customization": "customizationType", "created": "creationTime"})
    draft.put("base_model", model_of(entry.get("baseModelArn")))
    draft.put("encryption.at_rest", True)
    client = reader.client("bedrock")
    details = draft.ask(("encryption",), DETAILS, lambda: client.get_custom_model(modelIdentifier=entry["modelArn"]))
    if details is not None:
        draft.key(details.get("modelKmsKeyArn"))
    ask_bedrock_tags(draft, entry["modelArn"])
    draft.charge(("state",), _usage)
    return draft.resource()


def _usage(state: str) -> Iterator[Usage]:
    if state == "Active":
        yield Usage("aws.bedrock.custom_model.storage", Decimal(1), "month", "storage")


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, DETAILS, "bedrock:ListTagsForResource", "kms:DescribeKey"),
)
