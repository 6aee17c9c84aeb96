"""EBS snapshots, as recorded."""

from engine.values import Unknown
from tests.integrations.aws.replayed import only, replay

KIND = "aws.ebs.snapshot"


def test_a_snapshot_of_an_image():
    """The image has to go first; it is charged for its own blocks, which EC2 does not tell: at most 50 GiB."""
    root = replay(KIND).resources["trainer root"]
    assert root.fields["image"] == "ami-1"
    assert root.fields["public_access"] is False
    assert root.fields["encryption.key"] == "customer"
    assert root.fields["storage.full_gib"] == 50
    assert isinstance(root.usage, Unknown)
    assert root.usage.detail.endswith("at most 50 GiB")


def test_a_public_snapshot():
    """Whether it is public is asked for all snapshots in one call."""
    reading = replay(KIND)
    old = reading.resources["snap-2"]
    assert old.fields["public_access"] is True
    assert old.fields["tier"] == "archive"
    assert "image" not in old.fields
    assert "image" not in old.gaps
    assert reading.calls.count("ec2:DescribeSnapshots") == 2


def test_images_are_read_only_if_needed():
    """And then nothing is said of them."""
    reading = replay(KIND, only(KIND, "tags"))
    assert reading.calls == ["ec2:DescribeSnapshots"]
    assert "image" in reading.resources["trainer root"].gaps
