"""Terminate an EC2 instance once an image of it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.aws import machines
from actions.aws.calls import GONE, MARK, Losses, Sessions, calls, effect_of, found, irreversible, stale, unfinished
from engine.acting.action import ActError, Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class TerminateInstance:
    """Imaging, then terminating, over as many tries as the image takes."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "terminate"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({machines.KIND})

    @property
    def permissions(self) -> frozenset[str]:
        return machines.READS | {
            "ec2:CreateImage",
            "ec2:CreateSnapshot",
            "ec2:CreateTags",
            "ec2:DescribeImages",
            "ec2:TerminateInstances",
        }

    def check(self, target: Target) -> Ready | Refused:
        """Return whether nobody holds it, nothing forbids it and something is saved."""
        ec2 = calls(self.sessions, target, "ec2")
        entry = machines.machine(ec2, target)
        if entry is None:
            return GONE
        why = self._veto(ec2, entry, target)
        if why:
            return Refused(why)
        told = (*machines.local_data(ec2, entry), *machines.still_paid(entry), *machines.elastic_addresses(ec2, entry))
        return Losses(told).ready(started=machines.started(entry))

    def _veto(self, ec2: Any, entry: machines.Entry, target: Target) -> str:
        if entry.get("RootDeviceType") == "instance-store":
            return "its root is on instance store, of which no image can be kept"
        if machines.paid_anyway(entry):
            return machines.paid_anyway(entry)
        holder = machines.holder_of(entry, target, self.sessions)
        if holder:
            return f"it belongs to {holder}, which would replace it: act on that"
        if machines.spot_request(ec2, entry) == "persistent":
            return "its persistent Spot request would launch another: cancel that first"
        return "termination protection is on" if machines.protected(ec2, entry, "disableApiTermination") else ""

    def do(self, target: Target) -> None:
        """Terminate it, once the image that this or an earlier try with the same token has begun is complete."""
        ec2 = calls(self.sessions, target, "ec2")
        entry = machines.machine(ec2, target)
        if entry is None:
            return
        if machines.started(entry) != target.inverse.get("started"):
            raise stale(target, "it was started again meanwhile")
        image = self._image(ec2, target)
        if image is None:
            image = self._begun(ec2, target)
        match image["State"]:
            case "available":
                ec2.terminate_instances(InstanceIds=[target.resource.id])
            case "pending":
                raise unfinished(target, f"its image {image['ImageId']} is being made")
            case state:
                raise ActError(f"its image {image['ImageId']} is {state}", where=target.resource.uid)

    def _image(self, ec2: Any, target: Target) -> Any:
        images = ec2.describe_images(Owners=["self"], Filters=[{"Name": f"tag:{MARK}", "Values": [target.token]}])
        return next(iter(images["Images"]), None)

    def _begun(self, ec2: Any, target: Target) -> Any:
        tags = [{"Key": MARK, "Value": target.token}, {"Key": "bursar/from", "Value": target.resource.id}]
        made = ec2.create_image(
            InstanceId=target.resource.id,
            # A name is unique in an account: of two tries at once one fails.
            Name=target.token,
            Description=f"{target.resource.id} before Bursar terminated it",
            NoReboot=True,
            TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")],
        )
        # A new image takes a moment to be listed.
        listed = found(lambda: ec2.describe_images(ImageIds=[made["ImageId"]]))
        return next(iter((listed or {}).get("Images", ())), {"ImageId": made["ImageId"], "State": "pending"})

    def verify(self, target: Target) -> Effect:
        """Return whether it is gone."""
        ec2 = calls(self.sessions, target, "ec2")
        answer = found(lambda: ec2.describe_instances(InstanceIds=[target.resource.id]))
        entries = [entry for one in (answer or {}).get("Reservations", ()) for entry in one["Instances"]]
        state = machines.state_of(entries[0]) if entries else "terminated"
        return effect_of(state, ("terminated",), ("shutting-down",))

    def undo(self, target: Target) -> None:
        """Raise: another machine could be launched from the image, and it would be another."""
        raise irreversible(target)

    def undone(self, target: Target) -> Effect:
        """Raise, as `undo`."""
        raise irreversible(target)
