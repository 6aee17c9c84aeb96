"""EKS clusters, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import only, replay

KIND = "aws.eks.cluster"


def test_a_cluster_open_to_all():
    """Its API is public to every address; secrets are under a key of the account; the audit log is on."""
    research = replay(KIND).resources["research"]
    assert research.fields["public_access"] is True
    assert research.fields["access_logging"] is True
    assert research.fields["encryption.key"] == "customer"
    assert research.fields["auto_mode"] is True
    assert research.tags == {"team": "platform"}
    assert research.usage == (Usage("aws.eks.cluster", Decimal(1), "hour"),)


def test_a_cluster_with_a_list_of_addresses():
    """A public endpoint with a list is not open to all. Nothing said about support means the extended one."""
    old = replay(KIND).resources["old"]
    assert old.fields["public_endpoint"] is True
    assert old.fields["public_access"] is False
    assert old.fields["access_logging"] is False
    assert old.fields["encryption.at_rest"] is False
    assert "encryption.key" not in old.fields
    assert old.fields["support"] == "EXTENDED"


def test_tags_come_with_the_description():
    """A policy about tags takes one call for each cluster."""
    reading = replay(KIND, only(KIND, "tags"))
    assert reading.resources["research"].tags == {"team": "platform"}
    assert reading.calls == ["eks:ListClusters", "eks:DescribeCluster", "eks:DescribeCluster"]
