"""RDS instances, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.rds.instance"


def test_a_multi_az_instance():
    """A standby doubles what is charged, which the SKU says; the key is the account's own."""
    vectors = replay(KIND).resources["vectors"]
    assert vectors.fields["running"] is True
    assert vectors.fields["encryption.at_rest"] is True
    assert vectors.fields["encryption.key"] == "customer"
    assert vectors.fields["access_logging"] is True
    assert vectors.tags == {"team": "search"}
    assert vectors.usage == (
        Usage("aws.rds.postgres.multi_az:db.r6g.2xlarge", Decimal(1), "hour"),
        Usage("aws.rds.storage.gp3.multi_az", Decimal(500), "GiB-month", "storage"),
    )


def test_a_member_of_a_cluster():
    """Its storage is the cluster's; unencrypted, it has no key."""
    member = replay(KIND).resources["features-1"]
    assert member.fields["cluster"] == "features"
    assert member.fields["encryption.at_rest"] is False
    assert "encryption.key" not in member.fields
    assert member.usage == (Usage("aws.rds.aurora-postgresql:db.r6g.large", Decimal(1), "hour"),)


def test_a_stopped_instance():
    """It still pays for storage; RDS's own encryption counts, though `StorageEncrypted` is false."""
    old = replay(KIND).resources["old"]
    assert old.fields["running"] is False
    assert old.fields["encryption.at_rest"] is True
    assert old.fields["encryption.key"] == "aws_owned"
    assert old.usage == (Usage("aws.rds.storage.gp2", Decimal(20), "GiB-month", "storage"),)
