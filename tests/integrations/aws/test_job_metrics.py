"""The hardware metrics of SageMaker jobs: each host by itself, and none forgotten."""

from datetime import timedelta

import pytest

from bursar.demo.process import Series as Planted
from engine.model import Resource
from engine.values import Reason, Unknown
from tests.integrations.aws.measuring import ACCOUNT, EAST, HOUR, LIST, NOON, READ, need_of, readings

TRAINING, PROCESSING = "aws.sagemaker.training_job", "aws.sagemaker.processing_job"
NAMESPACES = {TRAINING: "/aws/sagemaker/TrainingJobs", PROCESSING: "/aws/sagemaker/ProcessingJobs"}


def _job(hosts=2, gpus=8, kind=TRAINING, gaps=None, **fields):
    named = {name.replace("__", "."): value for name, value in fields.items()}
    known = {
        "running": True,
        "instance.type": "ml.p4d.24xlarge",
        "instance.count": hosts,
        "accelerator.count": gpus * hosts,
        "accelerator.devices": gpus * hosts,
        "vcpus": 96 * hosts,
    }
    arn = f"arn:aws:sagemaker:{EAST}:{ACCOUNT}:training-job/llama"
    return Resource(kind, arn, ACCOUNT, EAST, "llama", fields={**known, **named}, gaps=gaps or {})


def _host(values, number=1, metric="GPUUtilization", job="llama", kind=TRAINING):
    dimensions = {"Host": f"{job}/algo-{number}"}
    return Planted(NAMESPACES[kind], metric, dimensions, NOON - timedelta(minutes=len(values)), 60, values)


@pytest.fixture
def read(aws, telemetry):
    """Return a function that loads series and returns what is read of a job."""

    def attach(series, job, *metrics, window=HOUR):
        aws.load(EAST, series)
        (found,) = telemetry.attach([job], need_of(*(metrics or ("gpu.utilization",)), window=window), EAST)
        return found

    return attach


@pytest.mark.parametrize("kind", NAMESPACES)
def test_each_host_is_a_device(aws, read, kind):
    """The sum over eight GPUs is what one of them does at most. Hosts are known by name, so nothing is listed."""
    found = read([_host([720.0] * 60, kind=kind), _host([4.0] * 60, 2, kind=kind)], _job(kind=kind))

    assert readings(found, "gpu.utilization") == {"algo-1": (100.0, 60, 60), "algo-2": (4.0, 60, 60)}
    assert aws.calls() == [READ]


def test_processors_are_told_by_their_mean(read):
    """4,800% of 96 vCPUs."""
    series = [_host([4_800.0] * 60, n, "CPUUtilization") for n in (1, 2)]

    assert readings(read(series, _job(), "cpu.utilization"), "cpu.utilization")["algo-2"] == (50.0, 60, 60)


def test_hosts_that_are_silent_are_missed(read):
    """Two of four send, and nobody knows what the others do."""
    found = read([_host([0.0] * 60, n) for n in (1, 3)], _job(hosts=4))

    silent = Reason.INSUFFICIENT_SAMPLES
    rest = (0.0, 60, 60)
    assert readings(found, "gpu.utilization") == {"algo-1": rest, "algo-3": rest, "?0": silent, "?1": silent}


def test_a_host_that_died_in_the_middle(read):
    """Its last sample is half an hour old."""
    died = [0.0] * 30 + [None] * 30
    found = read([_host([0.0] * 60), _host(died, 2)], _job())

    assert readings(found, "gpu.utilization") == {"algo-1": (0.0, 60, 60), "algo-2": Reason.STALE}


def test_no_metrics_at_all(read):
    """A container that has not started sends nothing."""
    assert set(readings(read([], _job()), "gpu.utilization").values()) == {Reason.NOT_COLLECTED}


def test_a_job_whose_name_begins_alike_is_another_one(read):
    """`llama` is not `llama-2`, and `algo-1` is not `algo-10`."""
    found = read([_host([90.0] * 60, job="llama-2"), _host([90.0] * 60, number=10)], _job(hosts=1))

    assert set(readings(found, "gpu.utilization").values()) == {Reason.NOT_COLLECTED}


@pytest.mark.parametrize(
    ("fields", "gaps", "reason"),
    [
        ({"instance__count": None}, {"details": Unknown(Reason.DENIED, "no")}, Reason.DENIED),
        ({"accelerator__devices": None}, {"hardware": Unknown(Reason.DENIED, "no")}, Reason.DENIED),
        ({"instance__type": None}, {}, Reason.NOT_COLLECTED),
        ({"instance__count": Unknown(Reason.NULL)}, {}, Reason.NULL),
    ],
)
def test_what_is_not_known_of_the_hosts_leaves_them_unknown(read, fields, gaps, reason):
    """How many there are, what they have, or that they are alike."""
    found = read([_host([0.0] * 60)], _job(hosts=1, gaps=gaps, **fields))

    assert found.metrics == {}
    assert found.gaps["metrics.compute"].reason is reason


def test_more_than_eight_gpus_can_do_is_not_believed(read):
    """Above 800%, and a tenth."""
    found = read([_host([0.0] * 59 + [900.0])], _job(hosts=1))

    assert readings(found, "gpu.utilization") == {"?": Reason.SOURCE_ERROR}


def test_a_denied_call_is_no_silence(aws, read):
    """The reason is told."""
    aws.faults({READ: {"denied": True}})

    assert set(readings(read([_host([0.0] * 60)], _job()), "gpu.utilization").values()) == {Reason.DENIED}


def test_nothing_is_asked_of_a_job_that_waits_or_has_no_gpu(aws, telemetry):
    """Neither lists nor samples."""
    jobs = [_job(running=False), _job(gpus=0)]

    telemetry.attach(jobs, need_of("gpu.utilization"), EAST)

    assert aws.calls() == []
    assert LIST not in aws.calls()


def test_how_much_is_asked_for(aws, telemetry):
    """One metric for each host: 64 hosts of two jobs are one call."""
    telemetry.attach([_job(hosts=32), _job(hosts=32, kind=TRAINING)], need_of("gpu.utilization"), EAST)

    # Both are the same job here, so what they want alike is asked for once.
    assert telemetry.asked(TRAINING, EAST).metrics == 32
    assert aws.calls() == [READ]
