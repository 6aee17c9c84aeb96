"""Stop an EC2 instance. Its disks stay; what is in memory and on local disks does not."""

from __future__ import annotations

from dataclasses import dataclass

from actions.aws import machines
from actions.aws.calls import GONE, Losses, Sessions, calls, effect_of, stale
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class StopInstance:
    """Stopping, or with `hibernate` with the memory kept on disk."""

    sessions: Sessions
    hibernate: bool = False

    @property
    def remediation(self) -> str:
        return "hibernate" if self.hibernate else "stop"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({machines.KIND})

    @property
    def permissions(self) -> frozenset[str]:
        return machines.READS | {"ec2:StopInstances", "ec2:StartInstances"}

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it runs, nobody holds it, nothing forbids it and something is saved."""
        ec2 = calls(self.sessions, target, "ec2")
        entry = machines.machine(ec2, target)
        if entry is None:
            return GONE
        if machines.state_of(entry) in ("stopping", "stopped"):
            return Refused("it is stopped", settled=True)
        why = self._veto(ec2, entry, target)
        if why:
            return Refused(why)
        kept = self.hibernate or target.parameters.get("local_data") == "lost"
        lost = () if kept else machines.local_data(ec2, entry)
        losses = Losses((*lost, *machines.still_paid(entry)))
        return losses.ready(state="running", started=machines.started(entry))

    def _veto(self, ec2: object, entry: machines.Entry, target: Target) -> str:
        if machines.state_of(entry) != "running":
            return f"it is {machines.state_of(entry)}"
        if entry.get("RootDeviceType") == "instance-store":
            return "its root is on instance store: it can only be terminated"
        if self.hibernate and not entry.get("HibernationOptions", {}).get("Configured"):
            return "it was not launched with hibernation enabled"
        if machines.paid_anyway(entry):
            return machines.paid_anyway(entry)
        holder = machines.holder_of(entry, target, self.sessions)
        if holder:
            return f"it belongs to {holder}, which would replace it: act on that"
        if machines.spot_request(ec2, entry) == "one-time":
            return "it is a Spot instance of a one-time request, which can only be terminated"
        return "stop protection is on" if machines.protected(ec2, entry, "disableApiStop") else ""

    def do(self, target: Target) -> None:
        """Stop it. EC2 does nothing to a machine that is stopped or stopping."""
        ec2 = calls(self.sessions, target, "ec2")
        entry = machines.machine(ec2, target)
        if entry is None or machines.started(entry) != target.inverse.get("started"):
            raise stale(target, "it is gone" if entry is None else "it was started again meanwhile")
        if machines.state_of(entry) == "running":
            more = {"Hibernate": True} if self.hibernate else {}
            ec2.stop_instances(InstanceIds=[target.resource.id], **more)

    def verify(self, target: Target) -> Effect:
        """Return whether it has stopped."""
        return state_effect(self.sessions, target, ("stopped",), ("stopping",))

    def undo(self, target: Target) -> None:
        """Start it again."""
        calls(self.sessions, target, "ec2").start_instances(InstanceIds=[target.resource.id])

    def undone(self, target: Target) -> Effect:
        """Return whether it runs again."""
        return state_effect(self.sessions, target, ("running",), ("pending", "stopping"))


def state_effect(sessions: Sessions, target: Target, done: tuple[str, ...], pending: tuple[str, ...]) -> Effect:
    """Return what the machine's state says of an act that ends in `done`."""
    entry = machines.machine(calls(sessions, target, "ec2"), target)
    return Effect.GONE if entry is None else effect_of(machines.state_of(entry), done, pending)
