"""Have EC2 encrypt every new volume in the account and region of a volume that is not encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from actions.aws.calls import Losses, Sessions, calls
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class EncryptNewVolumes:
    """Turning on encryption by default, once for all volumes of an account in a region."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "encrypt_new_volumes"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.ebs.volume"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {"ec2:DisableEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault", "ec2:GetEbsEncryptionByDefault"}
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is off."""
        if self._on(target):
            return Refused("new volumes are encrypted", settled=True)
        lost = f"every new volume in {target.resource.region} is encrypted, not this one's successors alone"
        return Losses((lost,)).ready(on=False)

    def _on(self, target: Target) -> bool:
        return bool(calls(self.sessions, target, "ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"])

    def do(self, target: Target) -> None:
        """Turn it on."""
        calls(self.sessions, target, "ec2").enable_ebs_encryption_by_default()

    def verify(self, target: Target) -> Effect:
        """Return whether it is on."""
        return Effect.DONE if self._on(target) else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Turn it off."""
        calls(self.sessions, target, "ec2").disable_ebs_encryption_by_default()

    def undone(self, target: Target) -> Effect:
        """Return whether it is off."""
        return Effect.ABSENT if self._on(target) else Effect.DONE
