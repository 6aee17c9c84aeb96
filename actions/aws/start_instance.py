"""Start an EC2 instance that is stopped."""

from __future__ import annotations

from dataclasses import dataclass

from actions.aws import machines
from actions.aws.calls import GONE, Losses, Sessions, calls
from actions.aws.stop_instance import state_effect
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class StartInstance:
    """Starting, which costs money."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "start"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({machines.KIND})

    @property
    def permissions(self) -> frozenset[str]:
        return machines.READS | {"ec2:StartInstances", "ec2:StopInstances"}

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is stopped and nobody else starts and stops it."""
        entry = machines.machine(calls(self.sessions, target, "ec2"), target)
        if entry is None:
            return GONE
        state = machines.state_of(entry)
        if state in ("running", "pending"):
            return Refused("it runs", settled=True)
        if state != "stopped":
            return Refused(f"it is {state}")
        holder = machines.holder_of(entry, target, self.sessions)
        return Refused(f"it belongs to {holder}: act on that") if holder else Losses().ready(state=state)

    def do(self, target: Target) -> None:
        """Start it. EC2 does nothing to a machine that runs."""
        calls(self.sessions, target, "ec2").start_instances(InstanceIds=[target.resource.id])

    def verify(self, target: Target) -> Effect:
        """Return whether it runs."""
        return state_effect(self.sessions, target, ("running",), ("pending",))

    def undo(self, target: Target) -> None:
        """Stop it again."""
        calls(self.sessions, target, "ec2").stop_instances(InstanceIds=[target.resource.id])

    def undone(self, target: Target) -> Effect:
        """Return whether it is stopped again."""
        return state_effect(self.sessions, target, ("stopped",), ("stopping", "pending"))
