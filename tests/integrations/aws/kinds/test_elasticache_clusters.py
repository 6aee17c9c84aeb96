"""ElastiCache clusters, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.elasticache.cluster"


def test_an_encrypted_cluster():
    """Two nodes in two zones, under a key of the account."""
    features = replay(KIND).resources["features"]
    assert features.fields["encryption.in_transit"] is True
    assert features.fields["encryption.key"] == "customer"
    assert features.fields["multi_az"] is True
    assert features.tags == {"team": "ranking"}
    assert features.usage == (Usage("aws.elasticache.valkey:cache.r7g.xlarge", Decimal(2), "hour"),)


def test_tls_that_is_only_preferred():
    """A client may do without, so it is not required; without encryption there is no key."""
    cache = replay(KIND).resources["cache"]
    assert cache.fields["encryption.in_transit"] is False
    assert cache.fields["encryption.at_rest"] is False
    assert "encryption.key" not in cache.fields
    assert cache.fields["backup_days"] == 0
