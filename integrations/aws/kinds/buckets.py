"""
S3 buckets, each in the scope of its own region.

S3 is asked in each region for the buckets of that region alone, and names the region of each: one that
belongs elsewhere is left to the scope of its own region, and one without a region makes the scope partial,
because it would otherwise stand in every region.

Blocks of public access that hold for the whole account are not read: a bucket that only they keep from the
public is shown as public.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.kinds import Field, Kind, Type
from engine.model import Resource
from engine.values import Answer, Reason, Unknown, clean
from integrations.aws.declared import AwsKind
from integrations.aws.fields import encryption_key
from integrations.aws.partitions import partition_of
from integrations.aws.reader import Reader, tags_of
from integrations.aws.refusals import as_gap, code_of

CALL = "s3:ListBuckets"
PAGE = 200
EVERYONE = frozenset(
    {
        "http://acs.amazonaws.com/groups/global/AllUsers",
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    }
)
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NO_SIZE = Unknown(Reason.NOT_COLLECTED, "the size of buckets is not collected")
Fields = dict[str, Answer]

KIND = Kind(
    name="aws.s3.bucket",
    title="S3 bucket",
    classes=("storage.bucket",),
    fields=(
        Field("encryption.at_rest", Type.BOOL, "Whether new objects are encrypted by default.", group="encryption"),
        encryption_key(),
        Field(
            "encryption.in_transit",
            Type.BOOL,
            "Whether the bucket policy refuses everyone without TLS.",
            group="policy",
        ),
        Field(
            "public_access",
            Type.BOOL,
            "Whether the public can reach it, by policy or ACL, after public access blocks.",
            group="public_access",
        ),
        Field(
            "public_access_blocked",
            Type.BOOL,
            "Whether all four public access blocks are on.",
            group="public_access",
        ),
        Field("access_logging", Type.BOOL, "Whether server access is logged.", group="logging"),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the buckets of a region, page by page."""
    for page in reader.pages("s3", "list_buckets", "Buckets", PAGE, BucketRegion=reader.region):
        entries = reader.sound(CALL, page, "Name", "BucketRegion")
        here = [entry for entry in entries if entry["BucketRegion"] == reader.region]
        yield reader.each(CALL, lambda entry: _bucket(reader, entry), here, lambda entry: arn_of(reader, entry["Name"]))


