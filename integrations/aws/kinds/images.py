"""Machine images (AMIs) of the account's own. Their snapshots are what is charged for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, moment
from integrations.aws.reader import Reader

CALL = "ec2:DescribeImages"
PAGE = 1000

KIND = Kind(
    name="aws.ec2.image",
    title="Machine image (AMI)",
    classes=("compute.image",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EC2 reports it.",
            values=("pending", "available", "invalid", "deregistered", "transient", "failed", "error", "disabled"),
        ),
        Field("architecture", Type.STRING, "The processor it is for."),
        Field("platform", Type.STRING, "The operating system, in EC2's words.", optional=True),
        Field("last_launched", Type.TIMESTAMP, "When an instance was last started from it.", optional=True),
        Field("deprecated", Type.TIMESTAMP, "From when it is deprecated.", optional=True),
        Field("snapshots", Type.STRINGS, "The ids of the snapshots it stands on."),
        Field("storage.size_gib", Type.NUMBER, "Size of all its volumes together.", unit="GiB"),
        Field("public_access", Type.BOOL, "Whether everybody may use it."),
        Field("encryption.at_rest", Type.BOOL, "Whether all its volumes are encrypted."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the images of a region, page by page, with those that are deprecated."""
    asked: Mapping[str, Any] = {"Owners": ["self"], "IncludeDeprecated": True}
    for page in reader.pages("ec2", "describe_images", "Images", PAGE, **asked):
        yield reader.made(CALL, partial(_image, reader), reader.sound(CALL, page, "ImageId"))


def _image(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["ImageId"], entry.get("Name") or "")
    draft.read(
        entry,
        {
            "state": "State",
            "architecture": "Architecture",
            "platform": "PlatformDetails",
            "public_access": "Public",
        },
    )
    draft.put("created", moment(entry.get("CreationDate")))
    draft.put("last_launched", moment(entry.get("LastLaunchedTime")))
    draft.put("deprecated", moment(entry.get("DeprecationTime")))
    disks = [d["Ebs"] for d in entry["BlockDeviceMappings"] if "Ebs" in d]
    draft.put("snapshots", [d["SnapshotId"] for d in disks if "SnapshotId" in d])
    draft.put("storage.size_gib", sum(d["VolumeSize"] for d in disks))
    draft.put("encryption.at_rest", _encrypted([d.get("Encrypted") for d in disks]))
    draft.tagged(entry.get("Tags"))
    return draft.resource()


def _encrypted(disks: list[object]) -> object:
    """Return whether all disks are encrypted: one that is not settles it, one that is not known does not."""
    if False in disks:
        return False
    return True if all(disk is True for disk in disks) else None


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL,))
