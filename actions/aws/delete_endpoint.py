"""Delete a SageMaker endpoint and keep its configuration, from which it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actions.aws import endpoints
from actions.aws.calls import GONE, Losses, Sessions, another, calls, found
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class DeleteEndpoint:
    """Deleting; the undoing makes another endpoint of the same name, configuration and tags."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "delete"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({endpoints.KIND})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {
                "application-autoscaling:DescribeScalableTargets",
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeInferenceComponent",
                "sagemaker:ListInferenceComponents",
                "sagemaker:ListTags",
            }
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is at rest and its configuration is there to make it again."""
        sagemaker = calls(self.sessions, target, "sagemaker")
        entry = endpoints.endpoint(sagemaker, target)
        if entry is None:
            return GONE
        why = another(target, entry.get("CreationTime"))
        if why:
            return Refused(why)
        state = entry["EndpointStatus"]
        if state == "Deleting":
            return Refused("it is being deleted", settled=True)
        if state not in ("InService", "Failed", "OutOfService"):
            return Refused(f"it is {state}")
        config = entry["EndpointConfigName"]
        if found(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config)) is None:
            return Refused(f"its configuration {config} is gone, so that it could not be made again")
        name = endpoints.name_of(target)
        components = endpoints.components_of(sagemaker, name)
        if components:
            return Refused(f"it serves the inference components {', '.join(sorted(components)[:3])}: scale it instead")
        scaled = [f"endpoint/{name}/variant/{variant}" for variant in endpoints.variants_of(entry)]
        policies = "its scaling policies" if endpoints.scaling_targets(self.sessions, target, scaled) else ""
        tags = sagemaker.list_tags(ResourceArn=target.resource.id, MaxResults=100)["Tags"]
        lost = ("it answers no requests until it is made again, for which there may be no capacity", policies)
        return Losses(lost).ready(config=config, tags={tag["Key"]: tag.get("Value", "") for tag in tags})

    def do(self, target: Target) -> None:
        """Delete it, if it is still the one that was judged."""
        sagemaker = calls(self.sessions, target, "sagemaker")
        entry = endpoints.endpoint(sagemaker, target)
        if entry is None or another(target, entry.get("CreationTime")) or entry["EndpointStatus"] == "Deleting":
            return
        sagemaker.delete_endpoint(EndpointName=endpoints.name_of(target))

    def verify(self, target: Target) -> Effect:
        """Return whether it is gone; another of its name is not it."""
        entry = endpoints.endpoint(calls(self.sessions, target, "sagemaker"), target)
        if entry is None or another(target, entry.get("CreationTime")):
            return Effect.DONE
        return Effect.PENDING if entry["EndpointStatus"] == "Deleting" else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Make an endpoint of its name from its configuration."""
        sagemaker = calls(self.sessions, target, "sagemaker")
        if endpoints.endpoint(sagemaker, target) is not None:
            return
        tags = target.inverse.get("tags")
        # Keys that begin so are AWS's own and cannot be written.
        own = {k: v for k, v in tags.items() if not k.startswith("aws:")} if isinstance(tags, Mapping) else {}
        sagemaker.create_endpoint(
            EndpointName=endpoints.name_of(target),
            EndpointConfigName=target.inverse["config"],
            Tags=[{"Key": key, "Value": value} for key, value in own.items()],
        )

    def undone(self, target: Target) -> Effect:
        """Return whether an endpoint of its name serves again."""
        entry = endpoints.endpoint(calls(self.sessions, target, "sagemaker"), target)
        if entry is None or entry["EndpointConfigName"] != target.inverse.get("config"):
            return Effect.ABSENT
        state = entry["EndpointStatus"]
        return Effect.DONE if state == "InService" else Effect.PENDING if state == "Creating" else Effect.ABSENT
