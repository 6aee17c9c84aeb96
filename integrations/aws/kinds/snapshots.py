"""EBS snapshots of the account's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import encryption_key
from integrations.aws.reader import Reader, attempt

CALL = "ec2:DescribeSnapshots"
IMAGES = "ec2:DescribeImages"
PAGE = 1000
GIB = 1024**3

KIND = Kind(
    name="aws.ebs.snapshot",
    title="EBS snapshot",
    classes=("storage.snapshot",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as EC2 reports it.",
            values=("pending", "completed", "error", "recoverable", "recovering"),
        ),
        Field("volume", Type.STRING, "The id of the volume it was made from, which may be gone."),
        Field("volume.size_gib", Type.NUMBER, "Size of that volume.", unit="GiB"),
        Field(
            "storage.full_gib",
            Type.NUMBER,
            "Its blocks as if it stood alone; it is charged for those that no earlier snapshot holds.",
            unit="GiB",
            optional=True,
        ),
        Field("tier", Type.STRING, "The storage tier.", values=("standard", "archive")),
        Field("image", Type.STRING, "The image it belongs to, which has to go first.", group="image", optional=True),
        Field("public_access", Type.BOOL, "Whether everybody may restore it.", group="public_access"),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted."),
        encryption_key(),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the snapshots of a region, page by page."""
    public: set[str] | Unknown = set()
    images: Mapping[str, str] | Unknown = {}
    for number, page in enumerate(reader.pages("ec2", "describe_snapshots", "Snapshots", PAGE, OwnerIds=["self"])):
        entries = reader.sound(CALL, page, "SnapshotId")
        if number == 0 and entries:
            public = attempt(CALL, lambda: _public(reader)) if reader.wants("public_access") else set()
            images = attempt(IMAGES, lambda: _images(reader)) if reader.wants("image") else {}
        yield reader.made(CALL, partial(_snapshot, reader, public, images), entries)


def _public(reader: Reader) -> set[str]:
    """Return the ids of the account's snapshots that everybody may restore."""
    asked: Mapping[str, Any] = {"OwnerIds": ["self"], "RestorableByUserIds": ["all"]}
    pages = reader.pages("ec2", "describe_snapshots", "Snapshots", PAGE, **asked)
    return {str(entry["SnapshotId"]) for page in pages for entry in page}


def _images(reader: Reader) -> Mapping[str, str]:
    """Return, by snapshot, the image of the account that stands on it."""
    pages = reader.pages("ec2", "describe_images", "Images", PAGE, Owners=["self"])
    return {
        str(snapshot): str(image["ImageId"])
        for page in pages
        for image in page
        for device in image["BlockDeviceMappings"]
        if (snapshot := at(device, "Ebs.SnapshotId"))
    }


def _snapshot(
    reader: Reader, public: set[str] | Unknown, images: Mapping[str, str] | Unknown, entry: Mapping[str, Any]
) -> Resource:
    draft = Draft(reader, entry["SnapshotId"])
    draft.read(
        entry,
        {
            "state": "State",
            "volume": "VolumeId",
            "volume.size_gib": "VolumeSize",
            "encryption.at_rest": "Encrypted",
            "created": "StartTime",
        },
    )
    draft.put("tier", entry.get("StorageTier") or "standard")
    size = entry.get("FullSnapshotSizeInBytes")
    draft.put("storage.full_gib", size / GIB if isinstance(size, int) and not isinstance(size, bool) else size)
    if isinstance(public, Unknown):
        draft.gaps["public_access"] = public
    elif reader.wants("public_access"):
        draft.put("public_access", entry["SnapshotId"] in public)
    if isinstance(images, Unknown):
        draft.gaps["image"] = images
    else:
        draft.put("image", images.get(entry["SnapshotId"]))
    if draft.fields["encryption.at_rest"] is True:
        # Without a key in the answer, nobody can say whose it is.
        draft.key(entry.get("KmsKeyId"), none=None)
    draft.tagged(entry.get("Tags"))
    draft.name = draft.tags.get("Name", "")
    draft.usage = _usage(draft)
    return draft.resource()


def _usage(draft: Draft) -> Unknown:
    """Return why its price is not known, with the most it can hold."""
    most = draft.fields.get("storage.full_gib", draft.fields["volume.size_gib"])
    bound = f"; at most {most:.4g} GiB" if isinstance(most, int | float) else ""
    detail = f"a snapshot is charged for the blocks that it alone holds, which EC2 does not tell{bound}"
    return Unknown(Reason.NOT_COLLECTED, detail)


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, IMAGES, "kms:DescribeKey"))
