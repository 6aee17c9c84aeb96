"""Bedrock application inference profiles, as recorded."""

from engine.values import Unknown
from tests.integrations.aws.replayed import replay


def test_a_profile():
    """It leads to models, in several regions; what it costs is what is asked of it."""
    assistant = replay("aws.bedrock.inference_profile").resources["assistant"]
    assert assistant.fields["models"] == ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0")
    assert assistant.tags == {"team": "assist"}
    assert isinstance(assistant.usage, Unknown)
