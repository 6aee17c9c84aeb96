"""Bedrock custom models, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import only, replay

KIND = "aws.bedrock.custom_model"


def test_a_model_with_a_key():
    """It is charged for by the month that it is kept."""
    tuned = replay(KIND).resources["support-tuned"]
    assert tuned.fields["encryption.key"] == "customer"
    assert tuned.fields["customization"] == "FINE_TUNING"
    assert tuned.fields["base_model"] == "amazon.titan-text-express-v1"
    assert tuned.usage == (Usage("aws.bedrock.custom_model.storage", Decimal(1), "month", "storage"),)


def test_a_model_in_the_making():
    """It is not stored yet; without a key it is under one of AWS's own."""
    half = replay(KIND).resources["half-made"]
    assert half.fields["encryption.key"] == "aws_owned"
    assert "customization" not in half.fields
    assert half.usage == ()


def test_keys_are_asked_for_only_if_needed():
    """A policy about tags reads no model's description."""
    assert "bedrock:GetCustomModel" not in replay(KIND, only(KIND, "tags")).calls
