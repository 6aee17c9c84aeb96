"""Scale a SageMaker endpoint: its inference components, or the machines of its variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws import endpoints
from actions.aws.calls import GONE, Losses, Sessions, another, calls, stale
from engine.acting.action import Effect, Ready, Refused, Target

GOING_ON = ("Updating", "SystemUpdating")


@dataclass(frozen=True, slots=True)
class ScaleEndpoint:
    """
    Setting the copies of every inference component, or the instances of every variant, to the parameter `to`.

    Only an endpoint that serves inference components can have no machine at all.
    """

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "scale"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({endpoints.KIND})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {
                "application-autoscaling:DescribeScalableTargets",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeInferenceComponent",
                "sagemaker:ListInferenceComponents",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
                "sagemaker:UpdateInferenceComponentRuntimeConfig",
            }
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is at rest, can have that size and nobody scales it back."""
        sagemaker = calls(self.sessions, target, "sagemaker")
        entry = endpoints.endpoint(sagemaker, target)
        if entry is None:
            return GONE
        why = endpoints.not_at_rest(entry, target)
        if why:
            return Refused(why)
        name, to = endpoints.name_of(target), int(target.parameters["to"])
        components = endpoints.components_of(sagemaker, name)
        counts = components or endpoints.variants_of(entry)
        if not counts:
            return Refused("it is serverless: nothing is charged without requests")
        if set(counts.values()) == {to}:
            return Refused(f"it is scaled to {to}", settled=True)
        if not components and not to:
            return Refused("without inference components it needs a machine: `delete` keeps its configuration")
        least = endpoints.scaling_targets(self.sessions, target, _scaled(name, components, counts))
        kept = max(least.values(), default=0)
        if kept > to:
            return Refused(f"Application Auto Scaling keeps at least {kept}: change that")
        lost = "it answers no requests until it is scaled back" if not to else ""
        key = "components" if components else "variants"
        return Losses((lost,)).ready(**{key: counts})

    def do(self, target: Target) -> None:
        """Set the counts; setting them twice is setting them once."""
        sagemaker = calls(self.sessions, target, "sagemaker")
        entry = endpoints.endpoint(sagemaker, target)
        why = "it is gone" if entry is None else another(target, entry.get("CreationTime"))
        if why:
            raise stale(target, why)
        to = int(target.parameters["to"])
        self._set(sagemaker, target, {key: dict.fromkeys(counts, to) for key, counts in _before(target).items()})

    def _set(self, sagemaker: Any, target: Target, wanted: Mapping[str, Mapping[str, int]]) -> None:
        now = self._counts(sagemaker, target)
        for component, copies in wanted.get("components", {}).items():
            if now.get(component) != copies:
                sagemaker.update_inference_component_runtime_config(
                    InferenceComponentName=component, DesiredRuntimeConfig={"CopyCount": copies}
                )
        variants = wanted.get("variants", {})
        if any(now.get(variant) != count for variant, count in variants.items()):
            sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=endpoints.name_of(target),
                DesiredWeightsAndCapacities=[
                    {"VariantName": variant, "DesiredInstanceCount": count} for variant, count in variants.items()
                ],
            )

    def _counts(self, sagemaker: Any, target: Target) -> Mapping[str, int]:
        if "components" in target.inverse:
            return endpoints.components_of(sagemaker, endpoints.name_of(target))
        return endpoints.variants_of(endpoints.endpoint(sagemaker, target) or {})

    def verify(self, target: Target) -> Effect:
        """Return whether all have that size."""
        to = int(target.parameters["to"])
        wanted = {name: to for counts in _before(target).values() for name in counts}
        return self._seen(target, wanted)

    def _seen(self, target: Target, wanted: Mapping[str, int]) -> Effect:
        sagemaker = calls(self.sessions, target, "sagemaker")
        entry = endpoints.endpoint(sagemaker, target)
        if entry is None or another(target, entry.get("CreationTime")):
            return Effect.GONE
        now = self._counts(sagemaker, target)
        if any(now.get(name, count) != count for name, count in wanted.items()):
            return Effect.ABSENT
        return Effect.PENDING if entry["EndpointStatus"] in GOING_ON else Effect.DONE

    def undo(self, target: Target) -> None:
        """Put back the counts there were."""
        self._set(calls(self.sessions, target, "sagemaker"), target, _before(target))

    def undone(self, target: Target) -> Effect:
        """Return whether the counts are those there were."""
        return self._seen(target, {name: n for counts in _before(target).values() for name, n in counts.items()})


def _scaled(name: str, components: Mapping[str, int], counts: Mapping[str, int]) -> list[str]:
    """Return the ids by which Application Auto Scaling knows what is scaled."""
    if components:
        return [f"inference-component/{component}" for component in components]
    return [f"endpoint/{name}/variant/{variant}" for variant in counts]


def _before(target: Target) -> dict[str, dict[str, int]]:
    """Return the counts there were: of `components` or of `variants`."""
    return {
        key: {str(name): int(str(count)) for name, count in counts.items()}
        for key, counts in target.inverse.items()
        if isinstance(counts, Mapping)
    }
