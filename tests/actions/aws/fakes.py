"""Services made by hand, for what the emulated account does not get into: half-done snapshots, jobs that go on."""

from __future__ import annotations

from typing import Any

from engine.acting.action import Target
from engine.model import Resource


class RefusalError(Exception):
    """What the SDK raises where a service refuses a call."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}


class Fake:
    """A session whose every client is `service`."""

    def __init__(self, service: Any) -> None:
        self.service = service

    def __call__(self, _account: str) -> Fake:
        return self

    def client(self, _service: str, _region: str) -> Any:
        return self.service


def target(kind: str, id_: str, *, parameters=None, inverse=None, **fields: Any) -> Target:
    """Return a resource of the kind with these fields, to be acted on."""
    resource = Resource(kind, id_, "123456789012", "us-east-1", name=id_, fields=fields)
    return Target(resource, parameters or {}, inverse or {}, "bursar-1")


class Groups:
    """Auto Scaling, with one group."""

    def __init__(self, arn: str, least: int, desired: int, most: int) -> None:
        self.group = {
            "AutoScalingGroupARN": arn,
            "AutoScalingGroupName": "train",
            "MinSize": least,
            "DesiredCapacity": desired,
            "MaxSize": most,
            "Instances": [{"InstanceId": f"i-{n}"} for n in range(desired)],
        }

    def describe_auto_scaling_groups(self, AutoScalingGroupNames):  # noqa: N803
        return {"AutoScalingGroups": [dict(self.group)]}

    def describe_policies(self, AutoScalingGroupName):  # noqa: N803
        return {"ScalingPolicies": []}

    def update_auto_scaling_group(self, AutoScalingGroupName, MinSize, DesiredCapacity):  # noqa: N803
        if not MinSize <= DesiredCapacity <= self.group["MaxSize"]:
            raise RefusalError("ValidationError", "Desired capacity must be between the minimum and the maximum")
        machines = [{"InstanceId": f"i-{n}"} for n in range(DesiredCapacity)]
        self.group |= {"MinSize": MinSize, "DesiredCapacity": DesiredCapacity, "Instances": machines}


class Tags:
    """EC2's tags of one resource."""

    def __init__(self, tags) -> None:
        self.tags = dict(tags)

    def describe_tags(self, Filters):  # noqa: N803
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]}

    def create_tags(self, Resources, Tags):  # noqa: N803
        self.tags |= {tag["Key"]: tag["Value"] for tag in Tags}

    def delete_tags(self, Resources, Tags):  # noqa: N803
        for tag in Tags:
            self.tags.pop(tag["Key"], None)


class Volumes:
    """EC2 with one detached volume, whose snapshot takes as long as the test says."""

    def __init__(self) -> None:
        self.volumes = [{"VolumeId": "vol-1", "State": "available", "Attachments": [], "Tags": []}]
        self.snapshots: list[dict[str, Any]] = []

    def describe_volumes(self, VolumeIds):  # noqa: N803
        if not self.volumes:
            raise RefusalError("InvalidVolume.NotFound")
        return {"Volumes": self.volumes}

    def describe_snapshots(self, OwnerIds, Filters):  # noqa: N803
        token = next(one["Values"][0] for one in Filters if one["Name"] == "tag:bursar/token")
        return {"Snapshots": [one for one in self.snapshots if one["token"] == token]}

    def create_snapshot(self, VolumeId, Description, TagSpecifications):  # noqa: N803
        token = next(tag["Value"] for tag in TagSpecifications[0]["Tags"] if tag["Key"] == "bursar/token")
        self.snapshots.append({"SnapshotId": f"snap-{len(self.snapshots)}", "State": "pending", "token": token})
        return self.snapshots[-1]

    def delete_volume(self, VolumeId):  # noqa: N803
        assert self.snapshots, "there is no snapshot"
        assert self.snapshots[-1]["State"] == "completed", "the snapshot is not complete"
        self.volumes.clear()


class Jobs:
    """SageMaker with one training job."""

    def __init__(self, created, **more: Any) -> None:
        self.job = {"TrainingJobName": "llama", "TrainingJobStatus": "InProgress", "CreationTime": created, **more}
        self.stops = 0

    def describe_training_job(self, TrainingJobName):  # noqa: N803
        return dict(self.job)

    def stop_training_job(self, TrainingJobName):  # noqa: N803
        self.stops += 1
        self.job["TrainingJobStatus"] = "Stopping"
