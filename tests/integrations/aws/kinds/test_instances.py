"""EC2 instances, as recorded: what owns them."""

from copy import deepcopy

import pytest

from tests.integrations.aws.replayed import recorded, replay


def test_the_owners_of_a_machine():
    """Whatever would replace a stopped machine is named, from the tags it puts on its machines."""
    owned = next(r for r in replay("aws.ec2.instance").resources.values() if "node_group" in r.fields)
    assert owned.fields["auto_scaling_group"] == "eks-gpu-1"
    assert owned.fields["node_group"] == "gpu"
    assert owned.fields["cluster"] == "research"
    assert owned.fields["batch_environment"] == "batch"


def test_a_machine_of_nobody():
    """It has no owner, and that is attested."""
    alone = next(r for r in replay("aws.ec2.instance").resources.values() if "managed_by" not in r.fields)
    assert "auto_scaling_group" not in alone.fields
    assert "tags" not in alone.gaps


def running(**changes):
    """Return a machine, with `changes` to what EC2 says of it."""
    lines = deepcopy(recorded("aws.ec2.instance"))
    for line in lines:
        for reservation in line["response"].get("Reservations", ()):
            for entry in reservation["Instances"]:
                entry |= {"State": {"Name": "running"}, "InstanceType": "p5.48xlarge", **changes}
    return next(iter(replay("aws.ec2.instance", lines=lines).resources.values()))


@pytest.mark.parametrize(
    ("changes", "sku", "kept"),
    [
        ({}, "aws.ec2.linux.on_demand:p5.48xlarge", ""),
        (
            {"CapacityReservationId": "cr-1"},
            "aws.ec2.linux.on_demand:p5.48xlarge",
            "its place in capacity reservation cr-1 is charged, used or not",
        ),
        (
            {"InstanceLifecycle": "capacity-block", "CapacityReservationId": "cr-1"},
            "aws.ec2.capacity_block:p5.48xlarge",
            "it is paid in advance with its capacity block",
        ),
    ],
)
def test_what_goes_on_when_it_stops(changes, sku, kept):
    """A place that is reserved or paid in advance is charged for whether a machine runs in it or not."""
    resource = running(**changes)
    (usage,) = resource.usage
    assert (usage.sku, usage.kept) == (sku, kept)
    assert resource.fields.get("capacity_reservation") == changes.get("CapacityReservationId")
