"""The capacity of OpenSearch Serverless, as recorded."""

from tests.integrations.aws.replayed import ACCOUNT, REGION, replay


def test_a_region_has_one():
    """Its limits are what an account may come to pay for."""
    (capacity,) = replay("aws.opensearch.capacity").resources.values()
    assert capacity.id == f"{ACCOUNT}/{REGION}"
    assert capacity.fields["limits.indexing_ocu"] == 20
    assert capacity.fields["limits.search_ocu"] == 40
