"""SageMaker Studio spaces: disks that stay when the app on them is shut down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, stored
from integrations.aws.kinds.sagemaker_parts import PAGE, TAGS, ask_sagemaker_tags
from integrations.aws.kinds.studio_domains import STATES
from integrations.aws.reader import Reader

CALL = "sagemaker:ListSpaces"

KIND = Kind(
    name="aws.sagemaker.space",
    title="SageMaker Studio space",
    classes=("storage.workspace",),
    fields=(
        Field("state", Type.STRING, "State as SageMaker reports it.", values=STATES),
        Field("domain", Type.STRING, "The id of its domain."),
        Field("app_type", Type.STRING, "What it is for, such as `JupyterLab`.", optional=True),
        Field("user", Type.STRING, "The profile of whom it belongs to.", optional=True),
        Field("shared", Type.BOOL, "Whether several users share it."),
        Field("storage.size_gib", Type.NUMBER, "Size of its disk.", unit="GiB", optional=True),
        Field("modified", Type.TIMESTAMP, "When it was last changed."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the spaces of a region, page by page."""
    for page in reader.pages("sagemaker", "list_spaces", "Spaces", PAGE):
        yield reader.each(CALL, partial(_space, reader), reader.sound(CALL, page, "DomainId", "SpaceName"))


def _space(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    partition = reader.client("sagemaker").meta.partition
    place = f"{entry['DomainId']}/{entry['SpaceName']}"
    arn = f"arn:{partition}:sagemaker:{reader.region}:{reader.account}:space/{place}"
    draft = Draft(reader, arn, entry["SpaceName"])
    draft.read(
        entry,
        {
            "state": "Status",
            "domain": "DomainId",
            "app_type": "SpaceSettingsSummary.AppType",
            "user": "OwnershipSettingsSummary.OwnerUserProfileName",
            "storage.size_gib": "SpaceSettingsSummary.SpaceStorageSettings.EbsStorageSettings.EbsVolumeSizeInGb",
            "created": "CreationTime",
            "modified": "LastModifiedTime",
        },
    )
    sharing = entry.get("SpaceSharingSettingsSummary") or {"SharingType": "Shared"}
    draft.one_of("shared", sharing.get("SharingType"), ("Shared",))
    ask_sagemaker_tags(draft)
    if "storage.size_gib" in draft.fields:
        draft.charge(("storage.size_gib",), _usage)
    else:
        draft.usage = Unknown(Reason.NOT_COLLECTED, "it keeps its files in the domain's file system")
    return draft.resource()


def _usage(size: int) -> Iterator[Usage]:
    yield stored("aws.sagemaker.studio.storage", size)


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, TAGS))
