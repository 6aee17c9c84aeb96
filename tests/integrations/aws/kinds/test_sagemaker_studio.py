"""SageMaker Studio domains, spaces and apps, as recorded."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.model import Usage
from engine.values import Unknown
from tests.integrations.aws.replayed import replay


def test_domains():
    """One shuts idle apps down after two hours and stays in its VPC, the other neither."""
    domains = replay("aws.sagemaker.domain").resources
    assert domains["research"].fields["idle_timeout"] == timedelta(hours=2)
    assert domains["research"].fields["public_access"] is False
    assert domains["research"].fields["encryption.key"] == "customer"
    assert domains["old"].fields["idle_shutdown"] is False
    assert "idle_timeout" not in domains["old"].fields
    assert domains["old"].fields["public_access"] is True
    assert domains["old"].fields["encryption.key"] == "aws_owned"


def test_spaces():
    """A space of one user has a disk of its own; a shared one keeps its files with the domain."""
    spaces = replay("aws.sagemaker.space").resources
    assert spaces["ana"].fields["user"] == "ana"
    assert spaces["ana"].fields["shared"] is False
    assert spaces["ana"].usage == (Usage("aws.sagemaker.studio.storage", Decimal(100), "GiB-month", "storage"),)
    assert spaces["shared"].fields["shared"] is True
    assert isinstance(spaces["shared"].usage, Unknown)


def test_apps():
    """One on a GPU that nobody touched for eleven days; one that is free; one that is gone is left out."""
    apps = replay("aws.sagemaker.app").resources
    assert set(apps) == {"default", "main"}
    assert apps["default"].fields["last_activity"] == datetime(2026, 11, 12, tzinfo=UTC)
    assert apps["default"].fields["accelerator.count"] == 1
    assert apps["default"].usage == (Usage("aws.sagemaker.studio:ml.g5.xlarge", Decimal(1), "hour"),)
    assert apps["main"].fields["running"] is False
    assert apps["main"].fields["accelerator.count"] == 0
    assert "last_activity" not in apps["main"].fields
    assert apps["main"].usage == ()
