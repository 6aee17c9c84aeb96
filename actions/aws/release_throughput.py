"""Delete a Bedrock provisioned throughput that is bought by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, calls, found, irreversible
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class ReleaseThroughput:
    """Deleting it, where no commitment is left to pay."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "release"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.bedrock.provisioned_throughput"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"bedrock:DeleteProvisionedModelThroughput", "bedrock:GetProvisionedModelThroughput"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is bought by the hour and at rest."""
        entry = self._throughput(target)
        if entry is None:
            return GONE
        if entry.get("commitmentDuration"):
            until = entry.get("commitmentExpirationTime")
            return Refused(f"it is committed to until {until:%Y-%m-%d}" if until else "it is committed to")
        if entry["status"] not in ("InService", "Failed"):
            return Refused(f"it is {entry['status']}")
        lost = "custom models are served by nothing else; its ARN, which callers name, is not given again"
        return Losses((lost,)).ready(model=str(entry.get("modelArn", "")), units=int(entry.get("modelUnits", 0)))

    def _throughput(self, target: Target) -> Mapping[str, Any] | None:
        bedrock = calls(self.sessions, target, "bedrock")
        entry: Mapping[str, Any] | None = found(
            lambda: bedrock.get_provisioned_model_throughput(provisionedModelId=target.resource.id)
        )
        return entry

    def do(self, target: Target) -> None:
        """Delete it. Its ARN is never given again."""
        entry = self._throughput(target)
        if entry is not None:
            bedrock = calls(self.sessions, target, "bedrock")
            bedrock.delete_provisioned_model_throughput(provisionedModelId=target.resource.id)

    def verify(self, target: Target) -> Effect:
        """Return whether it is gone."""
        return Effect.DONE if self._throughput(target) is None else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Raise: another could be bought, and it would be another."""
        raise irreversible(target)

    def undone(self, target: Target) -> Effect:
        """Raise, as `undo`."""
        raise irreversible(target)
