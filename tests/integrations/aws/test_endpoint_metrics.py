"""The hardware metrics of SageMaker endpoints: sums over GPUs, single GPUs, instances that are silent."""

from datetime import timedelta

import pytest

from bursar.demo.process import Series as Planted
from engine.model import Resource
from engine.values import Reason, Unknown
from tests.integrations.aws.kind_names import ENDPOINT
from tests.integrations.aws.measuring import ACCOUNT, EAST, HOUR, NOON, READ, need_of, readings

DAYS = timedelta(days=2)
UTILISATION, HOSTING = "GPUUtilization", "/aws/sagemaker/Endpoints"


def _endpoint(gpus=4, instances=("v1=1",), **fields):
    """An endpoint whose instances have so many GPUs each."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    count = sum(int(one.partition("=")[2]) for one in instances)
    known = {
        "running": True,
        "serverless": False,
        "variants": len(instances),
        "variant.instances": instances,
        "enhanced_metrics": False,
        "metrics_interval": timedelta(minutes=1),
        "instance.count": count,
        "accelerator.count": gpus * count,
        "accelerator.devices": gpus * count,
        "vcpus": 48 * count,
    }
    arn = f"arn:aws:sagemaker:{EAST}:{ACCOUNT}:endpoint/chat"
    return Resource(ENDPOINT, arn, ACCOUNT, EAST, "chat", fields={**known, **named})


def _two(**fields):
    return _endpoint(instances=("v1=2",), **fields)


def _sent(values, variant="v1", metric=UTILISATION, end=NOON, step=60, **more):
    dimensions = {"EndpointName": "chat", "VariantName": variant, **more}
    return Planted(HOSTING, metric, dimensions, end - timedelta(seconds=len(values) * step), step, values)


def _gpus(values, instance="i-0", gpus=4, **more):
    return [_sent(values, InstanceId=instance, AcceleratorId=str(n), **more) for n in range(gpus)]


@pytest.fixture
def read(aws, telemetry):
    """Return a function that loads series and returns what is read of an endpoint."""

    def attach(series, endpoint, *metrics, window=HOUR):
        aws.load(EAST, series)
        (found,) = telemetry.attach([endpoint], need_of(*(metrics or ("gpu.utilization",)), window=window), EAST)
        return found

    return attach


# --- sums over the GPUs of an instance


@pytest.mark.parametrize(("total", "expected"), [(3.0, 3.0), (12.0, 12.0), (99.0, 99.0), (340.0, 100.0)])
def test_what_one_of_four_gpus_does_at_most_is_all_of_their_sum(read, total, expected):
    """12% of four may be one GPU at 12%: a mean of 3% would call it idle."""
    found = read([_sent([total] * 60)], _endpoint())

    assert readings(found, "gpu.utilization") == {"v1": (expected, 60, 60)}


def test_a_burst_of_one_of_eight_gpus_is_seen(read):
    """Seven at rest beside it do not dilute it."""
    found = read([_sent([0.0] * 59 + [40.0])], _endpoint(gpus=8))

    assert readings(found, "gpu.utilization")["v1"][0] == 40.0


def test_processors_are_told_by_their_mean(read):
    """4,800% of 48 vCPUs are all of them, on each of two instances."""
    found = read(
        [_sent([4_800.0] * 60, metric="CPUUtilization")] * 2, _endpoint(instances=("v1=2",)), "cpu.utilization"
    )

    assert readings(found, "cpu.utilization") == {"v1": (100.0, 60, 60)}


@pytest.mark.parametrize(
    ("metric", "name", "value"),
    [(UTILISATION, "gpu.utilization", 460.0), ("CPUUtilization", "cpu.utilization", 5_300.0)],
)
def test_more_than_the_hardware_can_do_is_not_believed(read, metric, name, value):
    """Above 100% of each: its unit is another one, or the endpoint had other machines when it was sent."""
    found = read([_sent([0.0] * 59 + [value], metric=metric)], _endpoint(), name)

    assert found.metrics == {}
    assert readings(found, name) == {"?": Reason.SOURCE_ERROR}


def test_a_sum_over_unknown_hardware_is_unknown(aws, read):
    """Nobody knows how high it can be; no samples are asked for."""
    denied = Unknown(Reason.DENIED, "ec2:DescribeInstanceTypes was denied")
    found = read([_sent([10.0] * 60)], _endpoint(accelerator__devices=denied, accelerator__count=denied))

    assert found.metrics == {}
    assert found.gaps["metrics.compute"] == denied
    assert READ not in aws.calls()


# --- instances and variants that are silent


@pytest.mark.parametrize(
    ("instances", "senders", "expected"),
    [
        (2, 2, (1.0, 60, 60)),
        (2, 1, Reason.INSUFFICIENT_SAMPLES),
        (4, 2, Reason.INSUFFICIENT_SAMPLES),
        (2, 3, (1.0, 60, 60)),  # one is replaced, and both are there for a while
    ],
)
def test_instances_that_are_silent_leave_the_variant_unknown(read, instances, senders, expected):
    """All share one series; how many samples a minute has tells how many of them sent."""
    found = read([_sent([1.0] * 60)] * senders, _endpoint(instances=(f"v1={instances}",)))

    assert readings(found, "gpu.utilization") == {"v1": expected}


def test_an_instance_that_stopped_in_the_middle_is_seen_in_coarse_buckets_too(read):
    """Two days come in buckets of five minutes; the second instance was silent for one of them."""
    found = read([_sent([0.0] * 2_880), _sent([0.0] * 1_440, end=NOON - timedelta(days=1))], _two(), window=DAYS)

    assert readings(found, "gpu.utilization", DAYS) == {"v1": Reason.INSUFFICIENT_SAMPLES}


def test_two_instances_in_coarse_buckets(read):
    """Both sent all the time: 2,880 samples, counted once."""
    found = read([_sent([2.0] * 2_880)] * 2, _two(), window=DAYS)

    assert readings(found, "gpu.utilization", DAYS) == {"v1": (2.0, 2_880, 2_880)}


def test_two_samples_a_minute_of_one_instance_are_not_two_instances(read):
    """It is configured to send every 30 seconds; the other one is silent."""
    often = timedelta(seconds=30)
    one = _sent([0.0] * 120, step=30)

    assert readings(read([one], _two(metrics_interval=often)), "gpu.utilization") == {"v1": Reason.INSUFFICIENT_SAMPLES}
    assert readings(read([one], _two(metrics_interval=often)), "gpu.utilization") == {"v1": (0.0, 60, 60)}


def test_one_that_sends_every_five_minutes_is_covered_by_that(read):
    """Twelve samples an hour are all that are due."""
    found = read([_sent([3.0] * 12, step=300)], _endpoint(metrics_interval=timedelta(minutes=5)))

    assert readings(found, "gpu.utilization") == {"v1": (3.0, 12, 12)}


def test_a_new_variant_in_the_middle_of_the_window_is_not_covered(read):
    """What it did before it was there is not known, and no other variant says so for it."""
    series = [_sent([0.0] * 60), _sent([0.0] * 30, variant="v2")]
    found = read(series, _endpoint(instances=("v1=1", "v2=1")))

    assert readings(found, "gpu.utilization") == {"v1": (0.0, 60, 60), "v2": Reason.INSUFFICIENT_SAMPLES}


def test_a_variant_that_sends_nothing_is_missed(read):
    """Two are configured, one is heard."""
    found = read([_sent([0.0] * 60)], _endpoint(instances=("v1=1", "v2=1")))

    assert readings(found, "gpu.utilization") == {"v1": (0.0, 60, 60), "?0": Reason.INSUFFICIENT_SAMPLES}


@pytest.mark.parametrize("field", ["variant__instances", "metrics_interval"])
def test_instances_that_are_not_known_leave_it_unknown(read, field):
    """Nobody can tell how many samples there should be."""
    denied = Unknown(Reason.DENIED, "sagemaker:DescribeEndpoint was denied")
    found = read([_sent([0.0] * 60)], _endpoint(**{field: denied}))

    assert readings(found, "gpu.utilization") == {"?": Reason.DENIED}


def test_a_silent_instance_is_no_witness(read):
    """No request came, says one of two instances: the other one may have had some."""
    cpu = _sent([48.0] * 60, metric="CPUUtilization")

    assert readings(read([cpu], _two(), "requests"), "requests") == {"?": Reason.INSUFFICIENT_SAMPLES}
    assert readings(read([cpu], _two(), "requests"), "requests") == {"v1": (0.0, 60, 60)}


# --- enhanced metrics: each accelerator by itself


def test_single_gpus_are_read_in_place_of_their_sum(read):
    """Four GPUs at 2% each are at 2%, where their sum would be 8%."""
    found = read([_sent([8.0] * 60), *_gpus([2.0] * 60)], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": (2.0, 60, 60)}
    (series,) = found.metrics["gpu.utilization"]
    assert series.source == "cloudwatch /aws/sagemaker/Endpoints/GPUUtilization of each accelerator"


def test_the_busiest_gpu_of_all_instances_counts(read):
    """One of eight worked, for one minute."""
    series = [*_gpus([0.0] * 60), *_gpus([0.0] * 60, instance="i-1", gpus=3)]
    series.append(_sent([0.0] * 59 + [31.0], InstanceId="i-1", AcceleratorId="3"))
    found = read(series, _two(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": (31.0, 60, 60)}


def test_the_first_name_of_the_dimension_is_known_too(read):
    """AWS showed the metrics with `GpuId`, and documents `AcceleratorId`."""
    series = [_sent([2.0] * 60, InstanceId="i-0", GpuId=str(n)) for n in range(4)]

    assert readings(read(series, _endpoint(enhanced_metrics=True)), "gpu.utilization") == {"v1": (2.0, 60, 60)}


def test_a_gpu_that_is_not_listed_leaves_the_endpoint_unknown(read):
    """Three of four say that they rest; so does their sum, in which the fourth has no part."""
    found = read([_sent([0.0] * 60), *_gpus([0.0] * 60, gpus=3)], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"?": Reason.INSUFFICIENT_SAMPLES}
    assert found.gaps["metrics.compute"].detail == "3 of 4 accelerators of variant v1 send GPUUtilization"


def test_a_gpu_that_went_silent_leaves_the_endpoint_unknown(read):
    """It fell off the bus in the middle of the window."""
    lost = _sent([0.0] * 30, InstanceId="i-0", AcceleratorId="3", end=NOON - timedelta(minutes=30))
    found = read([*_gpus([0.0] * 60, gpus=3), lost], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": Reason.INSUFFICIENT_SAMPLES}


def test_half_of_the_instances_are_silent(read):
    """Four of eight GPUs."""
    found = read([_sent([0.0] * 60), *_gpus([0.0] * 60)], _two(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"?": Reason.INSUFFICIENT_SAMPLES}


def test_an_update_replaces_the_instances_and_no_time_is_unseen(read):
    """For a minute the old and the new one are both there; the work of the old one is not forgotten."""
    old = _gpus([70.0] * 31, end=NOON - timedelta(minutes=29))
    found = read([*old, *_gpus([0.0] * 30, instance="i-1")], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": (70.0, 60, 60)}


def test_a_silence_of_the_old_instance_is_not_covered_by_the_new_one(read):
    """Both are there for the whole hour, one too many; but for ten minutes one of them is not heard."""
    old = _gpus([0.0] * 20 + [None] * 10 + [0.0] * 30)
    found = read([*old, *_gpus([0.0] * 60, instance="i-1")], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": Reason.INSUFFICIENT_SAMPLES}


def test_an_update_that_left_minutes_unseen(read):
    """Ten minutes without either: too much of an hour, by what a metric function asks for."""
    old = _gpus([0.0] * 20, end=NOON - timedelta(minutes=40))
    found = read([*old, *_gpus([0.0] * 30, instance="i-1")], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": Reason.INSUFFICIENT_SAMPLES}


def test_single_gpus_in_coarse_buckets(read):
    """Two days; one of four GPUs is silent for the second."""
    whole, half = [0.0] * 2_880, [0.0] * 1_440
    lost = _sent(half, InstanceId="i-0", AcceleratorId="3", end=NOON - timedelta(days=1))
    found = read([*_gpus(whole, gpus=3), lost], _endpoint(enhanced_metrics=True), window=DAYS)

    assert readings(found, "gpu.utilization", DAYS) == {"v1": Reason.INSUFFICIENT_SAMPLES}


def test_a_single_gpu_above_100_percent_is_not_believed(read):
    """Sums under the name of one GPU."""
    found = read(_gpus([250.0] * 60), _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"?": Reason.SOURCE_ERROR}


def test_what_was_switched_off_is_listed_on_and_not_read(read):
    """Single GPUs were measured until yesterday; the variant as a whole is now."""
    before = [_sent([0.0] * 60, InstanceId="i-9", AcceleratorId=str(n), end=NOON - timedelta(days=1)) for n in range(4)]
    found = read([_sent([9.0] * 60), *before], _endpoint())

    assert readings(found, "gpu.utilization") == {"v1": (9.0, 60, 60)}


def test_sums_by_instance_are_not_a_second_series(read):
    """Enhanced metrics have those too."""
    found = read([_sent([9.0] * 60), _sent([9.0] * 60, InstanceId="i-0")], _endpoint(enhanced_metrics=True))

    assert readings(found, "gpu.utilization") == {"v1": (9.0, 60, 60)}


def test_how_much_is_asked_for(aws, telemetry):
    """One metric of one instance; values and counts of two; each of eight GPUs. Two calls each."""
    aws.load(EAST, [_sent([0.0] * 60), *_gpus([0.0] * 60), *_gpus([0.0] * 60, instance="i-1")])
    asked = []
    for endpoint in (_endpoint(), _two(), _two(enhanced_metrics=True)):
        before = telemetry.asked(ENDPOINT, EAST).metrics
        telemetry.attach([endpoint], need_of("gpu.utilization"), EAST)
        asked.append(telemetry.asked(ENDPOINT, EAST).metrics - before)

    assert asked == [1, 2, 8]
