"""The OpenSearch Serverless capacity of an account and region: the limits, and what is used of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft
from integrations.aws.metric_sources import Source
from integrations.aws.reader import PageCut, Reader

CALL = "aoss:GetAccountSettings"
CHARGED = Unknown(Reason.NOT_COLLECTED, "OCUs are charged by use, which its metrics show")

KIND = Kind(
    name="aws.opensearch.capacity",
    title="OpenSearch Serverless capacity",
    classes=(),
    fields=(
        Field("limits.indexing_ocu", Type.NUMBER, "Most OCUs for indexing; each is charged by the hour."),
        Field("limits.search_ocu", Type.NUMBER, "Most OCUs for search."),
    ),
    metrics=(
        Metric("ocu.indexing", "count", 60, "capacity", "OCUs in use for indexing (`IndexingOCU`)."),
        Metric("ocu.search", "count", 60, "capacity", "OCUs in use for search (`SearchOCU`)."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the one capacity of a region."""
    settings = reader.client("opensearchserverless").get_account_settings().get("accountSettingsDetail")
    if not isinstance(settings, Mapping):
        raise PageCut("an answer without accountSettingsDetail")
    yield reader.made(CALL, partial(_capacity, reader), [settings])


def _capacity(reader: Reader, settings: Mapping[str, Any]) -> Resource:
    draft = Draft(reader, f"{reader.account}/{reader.region}", f"serverless {reader.region}", usage=CHARGED)
    draft.read(
        settings,
        {
            "limits.indexing_ocu": "capacityLimits.maxIndexingCapacityInOCU",
            "limits.search_ocu": "capacityLimits.maxSearchCapacityInOCU",
        },
    )
    draft.put("created", Unknown(Reason.NOT_COLLECTED, "it is a setting, not a thing that was created"))
    # It is no resource that could carry tags.
    draft.tagged(None)
    return draft.resource()


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(CALL,),
    metrics={
        "ocu.indexing": Source("AWS/AOSS", "IndexingOCU", "Maximum", "ClientId", by_field="account"),
        "ocu.search": Source("AWS/AOSS", "SearchOCU", "Maximum", "ClientId", by_field="account"),
    },
)
