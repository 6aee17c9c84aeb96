"""The table of metrics: how each is asked for, of whom, and in what it is divided."""

import math

import pytest

from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.metric_scale import ceiling_of, divisor_of
from integrations.aws.metric_sources import (
    Scale,
    fits,
    identity_of,
    published_name,
    sends,
)
from integrations.aws.registry import AWS_KINDS, aws_kinds, source_of
from tests.integrations.aws.kind_names import ENDPOINT, INSTANCE, NOTEBOOK, VOLUME

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/chat"
GPU = source_of(INSTANCE, "gpu.utilization")
HOSTED = source_of(ENDPOINT, "gpu.utilization")


def _resource(kind=INSTANCE, id_="i-1", name="", gaps=None, **fields):
    named = {field.replace("__", "."): value for field, value in fields.items()}
    return Resource(kind, id_, "123456789012", "us-east-1", name, fields=named, gaps=gaps or {})


def test_every_declared_metric_has_a_source():
    """Derived metrics are computed from another one and have none; CloudWatch need not have optional ones."""
    declared = {(k.name, m.name): m.optional for k in aws_kinds() for m in k.metrics if not m.derived_from}
    sources = {(k, m) for k, source in AWS_KINDS.items() for m in source.metrics}

    assert {name for name, optional in declared.items() if not optional} <= sources
    assert sources <= set(declared)


def test_levels_are_asked_for_by_their_maximum_and_counts_by_their_sum():
    """An average over a bucket would hide a short burst."""
    for kind in aws_kinds():
        for metric in kind.metrics:
            if not metric.derived_from and not metric.optional:
                expected = "Sum" if metric.reduce == "sum" else "Maximum"
                assert expected == AWS_KINDS[kind.name].metrics[metric.name].statistic, metric.name


def test_metrics_with_several_devices_name_the_dimension_of_the_device():
    """And those of the whole resource name none."""
    for kind in aws_kinds():
        for metric in kind.metrics:
            if not metric.derived_from and not metric.optional:
                assert bool(metric.devices) == bool(AWS_KINDS[kind.name].metrics[metric.name].device), metric.name


def test_what_does_not_exist_has_no_source():
    """A bucket has no metrics."""
    assert source_of("aws.s3.bucket", "gpu.utilization") is None


@pytest.mark.parametrize(
    ("kind", "metric", "resource", "expected"),
    [
        (INSTANCE, "gpu.utilization", _resource(name="trainer"), "i-1"),
        (VOLUME, "volume.read_ops", _resource(VOLUME, "vol-1", "data"), "vol-1"),
        (ENDPOINT, "requests", _resource(ENDPOINT, ARN, "Chat"), "Chat"),
        (ENDPOINT, "requests", _resource(ENDPOINT, ARN), "chat"),
        (NOTEBOOK, "gpu.power", _resource(NOTEBOOK, "arn:x:notebook-instance/nb-mira"), "nb-mira"),
    ],
)
def test_series_name_machines_by_id_and_sagemaker_resources_by_name(kind, metric, resource, expected):
    """The name is the last part of the ARN where nothing else gives it."""
    assert expected == identity_of(source_of(kind, metric), resource)


@pytest.mark.parametrize(
    ("dimensions", "expected"),
    [
        ((("InstanceId", "i-1"), ("index", "0")), True),
        ((("AutoScalingGroupName", "a"), ("InstanceId", "i-1"), ("arch", "x"), ("host", "h"), ("index", "7")), True),
        ((("host", "ip-10-0-0-1"), ("index", "0"), ("name", "T4")), False),
        ((("InstanceId", "i-1"),), False),
    ],
)
def test_a_gpu_series_names_its_machine_and_its_device(dimensions, expected):
    """Roll-ups over all devices and series that name a host alone are not read."""
    assert expected == fits(GPU, dimensions)


@pytest.mark.parametrize(
    ("dimensions", "expected"),
    [
        ((("EndpointName", "e"), ("VariantName", "v")), True),
        ((("AcceleratorId", "0"), ("EndpointName", "e"), ("InstanceId", "i"), ("VariantName", "v")), False),
        ((("EndpointName", "e"),), False),
    ],
)
def test_an_endpoint_series_is_that_of_a_variant_and_no_part_of_it(dimensions, expected):
    """Enhanced metrics publish the same samples again for each instance and accelerator."""
    assert expected == fits(HOSTED, dimensions)


