"""EFS file systems, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.efs.file_system"


def test_each_storage_class_has_its_price():
    """1,024 GiB, of them 200 in Infrequent Access and 44 in Archive: 780 are standard; throughput comes on top."""
    checkpoints = replay(KIND).resources["checkpoints"]
    assert checkpoints.fields["storage.size_gib"] == 1024
    assert checkpoints.fields["encryption.key"] == "aws_managed"
    assert checkpoints.tags["team"] == "vision"
    assert checkpoints.usage == (
        Usage("aws.efs.infrequent_access", Decimal(200), "GiB-month", "storage"),
        Usage("aws.efs.archive", Decimal(44), "GiB-month", "storage"),
        Usage("aws.efs.standard", Decimal(780), "GiB-month", "storage"),
        Usage("aws.efs.throughput", Decimal(128), "MiBps-month", "storage"),
    )


def test_a_file_system_that_nothing_can_reach():
    """No mount target, one zone, not encrypted, no tags: attested, not unknown."""
    alone = replay(KIND).resources["fs-2"]
    assert alone.fields["mount_targets"] == 0
    assert alone.fields["one_zone"] is True
    assert alone.fields["encryption.at_rest"] is False
    assert "encryption.key" not in alone.fields
    assert alone.tags == {}
    assert "tags" not in alone.gaps
