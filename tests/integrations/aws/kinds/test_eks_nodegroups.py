"""EKS node groups, as recorded."""

from tests.integrations.aws.replayed import replay

KIND = "aws.eks.nodegroup"


def test_a_group_of_one_type():
    """Three machines with a GPU each, bought on the spot market."""
    gpu = replay(KIND).resources["gpu"]
    assert gpu.fields["cluster"] == "research"
    assert gpu.fields["lifecycle"] == "spot"
    assert gpu.fields["auto_scaling_group"] == "eks-gpu-1"
    assert gpu.fields["accelerator.count"] == 3
    assert gpu.tags == {"team": "vision"}


def test_a_group_of_several_types():
    """It has no machine now, and of which type it would have one nobody knows."""
    mixed = replay(KIND).resources["mixed"]
    assert mixed.fields["running"] is False
    assert mixed.fields["instance.types"] == ("g5.xlarge", "g6.xlarge")
    assert "auto_scaling_group" not in mixed.fields
    assert "hardware" in mixed.gaps
