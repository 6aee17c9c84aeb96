"""EC2 capacity reservations and capacity blocks: capacity that is paid for, used or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, hours
from integrations.aws.fields import hardware, instance_type, running
from integrations.aws.kinds.instances import PLATFORMS
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

CALL = "ec2:DescribeCapacityReservations"
PAGE = 1000
GONE = ("expired", "cancelled", "failed", "payment-failed", "unsupported")
PAID = Unknown(Reason.NOT_COLLECTED, "a capacity block is paid in advance")

KIND = Kind(
    name="aws.ec2.capacity_reservation",
    title="EC2 capacity reservation",
    classes=("compute.reservation",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EC2 reports it; those that have ended are left out.",
            values=(
                "active",
                "pending",
                "scheduled",
                "payment-pending",
                "assessing",
                "delayed",
                "cancelling",
                "unavailable",
            ),
        ),
        running("Whether its capacity is charged for."),
        Field(
            "type",
            Type.STRING,
            "Charged by the hour until cancelled, or a block paid in advance.",
            values=("default", "capacity-block"),
        ),
        instance_type(),
        Field("platform", Type.STRING, "The operating system it is charged for."),
        Field("instance.count", Type.NUMBER, "Instances it holds capacity for."),
        Field("instance.unused", Type.NUMBER, "Instances' worth of it that nobody uses now."),
        Field("availability_zone", Type.STRING, "The availability zone."),
        Field(
            "starts",
            Type.TIMESTAMP,
            "When its capacity is there, where that lies apart from its creation.",
            optional=True,
        ),
        Field("ends", Type.TIMESTAMP, "When it ends; absent where it stays until it is cancelled.", optional=True),
        Field("commitment_ends", Type.TIMESTAMP, "Until when it cannot be cancelled.", optional=True),
        Field("targeted", Type.BOOL, "Whether only instances that name it may use it."),
        Field("owner", Type.STRING, "The account it belongs to, and which pays for what is unused."),
        *hardware("all that it holds"),
    ),
    metrics=(
        Metric("reservation.used", "count", 300, "requests", "Instances that use it (`UsedInstanceCount`)."),
        Metric("reservation.utilization", "percent", 300, "requests", "Share of it in use (`InstanceUtilization`)."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the reservations of a region that have not ended, page by page."""
    for page in reader.pages("ec2", "describe_capacity_reservations", "CapacityReservations", PAGE):
        sound = reader.sound(CALL, page, "CapacityReservationId")
        entries = [entry for entry in sound if entry.get("State") not in GONE]
        types = [t for e in entries if isinstance(t := e.get("InstanceType"), str)]
        known = reader.hardware(types) if types and reader.wants("hardware") else {}
        yield reader.made(CALL, partial(_reservation, reader, known), entries)


def _reservation(reader: Reader, known: Mapping[str, Any], entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["CapacityReservationId"])
    draft.read(
        entry,
        {
            "state": "State",
            "instance.type": "InstanceType",
            "instance.count": "TotalInstanceCount",
            "instance.unused": "AvailableInstanceCount",
            "availability_zone": "AvailabilityZone",
            "starts": "StartDate",
            "ends": "EndDate",
            "commitment_ends": "CommitmentInfo.CommitmentEndDate",
            "owner": "OwnerId",
            "created": "CreateDate",
        },
    )
    draft.put("type", entry.get("ReservationType") or "default")
    platform = entry.get("InstancePlatform")
    draft.put("platform", PLATFORMS.get(platform, "other") if isinstance(platform, str) else platform)
    draft.one_of("running", entry.get("State"), ("active", "cancelling", "delayed"))
    draft.one_of("targeted", entry.get("InstanceMatchCriteria"), ("targeted",))
    draft.hardware(known, entry.get("InstanceType"), entry.get("TotalInstanceCount"))
    draft.tagged(entry.get("Tags"))
    draft.name = draft.tags.get("Name", "")
    if draft.fields["type"] == "capacity-block":
        draft.usage = PAID
    else:
        draft.charge(
            ("running", "owner", "platform", "instance.type", "instance.unused"), partial(_usage, reader.account)
        )
    return draft.resource()


def _usage(account: str, running: bool, owner: str, platform: str, type_: str, unused: int) -> Iterator[Usage]:
    """Yield what nobody uses, at the price on demand; what is used is charged to the instances that use it."""
    if running and unused and owner == account:
        yield hours(f"aws.ec2.{platform}.on_demand:{type_}", unused)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL, "ec2:DescribeInstanceTypes"),
    metrics={
        "reservation.used": Source(
            "AWS/EC2CapacityReservations", "UsedInstanceCount", "Maximum", "CapacityReservationId"
        ),
        "reservation.utilization": Source(
            "AWS/EC2CapacityReservations", "InstanceUtilization", "Maximum", "CapacityReservationId"
        ),
    },
)
