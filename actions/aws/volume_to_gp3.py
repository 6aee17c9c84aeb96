"""Change an EBS volume from gp2 to gp3, which costs less for the same work. It stays attached and in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, calls, stale
from actions.aws.snapshot_and_delete import volume_of
from engine.acting.action import Effect, Ready, Refused, Target

GOING_ON = ("modifying",)
BASE_IOPS, MOST_IOPS, IOPS_A_GIB = 3000, 16_000, 3
BASE_THROUGHPUT, GP2_THROUGHPUT, SMALL_GIB = 125, 250, 170
"""
A gp2 volume does 3 operations a second and GiB, up to 16,000, and up to 250 MiB/s above 170 GiB, else 128; every gp3
volume does 3,000 and 125. https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
"""


@dataclass(frozen=True, slots=True)
class VolumeToGp3:
    """Changing the type, with as much performance as it had."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "gp3"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.ebs.volume"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"ec2:DescribeVolumes", "ec2:DescribeVolumesModifications", "ec2:ModifyVolume"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is a gp2 volume of which nothing is being changed."""
        ec2 = calls(self.sessions, target, "ec2")
        volume = volume_of(ec2, target)
        if volume is None:
            return GONE
        if volume["VolumeType"] == "gp3":
            return Refused("it is a gp3 volume", settled=True)
        if volume["VolumeType"] != "gp2":
            return Refused(f"it is a volume of type {volume['VolumeType']}")
        if volume["State"] not in ("available", "in-use"):
            return Refused(f"it is {volume['State']}")
        state = _modification(ec2, target)
        if state in ("modifying", "optimizing"):
            return Refused(f"a change of it is {state}")
        return Losses().ready(type="gp2")

    def do(self, target: Target) -> None:
        """Change it. EC2 refuses a second change within six hours, so that there is one."""
        ec2 = calls(self.sessions, target, "ec2")
        volume = volume_of(ec2, target)
        if volume is None:
            raise stale(target, "it is gone")
        if volume["VolumeType"] == "gp3" or _modification(ec2, target) in GOING_ON:
            return
        iops, throughput = as_fast(int(volume["Size"]))
        ec2.modify_volume(VolumeId=target.resource.id, VolumeType="gp3", Iops=iops, Throughput=throughput)

    def verify(self, target: Target) -> Effect:
        """Return whether it has the type; the change of what lies on it goes on without anybody noticing."""
        return self._seen(target, "gp3")

    def _seen(self, target: Target, type_: str) -> Effect:
        ec2 = calls(self.sessions, target, "ec2")
        volume = volume_of(ec2, target)
        if volume is None:
            return Effect.GONE
        if volume["VolumeType"] == type_:
            return Effect.DONE
        return Effect.PENDING if _modification(ec2, target) in GOING_ON else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Change it back. EC2 refuses that within six hours of the change: the error is retryable."""
        ec2 = calls(self.sessions, target, "ec2")
        volume = volume_of(ec2, target)
        if volume is not None and volume["VolumeType"] == "gp3":
            ec2.modify_volume(VolumeId=target.resource.id, VolumeType="gp2")

    def undone(self, target: Target) -> Effect:
        """Return whether it has the type it had."""
        return self._seen(target, "gp2")


def as_fast(size: int) -> tuple[int, int]:
    """Return operations a second and MiB/s of a gp2 volume of `size` GiB, no less than what gp3 includes."""
    iops = min(max(IOPS_A_GIB * size, BASE_IOPS), MOST_IOPS)
    return iops, BASE_THROUGHPUT if size <= SMALL_GIB else GP2_THROUGHPUT


def _modification(ec2: Any, target: Target) -> str:
    """Return the state of the last change of the volume; empty where there is none."""
    filters = [{"Name": "volume-id", "Values": [target.resource.id]}]
    listed = ec2.describe_volumes_modifications(Filters=filters)["VolumesModifications"]
    latest = max(listed, key=lambda one: str(one.get("StartTime", "")), default=None)
    return str(latest["ModificationState"]) if latest else ""
