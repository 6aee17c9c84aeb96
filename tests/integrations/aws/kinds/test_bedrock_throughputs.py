"""Bedrock provisioned throughput, as recorded."""

from datetime import UTC, datetime
from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.bedrock.provisioned_throughput"


def test_committed_units():
    """Model units are charged by the base model and the term, until the commitment ends."""
    chat = replay(KIND).resources["chat"]
    assert chat.fields["model"] == "c1"
    assert chat.fields["commitment_expires"] == datetime(2027, 2, 1, tzinfo=UTC)
    assert chat.tags == {"team": "assist"}
    haiku = "anthropic.claude-3-haiku-20240307-v1:0:200k"
    kept = "it is committed for a term, charged for until that ends"
    assert chat.usage == (Usage(f"aws.bedrock.provisioned.6_months:{haiku}", Decimal(2), "hour", kept=kept),)


def test_units_without_a_commitment():
    """They can be deleted at any hour."""
    attempt = replay(KIND).resources["try"]
    assert "commitment" not in attempt.fields
    assert attempt.usage == (Usage("aws.bedrock.provisioned:amazon.titan-text-express-v1", Decimal(1), "hour"),)


def test_what_has_failed_costs_nothing():
    """It never came into service."""
    broken = replay(KIND).resources["broken"]
    assert broken.fields["running"] is False
    assert broken.usage == ()