def _bucket(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    name = entry["Name"]
    gaps = reader.unasked()
    fields: Fields = {"created": clean(entry.get("CreationDate"), "resource.created")}
    tags: dict[str, str] = {}
    parts: tuple[tuple[str, Callable[[Reader, str], Fields]], ...] = (
        ("encryption", _encryption),
        ("public_access", _public_access),
        ("logging", _logging),
        ("policy", _policy),
    )
    for group, ask in parts:
        if reader.wants(group):
            try:
                fields.update(ask(reader, name))
            except Refused as refused:
                gaps[group] = refused.gap
    if reader.wants("tags"):
        try:
            tags = _tags(reader, name)
        except Refused as refused:
            gaps["tags"] = refused.gap
    return Resource(
        kind=reader.kind.name,
        id=name,
        account=reader.account,
        region=reader.region,
        name=name,
        fields=fields,
        tags=tags,
        gaps=gaps,
        usage=NO_SIZE,
    )


class Refused(Exception):  # noqa: N818  # becomes a gap
    """A call about one bucket did not answer."""

    def __init__(self, gap: Unknown) -> None:
        super().__init__(str(gap))
        self.gap = gap


def _ask(reader: Reader, operation: str, action: str, name: str, absent: str) -> Mapping[str, Any] | None:
    """Return the answer of a call about a bucket; None where S3 says that there is no such setting."""
    try:
        answer: Mapping[str, Any] = getattr(reader.client("s3"), operation)(Bucket=name)
    except Exception as error:
        if code_of(error) == absent:
            return None
        raise Refused(as_gap(error, f"s3:{action}")) from error
    return answer


def _encryption(reader: Reader, name: str) -> Fields:
    absent = "ServerSideEncryptionConfigurationNotFoundError"
    answer = _ask(reader, "get_bucket_encryption", "GetBucketEncryption", name, absent)
    rules = (answer or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules") or ()
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    algorithm = default.get("SSEAlgorithm")
    if not algorithm:
        return {"encryption.at_rest": False}
    key = default.get("KMSMasterKeyID")
    manager: Answer = "aws_owned" if algorithm == "AES256" else reader.key_manager(key) if key else "aws_managed"
    return {"encryption.at_rest": True, "encryption.key": manager}


def _public_access(reader: Reader, name: str) -> Fields:
    absent = "NoSuchPublicAccessBlockConfiguration"
    answer = _ask(reader, "get_public_access_block", "GetPublicAccessBlock", name, absent)
    blocks = (answer or {}).get("PublicAccessBlockConfiguration", {})
    status = _ask(reader, "get_bucket_policy_status", "GetBucketPolicyStatus", name, "NoSuchBucketPolicy")
    by_policy = bool((status or {}).get("PolicyStatus", {}).get("IsPublic")) and not blocks.get("RestrictPublicBuckets")
    by_acl = False
    if not blocks.get("IgnorePublicAcls"):
        grants = (_ask(reader, "get_bucket_acl", "GetBucketAcl", name, "") or {}).get("Grants") or ()
        by_acl = any(grant.get("Grantee", {}).get("URI") in EVERYONE for grant in grants)
    return {
        "public_access": by_policy or by_acl,
        "public_access_blocked": all(blocks.get(block) is True for block in BLOCKS),
    }


def _logging(reader: Reader, name: str) -> Fields:
    answer = _ask(reader, "get_bucket_logging", "GetBucketLogging", name, "")
    return {"access_logging": bool((answer or {}).get("LoggingEnabled"))}


def _policy(reader: Reader, name: str) -> Fields:
    answer = _ask(reader, "get_bucket_policy", "GetBucketPolicy", name, "NoSuchBucketPolicy")
    text = (answer or {}).get("Policy")
    if not text:
        return {"encryption.in_transit": False}
    try:
        return {"encryption.in_transit": refuses_plain_http(json.loads(text), name)}
    except (ValueError, AttributeError, TypeError) as error:
        raise Refused(Unknown(Reason.WRONG_TYPE, "the bucket policy is not JSON")) from error


def arn_of(reader: Reader, name: str) -> str:
    """Return the ARN of a bucket of the reader's region."""
    return f"arn:{partition_of(reader.region)}:s3:::{name}"


def _tags(reader: Reader, name: str) -> dict[str, str]:
    if (known := reader.known_tags.get(arn_of(reader, name))) is not None:
        return known
    answer = _ask(reader, "get_bucket_tagging", "GetBucketTagging", name, "NoSuchTagSet")
    return tags_of((answer or {}).get("TagSet"))


def refuses_plain_http(policy: Mapping[str, Any], bucket: str) -> bool:
    """Return whether a bucket policy denies everyone everything in the bucket that comes without TLS."""
    statements = policy.get("Statement", [])
    covered: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        if _denies_plain_http(statement):
            covered.update(_list(statement.get("Resource")))
    whole = {"*", f"arn:aws:s3:::{bucket}*", "arn:aws:s3:::*"}
    both = {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}
    partition_free = {_in_aws(resource) for resource in covered}
    return bool(partition_free & whole) or both <= partition_free


def _in_aws(resource: str) -> str:
    """Return an ARN with the partition of the public regions."""
    parts = resource.split(":", 2)
    return f"arn:aws:{parts[2]}" if len(parts) == 3 and parts[0] == "arn" else resource


def _denies_plain_http(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    everyone = principal == "*" or (isinstance(principal, Mapping) and "*" in _list(principal.get("AWS")))
    everything = bool({"s3:*", "*"} & set(_list(statement.get("Action"))))
    condition = statement.get("Condition", {})
    plain = _list(condition.get("Bool", {}).get("aws:SecureTransport"))
    alone = list(condition) == ["Bool"] and list(condition["Bool"]) == ["aws:SecureTransport"]
    denied = statement.get("Effect") == "Deny"
    return denied and everyone and everything and alone and [str(p).lower() for p in plain] == ["false"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(
        "kms:DescribeKey",
        "s3:GetBucketAcl",
        "s3:GetBucketLogging",
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketTagging",
        "s3:GetEncryptionConfiguration",
        "s3:ListAllMyBuckets",
    ),
)
