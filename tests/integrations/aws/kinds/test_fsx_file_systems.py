"""FSx file systems, as recorded."""

from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import replay

KIND = "aws.fsx.file_system"


def test_persistent_lustre():
    """The price of its capacity depends on the throughput it comes with."""
    data = replay(KIND).resources["training-data"]
    assert data.fields["encryption.key"] == "customer"
    assert data.fields["throughput.mibps_per_tib"] == 250
    assert data.usage == (Usage("aws.fsx.lustre.persistent_2.ssd.250", Decimal(9600), "GiB-month", "storage"),)


def test_scratch_lustre():
    """It has a key of the service alone, and no name."""
    scratch = replay(KIND).resources["fs-0b"]
    assert scratch.fields["encryption.key"] == "aws_owned"
    assert scratch.fields["encryption.at_rest"] is True
    assert scratch.name == ""
    assert scratch.usage == (Usage("aws.fsx.lustre.scratch_2.ssd", Decimal(1200), "GiB-month", "storage"),)


def test_throughput_that_is_bought():
    """OpenZFS charges for it beside the capacity."""
    assert replay(KIND).resources["homes"].usage == (
        Usage("aws.fsx.openzfs.single_az_1.ssd", Decimal(128), "GiB-month", "storage"),
        Usage("aws.fsx.openzfs.throughput.single_az_1", Decimal(64), "MiBps-month", "storage"),
    )
