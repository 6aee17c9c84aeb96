"""From what CloudWatch has of a service to the verdict of a shipped policy: what it needs is asked for, and enough."""

from datetime import timedelta

import pytest

from actions.catalog import remediations
from bursar.config import Config
from bursar.demo.process import Series as Planted
from bursar.packs import packs_folder
from bursar.wiring import context_at
from bursar.zones import zone
from engine.compiled import compile_check
from engine.model import Resource
from engine.policy.load import load_policies
from engine.policy.needs import needs_of
from engine.values import Reason, Unknown
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies
from tests.integrations.aws.kind_names import ENDPOINT
from tests.integrations.aws.measuring import ACCOUNT, EAST, NOON, NOW

POLICIES = load_policies(read_policies([packs_folder() / "idle"]), default_catalog(), remediations(), zones=zone)
BY_NAME = {policy.name: policy for policy in POLICIES.policies}
THREE_DAYS = 3 * 1_440


@pytest.fixture
def verdict(aws, telemetry):
    """Return a function that loads series and returns what a policy says: class, or reason of what is unknown."""

    def judge(policy, resource, series):
        aws.load(EAST, series)
        need = needs_of(POLICIES).kinds[resource.kind]
        (measured,) = telemetry.attach([resource], need, EAST)
        found = compile_check(BY_NAME[policy], context_at(NOW, Config())).judge(measured)
        if isinstance(found.violated, Unknown):
            return found.violated.reason
        return found.classification if found.violated else "compliant"

    return judge


def _moving(value, count):
    """Return values that move, as those of hardware do that is not at rest."""
    return [value * (1 - n // 15 % 4 / 20) for n in range(count)]


def _series(namespace, metric, dimensions, values, step=60):
    return Planted(namespace, metric, dimensions, NOON - timedelta(seconds=len(values) * step), step, values)


# --- Bedrock

ARN = f"arn:aws:bedrock:{EAST}:{ACCOUNT}:provisioned-model/abc123def456"


def _throughput():
    fields = {"running": True, "created": NOW - timedelta(days=40), "units": 1, "state": "InService"}
    return Resource("aws.bedrock.provisioned_throughput", ARN, ACCOUNT, EAST, "chat", fields=fields)


def _model(model, values, step=60, metric="Invocations"):
    return _series("AWS/Bedrock", metric, {"ModelId": model}, values, step)


HAIKU = _model("anthropic.claude-3-haiku-20240307-v1:0", [40.0] * 72, 3_600)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([HAIKU], "serving_no_traffic"),
        ([], Reason.NOT_COLLECTED),
        ([_model("anthropic.claude-3-haiku-20240307-v1:0", [40.0] * 36, 3_600)], Reason.INSUFFICIENT_SAMPLES),
        ([HAIKU, _model(ARN, [1.0] + [None] * (THREE_DAYS - 1))], "compliant"),
        ([HAIKU, _model("abc123def456", [1.0] + [None] * 100)], "compliant"),
        ([HAIKU, _model(ARN, [1.0] + [None] * 100, metric="InvocationThrottles")], "compliant"),
        # It is its own witness in the hours in which it is called, and in no others.
        ([_model(ARN, [1.0] + [None] * (THREE_DAYS - 1))], Reason.INSUFFICIENT_SAMPLES),
    ],
)
def test_a_throughput(verdict, series, expected):
    """Silence is idleness where others were called in every hour."""
    assert verdict("idle-provisioned-throughput", _throughput(), series) == expected


# --- training jobs


def _job(hosts=2):
    fields = {
        "running": True,
        "created": NOW - timedelta(hours=20),
        "instance.type": "ml.p4d.24xlarge",
        "instance.count": hosts,
        "accelerator.count": 8 * hosts,
        "accelerator.devices": 8 * hosts,
        "accelerator.model": "A100",
        "vcpus": 96 * hosts,
    }
    arn = f"arn:aws:sagemaker:{EAST}:{ACCOUNT}:training-job/llama"
    return Resource("aws.sagemaker.training_job", arn, ACCOUNT, EAST, "llama", fields=fields)


