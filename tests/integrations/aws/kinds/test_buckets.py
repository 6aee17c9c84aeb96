"""S3 buckets, as recorded."""

from engine.values import Reason
from tests.integrations.aws.replayed import replay

KIND = "aws.s3.bucket"


def test_a_bucket_in_order():
    """Encrypted under the account's key, logged, out of reach without TLS and for the public."""
    bucket = replay(KIND).resources["tallowmere-datasets"]
    assert bucket.fields["encryption.key"] == "customer"
    assert bucket.fields["access_logging"] is True
    assert bucket.fields["encryption.in_transit"] is True
    assert bucket.fields["public_access"] is False
    assert bucket.tags["cost-center"] == "cc-1201"


def test_a_public_bucket():
    """What it costs is not known: its size is not collected."""
    bucket = replay(KIND).resources["tallowmere-demo-assets"]
    assert bucket.fields["public_access"] is True
    assert bucket.fields["public_access_blocked"] is False
    assert bucket.fields["encryption.key"] == "aws_owned"
    assert bucket.usage.reason is Reason.NOT_COLLECTED
