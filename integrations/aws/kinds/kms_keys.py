"""KMS keys: each of the account's own is charged for by the month, used or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft
from integrations.aws.reader import Reader

CALL = "kms:ListKeys"
DETAILS = "kms:DescribeKey"
ROTATION = "kms:GetKeyRotationStatus"
TAGS = "kms:ListResourceTags"
PAGE = 1000
FREE_STATES = ("PendingDeletion", "PendingReplicaDeletion")
"""States in which a key costs nothing."""

KIND = Kind(
    name="aws.kms.key",
    title="KMS key",
    classes=("security.key",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as KMS reports it.",
            group="details",
            values=(
                "Creating",
                "Enabled",
                "Disabled",
                "PendingDeletion",
                "PendingImport",
                "PendingReplicaDeletion",
                "Unavailable",
                "Updating",
            ),
        ),
        Field("manager", Type.STRING, "Who manages it.", group="details", values=("AWS", "CUSTOMER")),
        Field("usage", Type.STRING, "What it is for, such as `ENCRYPT_DECRYPT`.", group="details"),
        Field("spec", Type.STRING, "Its kind of key, such as `SYMMETRIC_DEFAULT`.", group="details"),
        Field("origin", Type.STRING, "Where its material comes from.", group="details"),
        Field("multi_region", Type.BOOL, "Whether it has or can have replicas elsewhere.", group="details"),
        Field("deleted", Type.TIMESTAMP, "When it will be deleted.", group="details", optional=True),
        Field(
            "rotation",
            Type.BOOL,
            "Whether its material is rotated; only symmetric keys of the account can be.",
            group="rotation",
            optional=True,
        ),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the keys of a region, page by page: AWS's in the account too."""
    for page in reader.pages("kms", "list_keys", "Keys", PAGE):
        entries = reader.sound(CALL, page, "KeyArn", "KeyId")
        yield reader.each(CALL, partial(_key, reader), entries, itemgetter("KeyArn"))


def _key(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    client, key = reader.client("kms"), entry["KeyId"]
    draft = Draft(reader, entry["KeyArn"], key)
    # Whether it can be rotated is told by its description.
    details = draft.ask(("details", "rotation"), DETAILS, lambda: client.describe_key(KeyId=key)["KeyMetadata"])
    if details is None:
        draft.put("created", Unknown(Reason.NOT_COLLECTED, "it comes with the description"))
    else:
        draft.read(
            details,
            {
                "state": "KeyState",
                "manager": "KeyManager",
                "usage": "KeyUsage",
                "spec": "KeySpec",
                "origin": "Origin",
                "multi_region": "MultiRegion",
                "deleted": "DeletionDate",
                "created": "CreationDate",
            },
        )
        if _can_rotate(details):
            status = draft.ask(("rotation",), ROTATION, lambda: client.get_key_rotation_status(KeyId=key))
            if status is not None:
                draft.put("rotation", _known(status.get("KeyRotationEnabled")))
    draft.ask_tags(TAGS, lambda: _tags(reader, key), "TagKey", "TagValue")
    draft.charge(("manager", "state"), _usage)
    return draft.resource()


def _known(value: object) -> object:
    return Unknown(Reason.NULL, f"{ROTATION} does not say") if value is None else value


def _can_rotate(details: Mapping[str, Any]) -> bool:
    """Return whether KMS could rotate it; what cannot be told counts as can, so that it is asked."""
    wanted = {"KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS"}
    return all(details.get(name) in (value, None) for name, value in wanted.items())


def _tags(reader: Reader, key: str) -> list[Mapping[str, Any]]:
    return [tag for page in reader.pages("kms", "list_resource_tags", "Tags", KeyId=key) for tag in page]


def _usage(manager: str, state: str) -> Iterator[Usage]:
    if manager == "CUSTOMER" and state not in FREE_STATES:
        yield Usage("aws.kms.key", Decimal(1), "month", "storage")


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, DETAILS, ROTATION, TAGS))