def _hosts(gpu, cpu, numbers=(1, 2)):
    return [
        _series("/aws/sagemaker/TrainingJobs", metric, {"Host": f"llama/algo-{n}"}, _moving(value, 180))
        for n in numbers
        for metric, value in (("GPUUtilization", gpu), ("CPUUtilization", cpu))
    ]


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (_hosts(0.0, 48.0), "idle"),
        (_hosts(760.0, 2_400.0), "compliant"),
        (_hosts(8.0, 48.0), "compliant"),  # one of eight GPUs may be at 8%
        (_hosts(0.0, 4_800.0), "compliant"),
        (_hosts(0.0, 48.0, (1,)), Reason.INSUFFICIENT_SAMPLES),
        (_hosts(0.0, 48.0, (1,)) + _hosts(760.0, 2_400.0, (2,)), "partly_idle"),
        ([], Reason.NOT_COLLECTED),
    ],
)
def test_a_training_job(verdict, series, expected):
    """Every host, its GPUs and its processors."""
    assert verdict("stop-idle-training-jobs", _job(), series) == expected


# --- endpoints


def _endpoint(instances=1, **fields):
    known = {
        "running": True,
        "created": NOW - timedelta(days=40),
        "serverless": False,
        "variants": 1,
        "variant.instances": (f"v1={instances}",),
        "enhanced_metrics": False,
        "metrics_interval": timedelta(minutes=1),
        "instance.count": instances,
        "accelerator.count": 4 * instances,
        "accelerator.devices": 4 * instances,
        "accelerator.model": "A10G",
        "vcpus": 48 * instances,
    }
    arn = f"arn:aws:sagemaker:{EAST}:{ACCOUNT}:endpoint/chat"
    return Resource(ENDPOINT, arn, ACCOUNT, EAST, "chat", fields={**known, **fields})


def _hosting(gpu, **more):
    dimensions = {"EndpointName": "chat", "VariantName": "v1", **more}
    return _series("/aws/sagemaker/Endpoints", "GPUUtilization", dimensions, _moving(gpu, THREE_DAYS))


def _cpu():
    dimensions = {"EndpointName": "chat", "VariantName": "v1"}
    return _series("/aws/sagemaker/Endpoints", "CPUUtilization", dimensions, _moving(48.0, THREE_DAYS))


SINGLE = [_hosting(0.0, InstanceId="i-0", AcceleratorId=str(n)) for n in range(4)]


@pytest.mark.parametrize(
    ("endpoint", "series", "expected"),
    [
        (_endpoint(), [_hosting(4.0)], "serving_no_traffic"),
        (_endpoint(), [_hosting(12.0)], "compliant"),
        (_endpoint(2), [_hosting(0.0)], Reason.INSUFFICIENT_SAMPLES),
        (_endpoint(2), [_hosting(0.0)] * 2, "serving_no_traffic"),
        (_endpoint(enhanced_metrics=True), [_hosting(0.0), *SINGLE], "serving_no_traffic"),
        (_endpoint(enhanced_metrics=True), [_cpu(), _hosting(0.0), *SINGLE[:3]], Reason.INSUFFICIENT_SAMPLES),
        (_endpoint(enhanced_metrics=True), [_hosting(8.0), *SINGLE], "serving_no_traffic"),
        (_endpoint(), [_cpu(), _hosting(0.0), _hosting(500.0)], Reason.SOURCE_ERROR),
        # The processors of one of two instances are silent; the requests of both are known by their GPUs.
        (_endpoint(2), [*[_hosting(0.0)] * 2, _cpu()], "serving_no_traffic"),
    ],
)
def test_an_endpoint(verdict, endpoint, series, expected):
    """No requests, and no GPU at 5% on any instance that it has."""
    assert verdict("delete-unused-gpu-endpoints", endpoint, series) == expected
