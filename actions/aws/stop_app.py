"""Stop a SageMaker Studio app: deleting it ends its machine and leaves its space's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, another, calls, found, stale
from engine.acting.action import Effect, Ready, Refused, Target
from engine.values import Unknown

KEPT = ("InstanceType", "SageMakerImageArn", "SageMakerImageVersionArn", "LifecycleConfigArn")
ENDED = ("Deleted", "Failed")


@dataclass(frozen=True, slots=True)
class StopApp:
    """Deleting the app; the undoing makes one of the same name on a machine of the same type."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "stop"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.sagemaker.app"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"sagemaker:CreateApp", "sagemaker:DeleteApp", "sagemaker:DescribeApp"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is in service and the one that was judged."""
        entry = self._app(target)
        if entry is None:
            return GONE
        state, why = entry["Status"], another(target, entry.get("CreationTime"))
        if why:
            return Refused(why)
        if state in ("Deleting", *ENDED):
            return Refused("it is stopped", settled=True)
        if state != "InService":
            return Refused(f"it is {state}")
        spec = entry.get("ResourceSpec") or {}
        return Losses().ready(spec={key: spec[key] for key in KEPT if spec.get(key)})

    def _app(self, target: Target) -> Mapping[str, Any] | None:
        sagemaker = calls(self.sessions, target, "sagemaker")
        entry: Mapping[str, Any] | None = found(lambda: sagemaker.describe_app(**_names(target)))
        return entry

    def do(self, target: Target) -> None:
        """Delete it, where it is in service."""
        entry = self._app(target)
        why = "it is gone" if entry is None else another(target, entry.get("CreationTime"))
        if entry is None or why:
            raise stale(target, why)
        if entry["Status"] == "InService":
            calls(self.sessions, target, "sagemaker").delete_app(**_names(target))

    def verify(self, target: Target) -> Effect:
        """Return whether it is gone; SageMaker tells of a deleted app for a day."""
        entry = self._app(target)
        if entry is None or entry["Status"] in ENDED or another(target, entry.get("CreationTime")):
            return Effect.DONE
        return Effect.PENDING if entry["Status"] == "Deleting" else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Make an app of its name."""
        entry = self._app(target)
        if entry is not None and entry["Status"] not in ENDED:
            return
        spec = target.inverse.get("spec")
        calls(self.sessions, target, "sagemaker").create_app(**_names(target), ResourceSpec=spec)

    def undone(self, target: Target) -> Effect:
        """Return whether an app of its name is in service again."""
        entry = self._app(target)
        state = entry["Status"] if entry else ""
        return Effect.DONE if state == "InService" else Effect.PENDING if state == "Pending" else Effect.ABSENT


def _names(target: Target) -> dict[str, str]:
    """Return how the app is named: by its domain, its space or user, its type and its own name."""
    fields = target.resource.fields
    names = {
        "DomainId": fields.get("domain"),
        "AppType": fields.get("app_type"),
        "AppName": target.resource.name,
        "SpaceName": fields.get("space"),
        "UserProfileName": fields.get("user"),
    }
    return {key: str(value) for key, value in names.items() if value and not isinstance(value, Unknown)}
