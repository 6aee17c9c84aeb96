"""SageMaker training, processing and tuning jobs, as recorded."""

from datetime import timedelta
from decimal import Decimal

from engine.model import Usage
from tests.integrations.aws.replayed import only, replay

TRAINING = "aws.sagemaker.training_job"


def test_a_spot_training_job():
    """Four machines with eight GPUs each; their NVMe disks are encrypted by hardware and take no key."""
    llama = replay(TRAINING).resources["llama"]
    assert llama.fields["accelerator.count"] == 32
    assert llama.fields["accelerator.model"] == "A100"
    assert llama.fields["encryption.at_rest"] is True
    assert llama.fields["encryption.key"] == "aws_owned"
    assert llama.fields["encryption.output"] is True
    assert llama.fields["encryption.in_transit"] is True
    assert llama.fields["tuning_job"] == "search"
    assert llama.fields["warm_pool"] == timedelta(minutes=30)
    assert llama.fields["checkpointing"] is True
    assert llama.usage == (
        Usage("aws.sagemaker.training.spot:ml.p4d.24xlarge", Decimal(4), "hour"),
        Usage("aws.sagemaker.training.storage", Decimal(2000), "GiB-month", "storage"),
    )


def test_a_training_job_that_waits_for_machines():
    """Nothing is charged yet; one instance has no traffic to encrypt."""
    small = replay(TRAINING).resources["small"]
    assert small.fields["running"] is False
    assert small.fields["encryption.in_transit"] is True
    assert small.fields["encryption.key"] == "customer"
    assert small.fields["spot"] is False
    assert small.usage == ()


def test_jobs_are_described_only_if_needed():
    """A policy about tags reads tags."""
    reading = replay(TRAINING, only(TRAINING, "tags"))
    assert set(reading.calls) == {"sagemaker:ListTrainingJobs", "sagemaker:ListTags"}


def test_processing_jobs():
    """Two instances without encrypted traffic between them; one that is being stopped is charged for to the end."""
    jobs = replay("aws.sagemaker.processing_job").resources
    assert jobs["embed"].fields["encryption.in_transit"] is False
    assert jobs["embed"].fields["encryption.at_rest"] is True
    assert jobs["embed"].fields["max_runtime"] == timedelta(hours=2)
    assert jobs["embed"].usage == (
        Usage("aws.sagemaker.processing:ml.g5.xlarge", Decimal(2), "hour"),
        Usage("aws.sagemaker.processing.storage", Decimal(200), "GiB-month", "storage"),
    )
    assert jobs["clean"].fields["running"] is True
    assert jobs["clean"].fields["encryption.key"] == "customer"


def test_tuning_jobs():
    """Of two definitions one is not on spot, so not all are; without a limit none is told."""
    jobs = replay("aws.sagemaker.tuning_job").resources
    assert jobs["search"].fields["spot"] is True
    assert jobs["search"].fields["early_stopping"] is True
    assert jobs["search"].fields["jobs.max"] == 50
    assert jobs["two"].fields["spot"] is False
    assert jobs["two"].fields["instance.types"] == ("ml.g5.xlarge", "ml.m5.xlarge")
    assert "jobs.max" not in jobs["two"].fields
