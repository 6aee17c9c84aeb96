"""Batch environments, queues and jobs, as recorded."""

from datetime import UTC, datetime, timedelta

from tests.integrations.aws.replayed import replay


def test_a_managed_environment():
    """It holds 96 of 256 vCPUs now."""
    gpu = replay("aws.batch.compute_environment").resources["gpu"]
    assert gpu.fields["running"] is True
    assert gpu.fields["vcpus.max"] == 256
    assert gpu.fields["cluster"] == "batch_gpu"
    assert gpu.fields["capacity"] == "SPOT"


def test_an_environment_of_ones_own():
    """Batch neither starts nor counts its machines."""
    own = replay("aws.batch.compute_environment").resources["own"]
    assert own.fields["managed"] is False
    assert own.fields["running"] is False
    assert "vcpus.max" not in own.fields


def test_a_queue():
    """Its environments stand in the order in which they are tried."""
    training = replay("aws.batch.queue").resources["training"]
    assert training.fields["environments"] == ("gpu", "own")
    assert training.fields["limits_waiting"] is True
    assert training.fields["fair_share"] is False


def test_a_job_on_several_nodes():
    """Four nodes with eight GPUs and 96 vCPUs each."""
    job = replay("aws.batch.job").resources["finetune"]
    assert job.fields["accelerator.count"] == 32
    assert job.fields["vcpus"] == 384
    assert job.fields["max_runtime"] == timedelta(days=1)
    assert job.fields["started"] == datetime(2026, 11, 23, tzinfo=UTC)
    assert job.fields["attempts"] == 3
    assert job.fields["queue"] == "training"


def test_an_array_of_jobs():
    """Fifty jobs without a GPU; nothing ends them."""
    job = replay("aws.batch.job").resources["sweep"]
    assert job.fields["array_size"] == 50
    assert job.fields["accelerator.count"] == 0
    assert "max_runtime" not in job.fields
