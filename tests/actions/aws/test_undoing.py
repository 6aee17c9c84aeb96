"""Do then undo is before, from any state; acts that take several tries; what others changed meanwhile is theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.aws.scale_group import ScaleGroup
from actions.aws.snapshot_and_delete import SnapshotAndDelete
from actions.aws.stop_job import StopJob
from actions.aws.tag import Tag
from actions.aws.tagging import EC2
from actions.aws.volume_to_gp3 import as_fast
from engine.acting.action import ActError, Effect, Ready, Refused
from tests.actions.aws.fakes import Fake, Groups, Jobs, Tags, Volumes, target

ARN = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:3f1c:autoScalingGroupName/train"
MADE = datetime(2026, 3, 4, tzinfo=UTC)
KEYS = st.sampled_from(["owner", "team", "review", "Name"])
VALUES = st.text(min_size=1, max_size=5)


@st.composite
def sizes(draw):
    """Draw a group's minimum, desired capacity and maximum, and a size to scale to."""
    most = draw(st.integers(0, 20))
    desired = draw(st.integers(0, most))
    return draw(st.integers(0, desired)), desired, most, draw(st.integers(0, 25))


@given(sizes())
def test_a_group_of_any_size_is_undone(drawn):
    """Whatever sizes a group has, scaled and undone it has them again, and its machines; twice done is once done."""
    least, desired, most, to = drawn
    groups = Groups(ARN, least, desired, most)
    before = dict(groups.group)
    action, wanted = ScaleGroup(Fake(groups)), target("aws.autoscaling.group", ARN, parameters={"to": str(to)})
    answer = action.check(wanted)
    if isinstance(answer, Refused):
        assert (answer.settled and to == desired) or to > most
        return
    wanted = replace(wanted, inverse=answer.inverse)
    for _ in range(2):
        action.do(wanted)
        assert action.verify(wanted) is Effect.DONE
        assert groups.group["DesiredCapacity"] == to
    action.undo(wanted)
    assert action.undone(wanted) is Effect.DONE
    assert groups.group == before


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES, min_size=1), st.dictionaries(KEYS, VALUES))
def test_tags_are_put_back_and_those_of_others_left(before, written, meanwhile):
    """Undone, every tag is as it was, but for what somebody else wrote since."""
    tags = Tags(before)
    action, wanted = Tag(Fake(tags), EC2), target("aws.ec2.instance", "i-1", parameters=written)
    answer = action.check(wanted)
    if isinstance(answer, Refused):
        assert answer.settled
        return
    wanted = replace(wanted, inverse=answer.inverse)
    action.do(wanted)
    assert action.verify(wanted) is Effect.DONE
    tags.tags |= meanwhile
    action.undo(wanted)
    assert action.undone(wanted) is Effect.DONE
    changed = {key: value for key, value in meanwhile.items() if written.get(key) != value}
    assert tags.tags == {**before, **changed}


def test_a_volume_is_deleted_once_its_snapshot_is_complete():
    """Each try looks for what the one before left: one snapshot is taken, and nothing is deleted before it is there."""
    ec2 = Volumes()
    action, wanted = SnapshotAndDelete(Fake(ec2)), target("aws.ebs.volume", "vol-1")
    for _ in range(3):
        with pytest.raises(ActError) as caught:
            action.do(wanted)
        assert (caught.value.problems[0].code, caught.value.retryable) == ("act-unfinished", True)
        assert (len(ec2.snapshots), len(ec2.volumes)) == (1, 1)
        assert action.verify(wanted) is Effect.ABSENT
    ec2.snapshots[0]["State"] = "completed"
    action.do(wanted)
    assert (len(ec2.snapshots), ec2.volumes) == (1, [])
    assert action.verify(wanted) is Effect.DONE


def test_a_volume_whose_snapshot_failed_is_kept():
    """A snapshot in error is no snapshot: the volume stays, and time alone does not help."""
    ec2 = Volumes()
    action, wanted = SnapshotAndDelete(Fake(ec2)), target("aws.ebs.volume", "vol-1")
    with pytest.raises(ActError):
        action.do(wanted)
    ec2.snapshots[0]["State"] = "error"
    with pytest.raises(ActError) as caught:
        action.do(wanted)
    assert not caught.value.retryable
    assert ec2.volumes


def test_a_volume_that_was_attached_meanwhile_is_kept():
    """Somebody uses it since the snapshot was begun (T15)."""
    ec2 = Volumes()
    action, wanted = SnapshotAndDelete(Fake(ec2)), target("aws.ebs.volume", "vol-1")
    with pytest.raises(ActError):
        action.do(wanted)
    ec2.snapshots[0]["State"] = "completed"
    ec2.volumes[0] |= {"State": "in-use", "Attachments": [{"InstanceId": "i-1"}]}
    with pytest.raises(ActError, match="attached to i-1"):
        action.do(wanted)
    assert ec2.volumes


def job(**more):
    jobs = Jobs(MADE, **more)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/llama"
    return jobs, StopJob(Fake(jobs)), target("aws.sagemaker.training_job", arn, created=MADE)


def test_a_job_is_stopped_once():
    """What it has learnt since its last checkpoint is lost, which a person has to know; it does not go on."""
    jobs, action, wanted = job()
    answer = action.check(wanted)
    assert isinstance(answer, Ready)
    assert answer.caution == "it saves no checkpoints: what it has learnt is lost"
    action.do(wanted)
    action.do(wanted)
    assert jobs.stops == 1
    assert action.verify(wanted) is Effect.PENDING
    jobs.job["TrainingJobStatus"] = "Stopped"
    assert action.verify(wanted) is Effect.DONE
    with pytest.raises(ActError, match="cannot be undone"):
        action.undo(wanted)


def test_a_job_of_a_tuning_job():
    """The tuning job would start another: it is the one to act on (T20)."""
    _, action, wanted = job(TuningJobArn="arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/sweep")
    assert action.check(wanted).reason == "it belongs to sweep, which would start another: act on that"


def test_a_job_of_the_same_name():
    """Another job has its name now (T16)."""
    jobs, action, wanted = job()
    jobs.job["CreationTime"] = datetime(2026, 3, 5, tzinfo=UTC)
    assert action.check(wanted).reason == "another resource has its name now"
    with pytest.raises(ActError):
        action.do(wanted)
    assert jobs.stops == 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, (3000, 125)),
        (170, (3000, 125)),
        (171, (3000, 250)),
        (1000, (3000, 250)),
        (2000, (6000, 250)),
        (9000, (16000, 250)),
    ],
)
def test_a_gp3_volume_is_as_fast(size, expected):
    """3 operations a second and GiB beyond 1,000 GiB, to 16,000; 250 MiB/s above 170 GiB."""
    assert as_fast(size) == expected