def test_the_cpu_of_a_notebook_is_that_of_all_cores():
    """The agent may publish each core as well."""
    cpu = source_of(NOTEBOOK, "cpu.utilization")

    assert fits(cpu, (("NotebookInstanceName", "nb"), ("cpu", "cpu-total")))
    assert not fits(cpu, (("NotebookInstanceName", "nb"), ("cpu", "cpu0")))


def test_the_agent_on_windows_writes_a_space():
    """`nvidia_smi utilization_gpu`, as the agent's own tests have it."""
    windows = _resource(platform="windows")

    assert published_name(GPU.metric, windows) == "nvidia_smi utilization_gpu"
    assert published_name(GPU.metric, _resource(platform="linux")) == "nvidia_smi_utilization_gpu"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"running": False, "accelerator__count": 8}, False),
        ({"running": True, "accelerator__count": 0}, False),
        ({"running": True, "accelerator__count": 0.125}, True),
        ({"running": Unknown(Reason.NULL), "accelerator__count": Unknown(Reason.DENIED)}, True),
        ({"running": True, "accelerator__count": False}, True),
    ],
)
def test_gpu_metrics_are_asked_of_running_machines_with_accelerators(fields, expected):
    """Where it is not known, they are asked for."""
    assert expected == sends(GPU, _resource(**fields))


def test_serverless_and_empty_endpoints_have_no_hardware_but_may_have_requests():
    """The request metric is sent by the service, not by an instance."""
    for fields in ({"serverless": True}, {"serverless": False, "instance__count": 0}):
        endpoint = _resource(ENDPOINT, ARN, "chat", running=True, **fields)
        assert not sends(source_of(ENDPOINT, "cpu.utilization"), endpoint)
        assert sends(source_of(ENDPOINT, "requests"), endpoint)


@pytest.mark.parametrize(
    ("metric", "fields", "expected"),
    [
        ("gpu.utilization", {"accelerator__devices": 4, "instance__count": 1}, (1.0, 440.0)),
        ("gpu.memory_used", {"accelerator__devices": 8, "instance__count": 2}, (1.0, 440.0)),
        ("cpu.utilization", {"vcpus": 96, "instance__count": 2}, (48.0, 5_280.0)),
        ("requests", {}, (1.0, math.inf)),
    ],
)
def test_sums_of_an_endpoint_are_those_of_one_instance(metric, fields, expected):
    """
    A sum over vCPUs is divided; one over GPUs is not, since one of them may have done it all.

    Either has a highest value, with a tenth to spare.
    """
    endpoint, source = _resource(ENDPOINT, ARN, "chat", **fields), source_of(ENDPOINT, metric)

    assert divisor_of(source, endpoint) == expected[0]
    assert ceiling_of(source, endpoint) == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("fields", "gaps", "reason"),
    [
        ({"instance__count": 1}, {}, Reason.NOT_COLLECTED),
        ({"instance__count": 1}, {"hardware": Unknown(Reason.DENIED, "no")}, Reason.DENIED),
        ({"accelerator__devices": Unknown(Reason.NULL), "instance__count": 1}, {}, Reason.NULL),
        ({"accelerator__devices": 4}, {"config": Unknown(Reason.SOURCE_ERROR)}, Reason.SOURCE_ERROR),
        ({"accelerator__devices": "4", "instance__count": 1}, {}, Reason.WRONG_TYPE),
        ({"accelerator__devices": 5, "instance__count": 2}, {}, Reason.SOURCE_ERROR),
        ({"accelerator__devices": 0, "instance__count": 2}, {}, Reason.SOURCE_ERROR),
        (
            {"accelerator__devices": 8, "instance__count": 2, "instance__types": ("ml.g5.xlarge", "ml.g5.12xlarge")},
            {},
            Reason.NOT_COLLECTED,
        ),
    ],
)
def test_a_sum_is_not_believed_by_a_guess(fields, gaps, reason):
    """Unknown, contradictory or mixed hardware makes the utilisation unknown."""
    ceiling = ceiling_of(HOSTED, _resource(ENDPOINT, ARN, "chat", gaps=gaps, **fields))

    assert isinstance(ceiling, Unknown)
    assert reason == ceiling.reason


def test_the_memory_of_a_device_is_known_by_its_type():
    """24 GiB are 24,576 MiB."""
    held = source_of(INSTANCE, "gpu.memory_used")

    assert held.scale is Scale.OF_TOTAL
    assert divisor_of(held, _resource(accelerator__memory_gib=24)) == 24_576
    assert isinstance(divisor_of(held, _resource(accelerator__memory_gib=0)), Unknown)
