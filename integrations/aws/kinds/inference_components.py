"""SageMaker inference components: models that share the instances of an endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import running
from integrations.aws.kinds.sagemaker_parts import PAGE, TAGS, ask_sagemaker_tags
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "sagemaker:ListInferenceComponents"
DETAILS = "sagemaker:DescribeInferenceComponent"

KIND = Kind(
    name="aws.sagemaker.inference_component",
    title="SageMaker inference component",
    classes=("ml.endpoint_component",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as SageMaker reports it.",
            values=("InService", "Creating", "Updating", "Failed", "Deleting"),
        ),
        running("Whether it is in service; the endpoint's instances are what is charged for."),
        Field("endpoint", Type.STRING, "The endpoint it runs on."),
        Field("variant", Type.STRING, "The variant of the endpoint."),
        Field("modified", Type.TIMESTAMP, "When it was last changed."),
        Field("model", Type.STRING, "The model it serves.", group="details", optional=True),
        Field("copies", Type.NUMBER, "Copies that run.", group="details"),
        Field("copies.desired", Type.NUMBER, "Copies that it tries to run.", group="details"),
        Field(
            "accelerator.count",
            Type.NUMBER,
            "Accelerators of all copies; 0 where it asks for none.",
            group="details",
        ),
    ),
    metrics=(
        Metric(
            "requests",
            "count",
            60,
            "requests",
            "Requests (`Invocations`); nothing is sent when there are none.",
            event_driven=True,
            reduce="sum",
        ),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the inference components of a region, page by page."""
    for page in reader.pages("sagemaker", "list_inference_components", "InferenceComponents", PAGE):
        entries = reader.sound(CALL, page, "InferenceComponentArn", "InferenceComponentName")
        yield reader.each(CALL, partial(_component, reader), entries, itemgetter("InferenceComponentArn"))


def _component(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["InferenceComponentArn"], entry["InferenceComponentName"])
    draft.read(
        entry,
        {
            "state": "InferenceComponentStatus",
            "endpoint": "EndpointName",
            "variant": "VariantName",
            "created": "CreationTime",
            "modified": "LastModifiedTime",
        },
    )
    draft.one_of("running", entry.get("InferenceComponentStatus"), ("InService", "Updating"))
    client = reader.client("sagemaker")
    asked = {"InferenceComponentName": entry["InferenceComponentName"]}
    details = draft.ask(("details",), DETAILS, lambda: client.describe_inference_component(**asked))
    if details is not None:
        draft.put("model", at(details, "Specification.ModelName"))
        copies = at(details, "RuntimeConfig.CurrentCopyCount")
        draft.put("copies", copies)
        draft.put("copies.desired", at(details, "RuntimeConfig.DesiredCopyCount"))
        each = at(details, "Specification.ComputeResourceRequirements.NumberOfAcceleratorDevicesRequired") or 0
        counted = isinstance(copies, int) and isinstance(each, int | float)
        draft.put("accelerator.count", each * copies if counted else None)
    ask_sagemaker_tags(draft)
    # The instances of the endpoint are what is charged for.
    return draft.resource()


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, DETAILS, TAGS),
    metrics={
        "requests": Source("AWS/SageMaker", "Invocations", "Sum", "InferenceComponentName", by_name=True),
    },
)
