"""Create the demo's machines and disks through the EC2 API, and say which ids they got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bursar.demo.blueprint import INSTANCE, VOLUME, Planted
from bursar.demo.estate import Machine, Volume
from bursar.demo.process import Times

IMAGE = "ami-0c0ffee0c0ffee000"
ROOT = "/dev/sda1"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where things are planted: clients of one region by service name, a customer key, and when it is."""

    region: str
    clients: Mapping[str, Any]
    key: str
    """The ARN of the company's own KMS key in the region."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Grown:
    """One planted resource with its dates; the key of `Server.backdate` and the host name of machines."""

    planted: Planted
    key: str
    times: Times
    host: str = ""


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form most AWS operations take."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def plant_machines(ground: Ground, machines: Sequence[Machine]) -> list[Grown]:
    """Launch the machines with their root volumes, and stop those that are not to run."""
    ec2 = ground.clients["ec2"]
    launched = {m.name: _launch(ec2, ground, m) for m in machines}
    stopped = [launched[m.name]["InstanceId"] for m in machines if m.story == "stopped"]
    if stopped:
        ec2.stop_instances(InstanceIds=stopped)
    roots = {
        attachment["InstanceId"]: volume["VolumeId"]
        for volume in ec2.describe_volumes()["Volumes"]
        for attachment in volume["Attachments"]
        if attachment["Device"] == ROOT
    }
    found: list[Grown] = []
    for machine in machines:
        instance = launched[machine.name]
        found.append(_grown_machine(ground, machine, instance))
        found.append(_grown_root(ground, machine, roots[instance["InstanceId"]]))
    return found


def plant_volumes(ground: Ground, volumes: Sequence[Volume], machines: Mapping[str, str]) -> list[Grown]:
    """Create the volumes and attach those that belong to a machine; `machines` gives ids by name."""
    ec2 = ground.clients["ec2"]
    found = []
    for volume in volumes:
        tags = {"Name": volume.name, **volume.tags}
        asked: dict[str, Any] = {
            "AvailabilityZone": f"{ground.region}a",
            "Size": volume.size,
            "VolumeType": volume.type,
            "Encrypted": volume.encrypted,
            "TagSpecifications": [{"ResourceType": "volume", "Tags": pairs(tags)}],
        }
        if volume.iops:
            asked["Iops"] = volume.iops
        if volume.throughput:
            asked["Throughput"] = volume.throughput
        made = ec2.create_volume(**asked)["VolumeId"]
        if volume.on:
            ec2.attach_volume(VolumeId=made, InstanceId=machines[volume.on], Device="/dev/sdf")
        planted = Planted(VOLUME, ground.region, made, volume.name, volume.story, tags, volume.type, volume.encrypted)
        found.append(Grown(planted, made, Times(ground.now - timedelta(days=volume.age))))
    return found


def _launch(ec2: Any, ground: Ground, machine: Machine) -> Mapping[str, Any]:
    disk: dict[str, Any] = {
        "VolumeSize": machine.disk,
        "VolumeType": "gp3",
        "Encrypted": machine.encrypted,
        "DeleteOnTermination": True,
    }
    if machine.encrypted:
        disk["KmsKeyId"] = ground.key
    tags = _tags(machine)
    root = {"Name": f"{machine.name}-root", **machine.tags}
    asked: dict[str, Any] = {
        "ImageId": IMAGE,
        "InstanceType": machine.type,
        "MinCount": 1,
        "MaxCount": 1,
        "Placement": {"AvailabilityZone": f"{ground.region}a"},
        "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": machine.public}],
        "MetadataOptions": {"HttpTokens": "required" if machine.imdsv2 else "optional"},
        "BlockDeviceMappings": [{"DeviceName": ROOT, "Ebs": disk}],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": pairs(tags)},
            {"ResourceType": "volume", "Tags": pairs(root)},
        ],
    }
    if machine.spot:
        asked["InstanceMarketOptions"] = {"MarketType": "spot"}
    instance: Mapping[str, Any] = ec2.run_instances(**asked)["Instances"][0]
    return instance


def _tags(machine: Machine) -> Mapping[str, str]:
    group = {"aws:autoscaling:groupName": machine.group} if machine.group else {}
    return {"Name": machine.name, **machine.tags, **group}


def _grown_machine(ground: Ground, machine: Machine, instance: Mapping[str, Any]) -> Grown:
    made = instance["InstanceId"]
    planted = Planted(
        INSTANCE,
        ground.region,
        made,
        machine.name,
        machine.story,
        _tags(machine),
        machine.type,
        machine.encrypted,
    )
    started = ground.now - timedelta(hours=machine.started) if machine.started else None
    times = Times(ground.now - timedelta(days=machine.age), started)
    return Grown(planted, made, times, instance["PrivateDnsName"])


def _grown_root(ground: Ground, machine: Machine, volume: str) -> Grown:
    name = f"{machine.name}-root"
    planted = Planted(
        VOLUME,
        ground.region,
        volume,
        name,
        "attached",
        {"Name": name, **machine.tags},
        "gp3",
        machine.encrypted,
    )
    return Grown(planted, volume, Times(ground.now - timedelta(days=machine.age)))
