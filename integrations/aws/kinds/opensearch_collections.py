"""OpenSearch Serverless collections; what they use is charged to the capacity of the account and region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.aws.declared import AwsKind
from integrations.aws.draft import Draft, moment
from integrations.aws.fields import encryption_key
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader, attempt

CALL = "aoss:ListCollections"
DETAILS = "aoss:BatchGetCollection"
POLICIES = "aoss:ListSecurityPolicies"
PAGE = 100
CHARGED = Unknown(Reason.NOT_COLLECTED, "its OCUs are charged to the capacity of the account and region")

KIND = Kind(
    name="aws.opensearch.collection",
    title="OpenSearch Serverless collection",
    classes=("vector.collection",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as the service reports it.",
            values=("CREATING", "UPDATING", "DELETING", "ACTIVE", "FAILED", "UPDATE_FAILED"),
        ),
        Field(
            "type",
            Type.STRING,
            "What it is for.",
            group="details",
            values=("SEARCH", "TIMESERIES", "VECTORSEARCH"),
        ),
        Field("standby_replicas", Type.BOOL, "Whether it keeps standby replicas, at twice the OCUs.", group="details"),
        Field("deletion_protection", Type.BOOL, "Whether deletion is refused.", group="details"),
        Field("modified", Type.TIMESTAMP, "When it was last changed.", group="details"),
        Field(
            "public_access",
            Type.BOOL,
            "Whether a network policy lets the internet reach it.",
            group="public_access",
        ),
        Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted; it always is."),
        Field("encryption.in_transit", Type.BOOL, "Whether clients have to use TLS; they always do."),
        encryption_key(),
    ),
    metrics=(
        Metric("search.requests", "count", 60, "requests", "Searches (`SearchRequestRate`).", reduce="sum"),
        Metric("indexing.requests", "count", 60, "requests", "Bulk requests (`IngestionRequestRate`).", reduce="sum"),
        Metric("documents", "count", 60, "documents", "Searchable documents (`SearchableDocuments`)."),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the collections of a region, page by page, described a page at a time."""
    rules: Sequence[Mapping[str, Any]] | Unknown | None = None
    for page in reader.pages("opensearchserverless", "list_collections", "collectionSummaries", maxResults=PAGE):
        entries = reader.sound(CALL, page, "id", "arn", "name")
        if entries and rules is None and reader.wants("public_access"):
            rules = attempt(POLICIES, lambda: _network_rules(reader))
        details = _details(reader, [entry["id"] for entry in entries])
        yield reader.each(CALL, partial(_collection, reader, details, rules), entries)


def _details(reader: Reader, ids: Sequence[str]) -> Mapping[str, Any] | Unknown:
    """Return the description of each collection by id, in one call, or why there is none."""
    if not ids or not reader.wants("details"):
        return {}
    client = reader.client("opensearchserverless")
    return attempt(
        DETAILS, lambda: {d["id"]: d for d in client.batch_get_collection(ids=list(ids))["collectionDetails"]}
    )


def _network_rules(reader: Reader) -> list[Mapping[str, Any]]:
    """Return the blocks of all network policies: each with its rules and whether it lets the public in."""
    client, found = reader.client("opensearchserverless"), []
    for page in reader.pages(
        "opensearchserverless", "list_security_policies", "securityPolicySummaries", type="network"
    ):
        for summary in page:
            policy = client.get_security_policy(type="network", name=summary["name"])
            found += policy["securityPolicyDetail"]["policy"]
    return found


def _collection(
    reader: Reader,
    details: Mapping[str, Any] | Unknown,
    rules: Sequence[Mapping[str, Any]] | Unknown | None,
    entry: Mapping[str, Any],
) -> Resource:
    draft = Draft(reader, entry["arn"], entry["name"], usage=CHARGED)
    draft.put("state", entry.get("status"))
    draft.put("encryption.at_rest", True)
    draft.put("encryption.in_transit", True)
    key = entry.get("kmsKeyArn")
    draft.key(None if key == "auto" else key)
    described = draft.ask(("details",), DETAILS, lambda: _of(details, entry["id"]))
    if described is None:
        draft.put("created", Unknown(Reason.NOT_COLLECTED, "it comes with the description"))
    else:
        draft.put("type", described.get("type"))
        draft.one_of("standby_replicas", described.get("standbyReplicas"), ("ENABLED",))
        draft.one_of("deletion_protection", described.get("deletionProtection") or "DISABLED", ("ENABLED",))
        draft.put("modified", moment(described.get("lastModifiedDate")))
        draft.put("created", moment(described.get("createdDate")))
    if isinstance(rules, Unknown):
        draft.gaps["public_access"] = rules
    elif rules is not None:
        found = attempt(POLICIES, lambda: any(_lets_the_public_in(rule, str(entry["name"])) for rule in rules))
        if isinstance(found, Unknown):
            draft.gaps["public_access"] = found
        else:
            draft.put("public_access", found)
    client = reader.client("opensearchserverless")
    ask = lambda: client.list_tags_for_resource(resourceArn=entry["arn"])["tags"]  # noqa: E731
    draft.ask_tags("aoss:ListTagsForResource", ask, "key", "value")
    return draft.resource()


def _of(details: Mapping[str, Any] | Unknown, id_: str) -> Any:
    return details if isinstance(details, Unknown) else details[id_]


def _lets_the_public_in(block: Mapping[str, Any], name: str) -> bool:
    rules = [rule for rule in block["Rules"] if rule["ResourceType"] == "collection"]
    named = any(fnmatchcase(f"collection/{name}", pattern) for rule in rules for pattern in rule["Resource"])
    return named and block["AllowFromPublic"] is True


def _metric(name: str, statistic: str) -> Source:
    dimensions = {"CollectionName": "name", "ClientId": "account"}
    return Source("AWS/AOSS", name, statistic, "CollectionId", by_last=True, also=dimensions)


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(
        CALL,
        DETAILS,
        POLICIES,
        "aoss:GetSecurityPolicy",
        "aoss:ListTagsForResource",
        "kms:DescribeKey",
    ),
    metrics={
        "search.requests": _metric("SearchRequestRate", "Sum"),
        "indexing.requests": _metric("IngestionRequestRate", "Sum"),
        "documents": _metric("SearchableDocuments", "Maximum"),
    },
)
