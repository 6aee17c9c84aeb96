"""Scale an Auto Scaling group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, calls, stale
from engine.acting.action import Effect, Ready, Refused, Target

HOLDERS = {
    "eks:nodegroup-name": "the EKS node group {}",
    "AWSBatchServiceTag": "the Batch environment {}",
    "aws:batch:compute-environment": "the Batch environment {}",
    "AmazonECSManaged": "an ECS capacity provider",
}
"""Tags of what sets the group's size itself."""


@dataclass(frozen=True, slots=True)
class ScaleGroup:
    """Setting the desired capacity to the parameter `to`, and the minimum to no more than it."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "scale"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.autoscaling.group"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribePolicies",
                "autoscaling:UpdateAutoScalingGroup",
            }
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether nobody else sets its size and no machine is protected from scaling in."""
        group = self._group(target)
        if group is None:
            return GONE
        to = int(target.parameters["to"])
        if group["DesiredCapacity"] == to and group["MinSize"] <= to:
            return Refused(f"it is scaled to {to}", settled=True)
        if to > group["MaxSize"]:
            return Refused(f"its maximum is {group['MaxSize']}")
        tags = {tag["Key"]: tag.get("Value", "") for tag in group.get("Tags", ())}
        holder = next((words.format(tags[key]) for key, words in HOLDERS.items() if key in tags), "")
        if holder:
            return Refused(f"its size is set by {holder}: act on that")
        kept = sum(bool(one.get("ProtectedFromScaleIn")) for one in group.get("Instances", ()))
        if to < kept:
            return Refused(f"{kept} of its machines are protected from scaling in")
        sizes = {key: group[name] for key, name in _SIZES.items()}
        return Losses(tuple(self._losses(target, group, to))).ready(**sizes)

    def _losses(self, target: Target, group: Mapping[str, Any], to: int) -> Iterator[str]:
        ended = len(group.get("Instances", ())) - to
        if ended > 0:
            yield f"{ended} of its machines are terminated, with what is on their disks"
        policies = calls(self.sessions, target, "autoscaling").describe_policies(AutoScalingGroupName=_name(target))
        if any(policy.get("Enabled", True) for policy in policies["ScalingPolicies"]):
            yield "its scaling policies may scale it out again"

    def _group(self, target: Target) -> Mapping[str, Any] | None:
        """Return the group; its ARN holds an id that no other group of its name gets."""
        client = calls(self.sessions, target, "autoscaling")
        groups = client.describe_auto_scaling_groups(AutoScalingGroupNames=[_name(target)])["AutoScalingGroups"]
        return next((g for g in groups if g["AutoScalingGroupARN"] == target.resource.id), None)

    def do(self, target: Target) -> None:
        """Set the sizes; setting them twice is setting them once."""
        group = self._group(target)
        if group is None:
            raise stale(target, "it is gone")
        to = int(target.parameters["to"])
        self._set(target, min(group["MinSize"], to), to)

    def _set(self, target: Target, least: int, desired: int) -> None:
        calls(self.sessions, target, "autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=_name(target), MinSize=least, DesiredCapacity=desired
        )

    def verify(self, target: Target) -> Effect:
        """Return whether it has so many machines."""
        return self._seen(target, int(target.parameters["to"]))

    def _seen(self, target: Target, desired: int) -> Effect:
        group = self._group(target)
        if group is None:
            return Effect.GONE
        if group["DesiredCapacity"] != desired:
            return Effect.ABSENT
        return Effect.DONE if len(group.get("Instances", ())) == desired else Effect.PENDING

    def undo(self, target: Target) -> None:
        """Put back the sizes it had."""
        if self._group(target) is None:
            raise stale(target, "it is gone")
        self._set(target, _int(target, "least"), _int(target, "desired"))

    def undone(self, target: Target) -> Effect:
        """Return whether it has the size it had."""
        return self._seen(target, _int(target, "desired"))


_SIZES = {"least": "MinSize", "desired": "DesiredCapacity"}


def _int(target: Target, key: str) -> int:
    return int(str(target.inverse[key]))


def _name(target: Target) -> str:
    return target.resource.id.rpartition("autoScalingGroupName/")[2]
