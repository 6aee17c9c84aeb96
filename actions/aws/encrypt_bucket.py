"""Set how an S3 bucket encrypts new objects by default: under a key of KMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, CallError, Losses, Sessions, calls, found
from engine.acting.action import Effect, Ready, Refused, Target

NONE = "ServerSideEncryptionConfigurationNotFoundError"


@dataclass(frozen=True, slots=True)
class EncryptBucket:
    """Writing the default encryption: under the key that the parameter `key` names."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "encrypt"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.s3.bucket"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"kms:DescribeKey", "s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether new objects are encrypted otherwise, and the key can be used."""
        rule = self._rule(target)
        if rule is None:
            return GONE
        if _meets(rule, target):
            return Refused("new objects are encrypted so", settled=True)
        why = self._useless(target)
        lost = "whoever reads or writes new objects needs permission on the key"
        return Refused(why) if why else Losses((lost,)).ready(rule=_kept(rule))

    def _useless(self, target: Target) -> str:
        key, kms = target.parameters["key"], calls(self.sessions, target, "kms")
        described = found(lambda: kms.describe_key(KeyId=key))
        if described is None:
            return f"there is no key {key} in {target.resource.region}"
        state = described["KeyMetadata"]["KeyState"]
        return "" if state == "Enabled" else f"the key {key} is {state}"

    def _rule(self, target: Target) -> Mapping[str, Any] | None:
        """Return the rule in force, empty where there is none; None where the bucket is gone or another account's."""
        s3 = calls(self.sessions, target, "s3")
        try:
            answer = s3.get_bucket_encryption(**owned(target))
        except CallError as error:
            if error.aws.startswith(NONE):
                return {}
            if error.absent:
                return None
            raise
        rules: list[Mapping[str, Any]] = answer["ServerSideEncryptionConfiguration"].get("Rules") or []
        return next(iter(rules), {})

    def do(self, target: Target) -> None:
        """Write it; writing it twice is writing it once."""
        self._put(target, _wanted(target))

    def _put(self, target: Target, rule: Mapping[str, Any]) -> None:
        s3 = calls(self.sessions, target, "s3")
        s3.put_bucket_encryption(**owned(target), ServerSideEncryptionConfiguration={"Rules": [dict(rule)]})

    def verify(self, target: Target) -> Effect:
        """Return whether it is in force."""
        rule = self._rule(target)
        if rule is None:
            return Effect.GONE
        return Effect.DONE if _meets(rule, target) else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Put back the rule there was; without one S3 encrypts under keys of its own."""
        rule = target.inverse.get("rule")
        if isinstance(rule, Mapping) and rule:
            self._put(target, rule)
        else:
            calls(self.sessions, target, "s3").delete_bucket_encryption(**owned(target))

    def undone(self, target: Target) -> Effect:
        """Return whether the rule is the one there was."""
        rule = self._rule(target)
        if rule is None:
            return Effect.GONE
        before = target.inverse.get("rule") or {}
        usual = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        same = _kept(rule) == before or (not before and _kept(rule) == usual)
        return Effect.DONE if same else Effect.ABSENT


def owned(target: Target) -> dict[str, str]:
    """Return the bucket, and whose it has to be: its name can be taken by another account once it is deleted."""
    return {"Bucket": target.resource.id, "ExpectedBucketOwner": target.resource.account}


def _wanted(target: Target) -> dict[str, Any]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": target.parameters["key"]}
    return {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}


def _meets(rule: Mapping[str, Any], target: Target) -> bool:
    now = rule.get("ApplyServerSideEncryptionByDefault") or {}
    under_kms = str(now.get("SSEAlgorithm", "")).startswith("aws:kms")
    return under_kms and now.get("KMSMasterKeyID") == target.parameters["key"]


def _kept(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a rule what can be written back."""
    kept: dict[str, Any] = {}
    if rule.get("ApplyServerSideEncryptionByDefault"):
        kept["ApplyServerSideEncryptionByDefault"] = dict(rule["ApplyServerSideEncryptionByDefault"])
    if rule.get("BucketKeyEnabled"):
        kept["BucketKeyEnabled"] = True
    return kept
