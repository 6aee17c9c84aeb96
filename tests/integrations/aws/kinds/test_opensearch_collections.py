"""OpenSearch Serverless collections, as recorded."""

from datetime import UTC, datetime

from engine.values import Reason, Unknown
from tests.integrations.aws.replayed import only, replay

KIND = "aws.opensearch.collection"


def test_a_collection():
    """Its description comes in one call for all; 1767225600 seconds are the first of January 2026."""
    rag = replay(KIND).resources["rag-prod"]
    assert rag.fields["type"] == "VECTORSEARCH"
    assert rag.fields["standby_replicas"] is True
    assert rag.fields["created"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert rag.fields["public_access"] is False
    assert rag.fields["encryption.key"] == "customer"
    assert isinstance(rag.usage, Unknown)


def test_a_network_policy_by_pattern():
    """`collection/try-*` lets the public into `try-out`; no key is a key of AWS's own."""
    out = replay(KIND).resources["try-out"]
    assert out.fields["public_access"] is True
    assert out.fields["deletion_protection"] is False
    assert out.fields["encryption.key"] == "aws_owned"


def test_descriptions_are_asked_for_once_and_only_if_needed():
    """Two collections take one call; without a policy that reads them, none."""
    assert replay(KIND).calls.count("aoss:BatchGetCollection") == 1
    reading = replay(KIND, only(KIND, "tags"))
    assert "aoss:BatchGetCollection" not in reading.calls
    created = reading.resources["rag-prod"].fields["created"]
    assert isinstance(created, Unknown)
    assert created.reason is Reason.NOT_COLLECTED
