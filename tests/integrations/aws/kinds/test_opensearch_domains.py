"""OpenSearch domains, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.opensearch.domain"


def test_a_domain_in_a_vpc():
    """Each role of node is charged by its own type; storage is that of all data nodes: 6 x 512 GiB."""
    products = replay(KIND).resources["products"]
    assert products.fields["zones"] == 3
    assert products.fields["public_access"] is False
    assert products.fields["access_logging"] is True
    assert products.fields["encryption.key"] == "customer"
    assert products.fields["storage.size_gib"] == 3072
    assert products.tags == {"team": "search"}
    assert products.usage == (
        Usage("aws.opensearch:r6g.xlarge.search", Decimal(6), "hour"),
        Usage("aws.opensearch:m6g.large.search", Decimal(3), "hour"),
        Usage("aws.opensearch:ultrawarm1.medium.search", Decimal(2), "hour"),
        Usage("aws.opensearch.storage.gp3", Decimal(3072), "GiB-month", "storage"),
    )


def test_a_domain_on_the_internet():
    """Masters that are switched off count nothing, though AWS still names their type; local disks are no EBS."""
    scratch = replay(KIND).resources["scratch"]
    assert scratch.fields["masters.count"] == 0
    assert "masters.type" not in scratch.fields
    assert scratch.fields["public_access"] is True
    assert scratch.fields["encryption.at_rest"] is False
    assert "encryption.key" not in scratch.fields
    assert scratch.fields["storage.size_gib"] == 0
    assert scratch.usage == (Usage("aws.opensearch:i3.large.search", Decimal(1), "hour"),)


def test_a_domain_that_is_gone_is_left_out():
    """AWS lists it until its deletion has ended."""
    assert set(replay(KIND).resources) == {"products", "scratch"}
