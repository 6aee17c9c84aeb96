"""Scale a managed node group of an EKS cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, another, calls, found, stale
from engine.acting.action import Effect, Ready, Refused, Target

GOING_ON = ("UPDATING", "CREATING")


@dataclass(frozen=True, slots=True)
class ScaleNodegroup:
    """Setting the desired size to the parameter `to`, and the minimum to no more than it."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "scale"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.eks.nodegroup"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is at rest and can have that size."""
        group = self._group(target)
        if group is None:
            return GONE
        why = another(target, group.get("createdAt"))
        sizes, to = group["scalingConfig"], int(target.parameters["to"])
        if why or group["status"] != "ACTIVE":
            return Refused(why or f"it is {group['status'].lower()}")
        if sizes["desiredSize"] == to and sizes["minSize"] <= to:
            return Refused(f"it is scaled to {to}", settled=True)
        if to > sizes["maxSize"]:
            return Refused(f"its maximum is {sizes['maxSize']}")
        ended = sizes["desiredSize"] - to
        lost = f"{ended} of its nodes are drained and terminated, with what is on their disks" if ended > 0 else ""
        return Losses((lost,)).ready(sizes={key: sizes[key] for key in ("minSize", "desiredSize", "maxSize")})

    def _group(self, target: Target) -> Mapping[str, Any] | None:
        eks = calls(self.sessions, target, "eks")
        answer = found(lambda: eks.describe_nodegroup(**_names(target)))
        return answer["nodegroup"] if answer else None

    def do(self, target: Target) -> None:
        """Set the sizes; EKS does it once for a token."""
        group = self._group(target)
        why = "it is gone" if group is None else another(target, group.get("createdAt"))
        if group is None or why:
            raise stale(target, why)
        sizes, to = group["scalingConfig"], int(target.parameters["to"])
        wanted = {"minSize": min(sizes["minSize"], to), "desiredSize": to, "maxSize": sizes["maxSize"]}
        if wanted != sizes:
            self._set(target, wanted, target.token)

    def _set(self, target: Target, sizes: Mapping[str, int], token: str) -> None:
        eks = calls(self.sessions, target, "eks")
        eks.update_nodegroup_config(**_names(target), scalingConfig=dict(sizes), clientRequestToken=token)

    def verify(self, target: Target) -> Effect:
        """Return whether it has that size."""
        return self._seen(target, int(target.parameters["to"]))

    def _seen(self, target: Target, desired: int) -> Effect:
        group = self._group(target)
        if group is None or another(target, group.get("createdAt")):
            return Effect.GONE
        if group["scalingConfig"]["desiredSize"] != desired:
            return Effect.ABSENT
        return Effect.PENDING if group["status"] in GOING_ON else Effect.DONE

    def undo(self, target: Target) -> None:
        """Put back the sizes it had."""
        self._set(target, _before(target), f"{target.token[:58]}-undo")

    def undone(self, target: Target) -> Effect:
        """Return whether it has the size it had."""
        return self._seen(target, _before(target)["desiredSize"])


def _names(target: Target) -> dict[str, str]:
    """Return the names in the resource's id: `arn:…:nodegroup/CLUSTER/NAME`."""
    _, cluster, name, *_ = target.resource.id.split("/")
    return {"clusterName": cluster, "nodegroupName": name}


def _before(target: Target) -> dict[str, int]:
    sizes = target.inverse["sizes"]
    assert isinstance(sizes, Mapping)
    return {key: int(str(value)) for key, value in sizes.items()}
