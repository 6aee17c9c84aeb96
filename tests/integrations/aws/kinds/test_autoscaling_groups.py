"""Auto Scaling groups, as recorded."""

from tests.integrations.aws.replayed import replay

KIND = "aws.autoscaling.group"


def test_a_group_of_a_node_group():
    """Two machines run, one waits stopped in the warm pool; one A10G and one L4 are two models, so none is named."""
    group = replay(KIND).resources["eks-gpu-1"]
    assert group.fields["instance.count"] == 2
    assert group.fields["instance.types"] == ("g5.xlarge", "g6.xlarge", "m5.xlarge")
    assert group.fields["spot_share"] == 75
    assert group.fields["cluster"] == "research"
    assert group.fields["node_group"] == "gpu"
    assert group.fields["accelerator.count"] == 2
    assert "accelerator.model" not in group.fields
    assert group.usage == ()


def test_a_group_that_is_being_deleted():
    """It belongs to Batch, and its machine still runs."""
    group = replay(KIND).resources["batch-1"]
    assert group.fields["deleting"] is True
    assert group.fields["running"] is True
    assert group.fields["spot_share"] == 0
    assert group.fields["batch_environment"] == "batch"
    assert group.fields["accelerator.model"] == "A10G"
