"""Change the type of an EC2 instance that is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.aws import machines
from actions.aws.calls import GONE, Losses, Sessions, calls, found, stale, unfinished
from engine.acting.action import Effect, Ready, Refused, Target

OFFERED = "ec2:DescribeInstanceTypeOfferings"


@dataclass(frozen=True, slots=True)
class ResizeInstance:
    """Changing the type to the parameter `to`."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "resize"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({machines.KIND})

    @property
    def permissions(self) -> frozenset[str]:
        return machines.READS | {OFFERED, "ec2:ModifyInstanceAttribute"}

    def check(self, target: Target) -> Ready | Refused:
        """Return whether the type exists there and fits the machine; a `stop` before it may still be to come."""
        ec2 = calls(self.sessions, target, "ec2")
        entry = machines.machine(ec2, target)
        if entry is None:
            return GONE
        to = target.parameters["to"]
        if entry["InstanceType"] == to:
            return Refused(f"it is a {to}", settled=True)
        if entry.get("InstanceLifecycle"):
            return Refused(f"the type of a {entry['InstanceLifecycle']} machine cannot be changed")
        holder = machines.holder_of(entry, target, self.sessions)
        if holder:
            return Refused(f"it belongs to {holder}: act on that")
        why = self._misfit(ec2, entry, to)
        return Refused(why) if why else Losses().ready(to=entry["InstanceType"])

    def _misfit(self, ec2: Any, entry: machines.Entry, to: str) -> str:
        answer = found(lambda: ec2.describe_instance_types(InstanceTypes=[to])) or {}
        types = answer.get("InstanceTypes") or ()
        if not types:
            return f"there is no type {to} in this region"
        architecture = entry.get("Architecture", "")
        if architecture not in types[0].get("ProcessorInfo", {}).get("SupportedArchitectures", ()):
            return f"{to} does not run {architecture} machines"
        zone = entry.get("Placement", {}).get("AvailabilityZone", "")
        filters = [{"Name": "location", "Values": [zone]}, {"Name": "instance-type", "Values": [to]}]
        offered = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=filters)
        return "" if offered["InstanceTypeOfferings"] else f"{to} is not offered in {zone}"

    def do(self, target: Target) -> None:
        """Change the type."""
        self._change(target, target.parameters["to"])

    def _change(self, target: Target, type_: str) -> None:
        ec2 = calls(self.sessions, target, "ec2")
        entry = machines.machine(ec2, target)
        if entry is None:
            raise stale(target, "it is gone")
        state = machines.state_of(entry)
        if entry["InstanceType"] == type_:
            return
        if state == "stopping":
            raise unfinished(target, "it is being stopped")
        if state != "stopped":
            raise stale(target, f"it is {state}: put `stop` before `resize`")
        ec2.modify_instance_attribute(InstanceId=target.resource.id, InstanceType={"Value": type_})

    def verify(self, target: Target) -> Effect:
        """Return whether it has the type."""
        return self._seen(target, target.parameters["to"])

    def _seen(self, target: Target, type_: str) -> Effect:
        entry = machines.machine(calls(self.sessions, target, "ec2"), target)
        if entry is None:
            return Effect.GONE
        return Effect.DONE if entry["InstanceType"] == type_ else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Change back."""
        self._change(target, str(target.inverse["to"]))

    def undone(self, target: Target) -> Effect:
        """Return whether it has the type it had."""
        return self._seen(target, str(target.inverse["to"]))
