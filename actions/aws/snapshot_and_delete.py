"""Delete an EBS volume once a snapshot of it is complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, MARK, Losses, Sessions, calls, effect_of, found, irreversible, stale, unfinished
from engine.acting.action import ActError, Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class SnapshotAndDelete:
    """Taking the snapshot, then deleting, over as many tries as the snapshot takes."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "snapshot_and_delete"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.ebs.volume"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {
                "ec2:CreateSnapshot",
                "ec2:CreateTags",
                "ec2:DeleteVolume",
                "ec2:DescribeSnapshots",
                "ec2:DescribeVolumes",
            }
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is attached to nothing, so that nobody writes to it."""
        volume = volume_of(calls(self.sessions, target, "ec2"), target)
        if volume is None or volume["State"] == "deleted":
            return GONE
        if volume["State"] == "deleting":
            return Refused("it is being deleted", settled=True)
        why = _in_use(volume)
        return Refused(why) if why else Losses().ready(state=volume["State"])

    def do(self, target: Target) -> None:
        """Delete it, once the snapshot that this or an earlier try with the same token has begun is complete."""
        ec2 = calls(self.sessions, target, "ec2")
        volume = volume_of(ec2, target)
        if volume is None or volume["State"] in ("deleting", "deleted"):
            return
        why = _in_use(volume)
        if why:
            raise stale(target, why)
        snapshot = self._snapshot(ec2, target) or self._begun(ec2, target, volume)
        match snapshot["State"]:
            case "completed":
                ec2.delete_volume(VolumeId=target.resource.id)
            case "pending":
                raise unfinished(target, f"its snapshot {snapshot['SnapshotId']} is being taken")
            case state:
                raise ActError(f"its snapshot {snapshot['SnapshotId']} is in {state}", where=target.resource.uid)

    def _snapshot(self, ec2: Any, target: Target) -> Mapping[str, Any] | None:
        filters = [
            {"Name": f"tag:{MARK}", "Values": [target.token]},
            {"Name": "volume-id", "Values": [target.resource.id]},
        ]
        listed = ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
        return next(iter(listed), None)

    def _begun(self, ec2: Any, target: Target, volume: Mapping[str, Any]) -> Mapping[str, Any]:
        own = [tag for tag in volume.get("Tags", ()) if not tag["Key"].startswith("aws:") and tag["Key"] != MARK]
        tags = [*own[:49], {"Key": MARK, "Value": target.token}]
        made: Mapping[str, Any] = ec2.create_snapshot(
            VolumeId=target.resource.id,
            Description=f"{target.resource.id} before Bursar deleted it",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
        )
        return made

    def verify(self, target: Target) -> Effect:
        """Return whether it is gone."""
        volume = volume_of(calls(self.sessions, target, "ec2"), target)
        return effect_of(volume["State"] if volume else "deleted", ("deleted",), ("deleting",))

    def undo(self, target: Target) -> None:
        """Raise: another volume could be made from the snapshot, and it would be another."""
        raise irreversible(target)

    def undone(self, target: Target) -> Effect:
        """Raise, as `undo`."""
        raise irreversible(target)


def volume_of(ec2: Any, target: Target) -> Mapping[str, Any] | None:
    """Return the volume; None where it is gone. Its id is never given again."""
    answer = found(lambda: ec2.describe_volumes(VolumeIds=[target.resource.id]))
    return next(iter((answer or {}).get("Volumes", ())), None)


def _in_use(volume: Mapping[str, Any]) -> str:
    holders = [one["InstanceId"] for one in volume.get("Attachments", ()) if one.get("InstanceId")]
    if holders:
        return f"it is attached to {', '.join(holders)}"
    return "" if volume["State"] in ("available", "error") else f"it is {volume['State']}"
