"""
IAM actions to policy documents: no more than the loaded policies need, no wider than accounts and regions allow.

`bursar iam` prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from integrations.aws.permissions import FLEET_ACTIONS
from integrations.aws.registry import AWS_KINDS

VERSION = "2012-10-17"
PROTECT = "aws:ResourceTag/bursar/protect"
METRICS = frozenset({"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"})
WHO = frozenset({"sts:GetCallerIdentity"})
READS = ("BatchGet", "Describe", "Get", "List", "Search")
ACCOUNT_WIDE = frozenset({"ec2:DisableEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault"})
"""Changes of an account as a whole, which have no resource."""
WITHOUT_ACCOUNT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ec2": ("arn:{partition}:ec2:*::image/*", "arn:{partition}:ec2:*::snapshot/*")}
)
"""Resources whose ARN names no account, beside those that do."""
NEEDS_KEYS = frozenset({"ec2:StartInstances", "ec2:CreateImage", "ec2:CreateSnapshot"})
"""Changes for which EC2 asks KMS in the caller's name, where volumes are encrypted under the account's own keys."""

Document = dict[str, Any]


def read_policy(kinds: Iterable[str], *, many: bool) -> Document:
    """Return what reading `kinds` needs; with `many` also what leads to other accounts and regions."""
    sources = [AWS_KINDS[kind] for kind in kinds]
    wanted = {action for source in sources for action in source.actions} | WHO
    if any(source.metrics for source in sources):
        wanted |= METRICS
    if many:
        wanted |= set(FLEET_ACTIONS)
    return _document([{"Sid": "Read", "Effect": "Allow", "Action": sorted(wanted), "Resource": "*"}])


def act_policy(
    permissions: Iterable[str], accounts: Sequence[str], regions: Sequence[str], partition: str = "aws"
) -> Document:
    """
    Return what `permissions` allow in `accounts` and `regions`: everywhere where none are named.

    Whatever carries the tag `bursar/protect` is denied to the role itself, whoever asks it.
    """
    wanted = set(permissions)
    changes = sorted(action for action in wanted if not _reads(action))
    statements: list[Document] = [
        {"Sid": "Look", "Effect": "Allow", "Action": sorted(wanted - set(changes) | WHO), "Resource": "*"}
    ]
    where = {"Condition": {"StringEquals": {"aws:RequestedRegion": list(regions)}}} if regions else {}
    for service in sorted({action.partition(":")[0] for action in changes}):
        own = [action for action in changes if action.startswith(f"{service}:") and action not in ACCOUNT_WIDE]
        if own:
            resources = _resources(service, accounts, partition)
            sid = f"Change{service.title().replace('-', '')}"
            statement = {"Sid": sid, "Effect": "Allow", "Action": own, "Resource": resources, **where}
            statements.append(_of_accounts(statement, accounts) if service == "s3" else statement)
    wide = sorted(ACCOUNT_WIDE.intersection(changes))
    if wide:
        statements.append({"Sid": "ChangeAccount", "Effect": "Allow", "Action": wide, "Resource": "*", **where})
    if NEEDS_KEYS.intersection(changes):
        statements.append(_keys(accounts, partition))
    if changes:
        statements.append(_protected(changes))
    return _document(statements)


def _reads(action: str) -> bool:
    return action.partition(":")[2].startswith(READS)


def _resources(service: str, accounts: Sequence[str], partition: str) -> list[str]:
    if service == "s3":
        return [f"arn:{partition}:s3:::*"]
    more = [arn.format(partition=partition) for arn in WITHOUT_ACCOUNT.get(service, ())]
    return [f"arn:{partition}:{service}:*:{account}:*" for account in accounts or ("*",)] + more


def _of_accounts(statement: Document, accounts: Sequence[str]) -> Document:
    """Return `statement` for what belongs to `accounts`, where ARNs do not say whose something is."""
    if not accounts:
        return statement
    conditions = dict(statement.get("Condition", {}))
    conditions["StringEquals"] = {**conditions.get("StringEquals", {}), "aws:ResourceAccount": list(accounts)}
    return {**statement, "Condition": conditions}


def _keys(accounts: Sequence[str], partition: str) -> Document:
    return {
        "Sid": "KeysOfVolumes",
        "Effect": "Allow",
        "Action": ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
        "Resource": [f"arn:{partition}:kms:*:{account}:key/*" for account in accounts or ("*",)],
        "Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
    }


def _protected(changes: Sequence[str]) -> Document:
    return {
        "Sid": "NeverWhatIsProtected",
        "Effect": "Deny",
        "Action": list(changes),
        "Resource": "*",
        # Both have to hold: the tag is there, and does not say `false`.
        "Condition": {"Null": {PROTECT: "false"}, "StringNotEqualsIgnoreCase": {PROTECT: "false"}},
    }


def _document(statements: Sequence[Document]) -> Document:
    return {"Version": VERSION, "Statement": list(statements)}
