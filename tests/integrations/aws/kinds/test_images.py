"""Machine images, as recorded."""

from datetime import UTC, datetime

from tests.integrations.aws.replayed import replay

KIND = "aws.ec2.image"


def test_an_image():
    """Its snapshots are what is charged for; a local disk is none."""
    trainer = replay(KIND).resources["trainer-2026-08"]
    assert trainer.fields["snapshots"] == ("snap-1",)
    assert trainer.fields["created"] == datetime(2026, 8, 1, 10, tzinfo=UTC)
    assert trainer.fields["encryption.at_rest"] is True
    assert trainer.usage == ()


def test_a_public_image_half_encrypted():
    """One disk that is not encrypted settles it: 8 + 100 GiB."""
    demo = replay(KIND).resources["demo"]
    assert demo.fields["public_access"] is True
    assert demo.fields["encryption.at_rest"] is False
    assert demo.fields["storage.size_gib"] == 108
    assert "last_launched" not in demo.fields
