"""KMS keys, as recorded."""

from datetime import UTC, datetime
from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import only, replay

KIND = "aws.kms.key"


def test_a_key_of_the_account():
    """A dollar a month, and it is rotated."""
    key = replay(KIND).resources["k1"]
    assert key.fields["rotation"] is True
    assert key.tags == {"team": "security"}
    assert key.usage == (Usage("aws.kms.key", Decimal(1), "month", "storage"),)


def test_a_key_of_aws_is_free():
    """And KMS is not asked about its rotation."""
    key = replay(KIND).resources["k2"]
    assert key.fields["manager"] == "AWS"
    assert "rotation" not in key.fields
    assert key.usage == ()


def test_a_key_that_is_being_deleted_is_free():
    """With the day on which it goes."""
    key = replay(KIND).resources["k3"]
    assert key.fields["deleted"] == datetime(2026, 12, 20, tzinfo=UTC)
    assert key.usage == ()


def test_keys_are_described_only_if_needed():
    """A policy about tags reads tags."""
    assert set(replay(KIND, only(KIND, "tags")).calls) == {"kms:ListKeys", "kms:ListResourceTags"}
