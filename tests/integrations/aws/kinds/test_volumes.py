"""EBS volumes, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.ebs.volume"


def test_a_volume_with_performance_of_its_own():
    """Its machine is named; size and IOPS are charged for apart."""
    volume = replay(KIND).resources["feature-store-data"]
    assert volume.fields["attached_to"] == "i-5655da719e3ac7bd8"
    assert volume.fields["encryption.key"] == "aws_managed"
    assert volume.usage == (
        Usage("aws.ebs.io2", Decimal(2000), "GiB-month", "storage"),
        Usage("aws.ebs.io2.iops", Decimal(20000), "IOPS-month", "storage"),
    )


def test_a_volume_of_no_machine():
    """It is charged for all the same, and has no key where nothing is encrypted."""
    volume = replay(KIND).resources["bert-ckpt"]
    assert volume.fields["attached"] is False
    assert "attached_to" not in volume.fields
    assert volume.fields["encryption.at_rest"] is False
    assert "encryption.key" not in volume.fields
    assert volume.usage == (Usage("aws.ebs.gp3", Decimal(4000), "GiB-month", "storage"),)
