"""Capacity reservations and blocks, as recorded."""

from datetime import UTC, datetime
from decimal import Decimal

from engine.model import Usage
from engine.values import Unknown
from tests.integrations.aws.replayed import replay

KIND = "aws.ec2.capacity_reservation"


def test_what_nobody_uses_is_charged():
    """Three of four machines are unused: those are charged here, the fourth with its instance."""
    training = replay(KIND).resources["training"]
    assert training.fields["instance.unused"] == 3
    assert training.fields["accelerator.count"] == 32
    assert training.fields["commitment_ends"] == datetime(2026, 12, 15, tzinfo=UTC)
    assert "ends" not in training.fields
    assert training.usage == (Usage("aws.ec2.linux.on_demand:p5.48xlarge", Decimal(3), "hour"),)


def test_a_capacity_block():
    """It is paid in advance: nothing that is done to it saves anything."""
    block = replay(KIND).resources["block"]
    assert block.fields["type"] == "capacity-block"
    assert isinstance(block.usage, Unknown)
    assert "in advance" in block.usage.detail


def test_a_reservation_shared_by_another_account():
    """Its owner pays for what is unused."""
    shared = replay(KIND).resources["cr-3"]
    assert shared.fields["owner"] == "999999999999"
    assert shared.fields["platform"] == "windows"
    assert shared.usage == ()


def test_one_that_has_ended_is_left_out():
    """EC2 lists it for a while."""
    assert "cr-4" not in replay(KIND).resources
