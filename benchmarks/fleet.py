"""
A fleet of instances that both programs are measured on, made the same way every time.

Only the standard library is used: Cloud Custodian's own environment imports this module too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

ACCOUNT, REGION = "123456789012", "us-east-1"
TYPES = ("m7i.large", "c7i.2xlarge", "g5.xlarge", "g6.12xlarge", "p4d.24xlarge", "p5.48xlarge")
GPUS = (0, 0, 1, 4, 8, 8)
TEAMS = 40
STOPPED = 10
"""One in so many is stopped."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One instance, as either program is to see it."""

    number: int
    type: str
    gpus: int
    state: str
    days: int
    """Since it was created, and half a day more, so that nobody is near a threshold."""
    tags: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        return f"i-{self.number:017x}"

    def created(self, now: datetime) -> datetime:
        return now - timedelta(days=self.days, hours=12)


def machines(count: int, at_fault: int) -> Iterator[Machine]:
    """
    Yield `count` instances of which `at_fault`, spread evenly, break the policies.

    Of those every other one lacks its owner, and the rest are of a team that is no more.
    """
    for n in range(count):
        fault = n * at_fault // count != (n - 1) * at_fault // count
        which = n % len(TYPES)
        lost = fault and n * at_fault // count % 2
        tags = {
            "owner": f"person-{n % 8}@example.com",
            "team": "former" if fault and not lost else f"team-{n % TEAMS}",
            "environment": ("production", "staging", "dev", "sandbox")[n % 4],
        }
        if lost:
            del tags["owner"]
        state = "stopped" if n % STOPPED == STOPPED - 1 else "running"
        yield Machine(n, TYPES[which], GPUS[which], state, n % 300, tuple(tags.items()))


def described(machine: Machine, now: datetime) -> dict[str, Any]:
    """Return what DescribeInstances tells of `machine`, as the SDK hands it over."""
    n, created = machine.number, machine.created(now)
    network, address = f"eni-{n:017x}", f"10.{n // 65536 % 256}.{n // 256 % 256}.{n % 256}"
    group = {"GroupId": "sg-0c0ffee0", "GroupName": "default"}
    attachment = {"AttachTime": created, "AttachmentId": f"eni-attach-{n:017x}", "DeleteOnTermination": True}
    return {
        "AmiLaunchIndex": 0,
        "ImageId": "ami-0c0ffee0",
        "InstanceId": machine.id,
        "InstanceType": machine.type,
        "KeyName": f"key-{n % 20}",
        "LaunchTime": created,
        "Monitoring": {"State": "disabled"},
        "Placement": {"AvailabilityZone": f"{REGION}a", "GroupName": "", "Tenancy": "default"},
        "PrivateDnsName": f"ip-{address.replace('.', '-')}.ec2.internal",
        "PrivateIpAddress": address,
        "PublicDnsName": "",
        "State": {"Code": 16 if machine.state == "running" else 80, "Name": machine.state},
        "SubnetId": f"subnet-{n % 6:08x}",
        "VpcId": "vpc-0c0ffee0",
        "Architecture": "x86_64",
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/sda1",
                "Ebs": {
                    "AttachTime": created,
                    "DeleteOnTermination": True,
                    "Status": "attached",
                    "VolumeId": f"vol-{n:017x}",
                },
            }
        ],
        "ClientToken": f"token-{n:032x}",
        "EbsOptimized": False,
        "EnaSupport": True,
        "Hypervisor": "xen",
        "NetworkInterfaces": [
            {
                "Attachment": attachment,
                "Description": "",
                "Groups": [dict(group)],
                "MacAddress": f"1b:2b:3c:{n % 256:02x}:{n // 256 % 256:02x}:{n // 65536 % 256:02x}",
                "NetworkInterfaceId": network,
                "OwnerId": ACCOUNT,
                "PrivateIpAddress": address,
                "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}],
                "Status": "in-use",
                "SubnetId": f"subnet-{n % 6:08x}",
                "VpcId": "vpc-0c0ffee0",
            }
        ],
        "RootDeviceName": "/dev/sda1",
        "RootDeviceType": "ebs",
        "SecurityGroups": [group],
        "SourceDestCheck": True,
        "Tags": [{"Key": key, "Value": value} for key, value in machine.tags],
        "VirtualizationType": "hvm",
        "CpuOptions": {"CoreCount": 4, "ThreadsPerCore": 2},
        "HibernationOptions": {"Configured": False},
        "MetadataOptions": {"State": "applied", "HttpTokens": "required", "HttpEndpoint": "enabled"},
        "EnclaveOptions": {"Enabled": False},
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
    }


def moment(text: str) -> datetime:
    """Return the time that the driver handed to a program."""
    return datetime.fromisoformat(text).astimezone(UTC)
