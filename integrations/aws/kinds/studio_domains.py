"""SageMaker Studio domains: what their users may do, and whether what they leave running is shut down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, at
from integrations.aws.fields import encryption_key
from integrations.aws.kinds.sagemaker_parts import PAGE, TAGS, ask_sagemaker_tags, minutes_of
from integrations.aws.reader import Reader

CALL = "sagemaker:ListDomains"
DETAILS = "sagemaker:DescribeDomain"
STATES = ("Deleting", "Failed", "InService", "Pending", "Updating", "Update_Failed", "Delete_Failed")
LIFECYCLE = "DefaultUserSettings.JupyterLabAppSettings.AppLifecycleManagement.IdleSettings"

KIND = Kind(
    name="aws.sagemaker.domain",
    title="SageMaker Studio domain",
    classes=("ml.workspace",),
    fields=(
        Field("state", Type.STRING, "State as SageMaker reports it.", values=STATES),
        Field("modified", Type.TIMESTAMP, "When it was last changed."),
        Field("auth", Type.STRING, "How its users sign in.", group="details", values=("SSO", "IAM")),
        Field("public_access", Type.BOOL, "Whether apps reach the internet past its VPC.", group="details"),
        Field("idle_shutdown", Type.BOOL, "Whether idle JupyterLab apps are shut down.", group="details"),
        Field("idle_timeout", Type.DURATION, "After how long they are.", group="details", optional=True),
        Field(
            "encryption.at_rest", Type.BOOL, "Whether its file system is encrypted; it always is.", group="encryption"
        ),
        encryption_key(),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the domains of a region, page by page."""
    for page in reader.pages("sagemaker", "list_domains", "Domains", PAGE):
        entries = reader.sound(CALL, page, "DomainArn", "DomainId")
        yield reader.each(CALL, partial(_domain, reader), entries, itemgetter("DomainArn"))


def _domain(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, entry["DomainArn"], entry.get("DomainName") or "")
    draft.read(entry, {"state": "Status", "created": "CreationTime", "modified": "LastModifiedTime"})
    client = reader.client("sagemaker")
    asked = {"DomainId": entry["DomainId"]}
    details = draft.ask(("details", "encryption"), DETAILS, lambda: client.describe_domain(**asked))
    if details is not None:
        draft.put("auth", details.get("AuthMode"))
        draft.one_of("public_access", details.get("AppNetworkAccessType"), ("PublicInternetOnly",))
        draft.put("idle_shutdown", at(details, f"{LIFECYCLE}.LifecycleManagement") == "ENABLED")
        minutes = at(details, f"{LIFECYCLE}.IdleTimeoutInMinutes")
        draft.put("idle_timeout", minutes_of(minutes * 60 if isinstance(minutes, int) else minutes))
        draft.put("encryption.at_rest", True)
        draft.key(details.get("KmsKeyId") or details.get("HomeEfsFileSystemKmsKeyId"))
    ask_sagemaker_tags(draft)
    # Its apps, spaces and file system are what is charged for.
    return draft.resource()


SOURCE = AwsKind(KIND, CALL, collect, actions=(CALL, DETAILS, TAGS, "kms:DescribeKey"))
