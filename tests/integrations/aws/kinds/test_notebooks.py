"""SageMaker notebook instances, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.sagemaker.notebook"


def test_a_notebook_with_a_gpu():
    """Its machine is charged for while it runs, its disk until it is deleted."""
    notebook = replay(KIND).resources["nb-anika"]
    assert notebook.fields["accelerator.model"] == "A10G"
    assert notebook.fields["encryption.key"] == "customer"
    assert notebook.usage == (
        Usage("aws.sagemaker.notebook:ml.g5.2xlarge", Decimal(1), "hour"),
        Usage("aws.sagemaker.notebook.storage", Decimal(100), "GiB-month", "storage"),
    )


def test_a_notebook_of_nobody():
    """No tags, and that is attested; no GPU either."""
    notebook = replay(KIND).resources["nb-onboarding"]
    assert notebook.tags == {}
    assert "tags" not in notebook.gaps
    assert notebook.fields["accelerator.count"] == 0
