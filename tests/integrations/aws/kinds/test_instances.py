"""EC2 instances, as recorded: what owns them."""

from tests.integrations.aws.replayed import replay


def test_the_owners_of_a_machine():
    """Whatever would replace a stopped machine is named, from the tags it puts on its machines."""
    owned = next(r for r in replay("aws.ec2.instance").resources.values() if "node_group" in r.fields)
    assert owned.fields["auto_scaling_group"] == "eks-gpu-1"
    assert owned.fields["node_group"] == "gpu"
    assert owned.fields["cluster"] == "research"
    assert owned.fields["batch_environment"] == "batch"


def test_a_machine_of_nobody():
    """It has no owner, and that is attested."""
    alone = next(r for r in replay("aws.ec2.instance").resources.values() if "managed_by" not in r.fields)
    assert "auto_scaling_group" not in alone.fields
    assert "tags" not in alone.gaps
