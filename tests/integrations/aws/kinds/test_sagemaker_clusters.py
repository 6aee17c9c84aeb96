"""HyperPod clusters and inference components, as recorded."""

from decimal import Decimal

from engine.model import Usage
from engine.values import Unknown
from tests.integrations.aws.replayed import replay


def test_a_cluster():
    """Fifteen of sixteen workers with eight GPUs each, and a head without one."""
    pretrain = replay("aws.sagemaker.cluster").resources["pretrain"]
    assert pretrain.fields["instance.count"] == 16
    assert pretrain.fields["size.desired"] == 17
    assert pretrain.fields["accelerator.count"] == 120
    assert pretrain.fields["orchestrator"] == "eks"
    assert pretrain.fields["cluster"] == "research"
    assert pretrain.usage == (
        Usage("aws.sagemaker.hyperpod:ml.p4d.24xlarge", Decimal(15), "hour"),
        Usage("aws.sagemaker.hyperpod:ml.m5.xlarge", Decimal(1), "hour"),
    )


def test_a_cluster_on_a_training_plan():
    """It is paid in advance."""
    planned = replay("aws.sagemaker.cluster").resources["planned"]
    assert planned.fields["training_plan"] is True
    assert planned.fields["node_recovery"] is False
    assert isinstance(planned.usage, Unknown)


def test_inference_components():
    """Three copies with two accelerators each; one scaled to none asks for none."""
    components = replay("aws.sagemaker.inference_component").resources
    assert components["chat"].fields["accelerator.count"] == 6
    assert components["chat"].fields["model"] == "llama-8b"
    assert components["chat"].fields["endpoint"] == "serving"
    assert components["off"].fields["copies"] == 0
    assert components["off"].fields["accelerator.count"] == 0
    assert "model" not in components["off"].fields
