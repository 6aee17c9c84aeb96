"""SageMaker endpoints as they are before an act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.aws.calls import Sessions, another, calls, found, last
from engine.acting.action import Target

KIND = "aws.sagemaker.endpoint"


def endpoint(sagemaker: Any, target: Target) -> Mapping[str, Any] | None:
    """Return the endpoint of that name, whichever it is; None where there is none."""
    answer: Mapping[str, Any] | None = found(lambda: sagemaker.describe_endpoint(EndpointName=name_of(target)))
    return answer


def name_of(target: Target) -> str:
    return last(target.resource.id)


def not_at_rest(entry: Mapping[str, Any], target: Target) -> str:
    """Return why the endpoint is not to be touched now; nothing where it is at rest and the one that was judged."""
    state = str(entry["EndpointStatus"])
    return another(target, entry.get("CreationTime")) or ("" if state == "InService" else f"it is {state}")


def components_of(sagemaker: Any, name: str) -> dict[str, int]:
    """Return the copies of each inference component of the endpoint `name`."""
    copies: dict[str, int] = {}
    token: dict[str, str] = {}
    while True:
        page = sagemaker.list_inference_components(EndpointNameEquals=name, MaxResults=100, **token)
        for one in page["InferenceComponents"]:
            component = one["InferenceComponentName"]
            described = sagemaker.describe_inference_component(InferenceComponentName=component)
            copies[component] = int(described.get("RuntimeConfig", {}).get("DesiredCopyCount", 0))
        if not page.get("NextToken"):
            return copies
        token = {"NextToken": page["NextToken"]}


def scaling_targets(sessions: Sessions, target: Target, ids: list[str]) -> dict[str, int]:
    """Return the least capacity that Application Auto Scaling keeps of each of `ids` that it scales."""
    if not ids:
        return {}
    scaling = calls(sessions, target, "application-autoscaling")
    found_ = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=ids)["ScalableTargets"]
    return {one["ResourceId"]: int(one["MinCapacity"]) for one in found_}


def variants_of(entry: Mapping[str, Any]) -> dict[str, int]:
    """Return the instances wanted of each variant that has any; a serverless one has none."""
    return {
        variant["VariantName"]: int(variant["DesiredInstanceCount"])
        for variant in entry.get("ProductionVariants", ())
        if variant.get("DesiredInstanceCount") is not None
    }
