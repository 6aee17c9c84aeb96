"""EC2 instances as they are before an act: who holds them, what forbids it, what would be lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actions.aws.calls import calls, found
from engine.acting.action import Target

Entry = Mapping[str, Any]
KIND = "aws.ec2.instance"
GONE = ("terminated", "shutting-down")
HOLDERS = (
    ("eks:nodegroup-name", "the EKS node group {}"),
    ("karpenter.sh/nodepool", "the Karpenter node pool {}"),
    ("aws:eks:cluster-name", "the EKS cluster {}"),
    ("eks:cluster-name", "the EKS cluster {}"),
    ("aws:batch:compute-environment", "the Batch environment {}"),
    ("AWSBatchServiceTag", "the Batch environment {}"),
    ("AmazonECSManaged", "an ECS capacity provider"),
    ("sagemaker:cluster-name", "the HyperPod cluster {}"),
    ("aws:elasticmapreduce:job-flow-id", "the EMR cluster {}"),
    ("parallelcluster:cluster-name", "the ParallelCluster cluster {}"),
    ("aws:ec2spot:fleet-request-id", "the Spot Fleet {}"),
    ("aws:ec2:fleet-id", "the EC2 Fleet {}"),
    ("aws:autoscaling:groupName", "the Auto Scaling group {}"),
)
"""Tags of what would replace the machine or breaks without it; the nearest owner first."""
KUBERNETES = "kubernetes.io/cluster/"
READS = frozenset(
    {
        "autoscaling:DescribeAutoScalingInstances",
        "ec2:DescribeAddresses",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeSpotInstanceRequests",
    }
)
"""What it takes to look at one."""


def machine(ec2: Any, target: Target) -> Entry | None:
    """Return the instance as EC2 describes it now; None where it is gone. Its id is never given again."""
    answer = found(lambda: ec2.describe_instances(InstanceIds=[target.resource.id]))
    entries = [entry for one in (answer or {}).get("Reservations", ()) for entry in one["Instances"]]
    return next((entry for entry in entries if state_of(entry) not in GONE), None)


def state_of(entry: Entry) -> str:
    return str(entry["State"]["Name"])


def started(entry: Entry) -> str:
    """Return when it was last started: it changes with every start."""
    return str(entry.get("LaunchTime", ""))


def holder_of(entry: Entry, target: Target, sessions: Any) -> str:
    """Return who holds the machine, for people; nothing where nobody does. A service says so itself, or by a tag."""
    operator = entry.get("Operator") or {}
    if operator.get("Managed"):
        return str(operator.get("Principal") or "an AWS service")
    tags = {tag["Key"]: tag.get("Value", "") for tag in entry.get("Tags", ())}
    named = next((words.format(tags[key]) for key, words in HOLDERS if key in tags), "")
    if named:
        return named
    cluster = next((key.removeprefix(KUBERNETES) for key in tags if key.startswith(KUBERNETES)), "")
    if cluster:
        return f"the Kubernetes cluster {cluster}"
    scaling = calls(sessions, target, "autoscaling")
    members = scaling.describe_auto_scaling_instances(InstanceIds=[entry["InstanceId"]])["AutoScalingInstances"]
    return f"the Auto Scaling group {members[0]['AutoScalingGroupName']}" if members else ""


def protected(ec2: Any, entry: Entry, attribute: str) -> bool:
    """Return whether `disableApiStop` or `disableApiTermination` is on."""
    answer = ec2.describe_instance_attribute(InstanceId=entry["InstanceId"], Attribute=attribute)
    return bool(answer.get(attribute[:1].upper() + attribute[1:], {}).get("Value"))


def spot_request(ec2: Any, entry: Entry) -> str:
    """Return `persistent` or `one-time` of a Spot instance; empty where it is none."""
    if entry.get("InstanceLifecycle") != "spot":
        return ""
    id_ = entry.get("SpotInstanceRequestId")
    answer = found(lambda: ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[id_])) if id_ else None
    requests = (answer or {}).get("SpotInstanceRequests") or ()
    return str(requests[0].get("Type") or "one-time") if requests else "one-time"


def paid_anyway(entry: Entry) -> str:
    """Return why nothing is saved by ending it; nothing where something is."""
    if entry.get("InstanceLifecycle") == "capacity-block":
        return "its capacity block is paid in advance: nothing would be saved"
    return ""


def still_paid(entry: Entry) -> Iterator[str]:
    """Yield what goes on being charged for without the machine."""
    if entry.get("CapacityReservationId"):
        yield f"the capacity reservation {entry['CapacityReservationId']} is charged for in any case"
    if entry.get("Placement", {}).get("Tenancy") == "host":
        yield "its dedicated host is charged for in any case"


def local_data(ec2: Any, entry: Entry) -> Iterator[str]:
    """Yield what is on local disks, which do not outlive a stop."""
    described = ec2.describe_instance_types(InstanceTypes=[entry["InstanceType"]])["InstanceTypes"]
    storage = described[0].get("InstanceStorageInfo") if described else None
    if not described:
        yield f"it is not known whether {entry['InstanceType']} has local disks, which would be erased"
    elif storage:
        size = storage.get("TotalSizeInGB")
        yield f"{size:,} GB of instance-store data" if size else "its instance-store data"


def elastic_addresses(ec2: Any, entry: Entry) -> Iterator[str]:
    """Yield the Elastic IPs that would be left without a machine, and charged for."""
    filters = [{"Name": "instance-id", "Values": [entry["InstanceId"]]}]
    for address in ec2.describe_addresses(Filters=filters)["Addresses"]:
        yield f"the Elastic IP {address['PublicIp']} stays and is charged for"
