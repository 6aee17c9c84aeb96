"""SageMaker endpoints, as recorded."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.model import Usage
from engine.values import Reason, Unknown
from integrations.aws.kinds.endpoints import published
from tests.integrations.aws.replayed import replay

KIND = "aws.sagemaker.endpoint"


def test_an_endpoint_on_two_machines():
    """Two g5.2xlarge with a GPU and eight vCPUs each; the models it serves are named."""
    endpoint = replay(KIND).resources["grasp-policy"]
    assert endpoint.fields["accelerator.count"] == 2
    assert endpoint.fields["vcpus"] == 16
    assert endpoint.fields["variant.instances"] == ("AllTraffic=2",)
    assert endpoint.fields["models"] == ("tallowmere-serving",)
    assert endpoint.fields["encryption.key"] == "customer"
    assert endpoint.usage == (Usage("aws.sagemaker.hosting:ml.g5.2xlarge", Decimal(2), "hour"),)


def test_two_variants():
    """Each is charged for: twice four GPUs."""
    endpoint = replay(KIND).resources["vision-embed"]
    assert endpoint.fields["variants"] == 2
    assert endpoint.fields["variant.instances"] == ("blue=1", "green=1")
    assert endpoint.fields["accelerator.count"] == 8
    assert endpoint.usage == (Usage("aws.sagemaker.hosting:ml.g5.12xlarge", Decimal(1), "hour"),) * 2


def test_a_serverless_endpoint():
    """It has no machine and no volume, and is charged for by use, which is not collected."""
    endpoint = replay(KIND).resources["rank-batch"]
    assert endpoint.fields["serverless"] is True
    assert endpoint.fields["accelerator.count"] == 0
    assert endpoint.fields["encryption.at_rest"].reason is Reason.NOT_COLLECTED
    assert endpoint.usage.reason is Reason.NOT_COLLECTED


@pytest.mark.parametrize(
    ("config", "enhanced", "interval"),
    [
        ({}, False, timedelta(minutes=1)),
        ({"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10}, True, timedelta(seconds=10)),
        ({"EnableDetailedObservability": True}, False, timedelta(minutes=1)),
        ({"MetricPublishFrequencyInSeconds": "often"}, False, Reason.WRONG_TYPE),
    ],
)
def test_how_its_instances_are_measured(config, enhanced, interval):
    """As its configuration says; what cannot be read is not a minute."""
    found = published(config)
    told = found["metrics_interval"]
    assert found["enhanced_metrics"] is enhanced
    assert (told.reason if isinstance(told, Unknown) else told) == interval
