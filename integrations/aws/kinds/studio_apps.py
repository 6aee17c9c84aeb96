"""SageMaker Studio apps: JupyterLab and the like, on an instance of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource, Usage
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at, hours
from integrations.aws.fields import hardware, running
from integrations.aws.kinds.sagemaker_parts import PAGE, TAGS, ask_sagemaker_tags
from integrations.aws.reader import Reader

CALL = "sagemaker:ListApps"
DETAILS = "sagemaker:DescribeApp"
GONE = ("Deleted", "Failed")
FREE = "system"
"""The instance type of what costs nothing."""

KIND = Kind(
    name="aws.sagemaker.app",
    title="SageMaker Studio app",
    classes=("ml.studio_app",),
    fields=(
        Field("state", Type.STRING, "State as SageMaker reports it.", values=("Deleting", "InService", "Pending")),
        running("Whether its instance is charged for."),
        Field("app_type", Type.STRING, "What it is, such as `JupyterLab` or `KernelGateway`."),
        Field("domain", Type.STRING, "The id of its domain."),
        Field("space", Type.STRING, "The space it runs in.", optional=True),
        Field("user", Type.STRING, "The profile of whoever runs it.", optional=True),
        Field("instance.type", Type.STRING, "The instance type; `system` is free.", optional=True),
        Field("last_activity", Type.TIMESTAMP, "When its user last did something.", group="details", optional=True),
        *hardware("its instance"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the apps of a region, page by page; those that are gone stay listed for a day."""
    for page in reader.pages("sagemaker", "list_apps", "Apps", PAGE):
        entries = [e for e in reader.sound(CALL, page, "DomainId", "AppName", "AppType") if e.get("Status") not in GONE]
        yield reader.each(CALL, partial(_app, reader), entries)


def _app(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    client = reader.client("sagemaker")
    holder = {key: entry[key] for key in ("SpaceName", "UserProfileName") if entry.get(key)}
    place = "/".join([entry["DomainId"], *holder.values(), entry["AppType"].lower(), entry["AppName"]])
    arn = f"arn:{client.meta.partition}:sagemaker:{reader.region}:{reader.account}:app/{place}"
    draft = Draft(reader, arn, entry["AppName"])
    draft.read(
        entry,
        {
            "state": "Status",
            "app_type": "AppType",
            "domain": "DomainId",
            "space": "SpaceName",
            "user": "UserProfileName",
            "instance.type": "ResourceSpec.InstanceType",
            "created": "CreationTime",
        },
    )
    type_ = at(entry, "ResourceSpec.InstanceType")
    draft.put("running", entry.get("Status") == "InService" and type_ not in (None, FREE))
    asked = {"DomainId": entry["DomainId"], "AppType": entry["AppType"], "AppName": entry["AppName"], **holder}
    details = draft.ask(("details",), DETAILS, lambda: client.describe_app(**asked))
    if details is not None:
        draft.put("last_activity", details.get("LastUserActivityTimestamp"))
    draft.machines([(type_, 1)] if type_ not in (None, FREE) else [])
    ask_sagemaker_tags(draft)
    draft.charge(("running", "instance.type"), _usage)
    return draft.resource()


def _usage(running: bool, type_: str | None) -> Iterator[Usage]:
    if running and type_:
        yield hours(f"aws.sagemaker.studio:{type_}")


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, DETAILS, TAGS, "ec2:DescribeInstanceTypes"))
