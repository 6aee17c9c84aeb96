"""Block public access to an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from actions.aws.calls import GONE, CallError, Losses, Sessions, calls
from actions.aws.encrypt_bucket import owned
from engine.acting.action import Effect, Ready, Refused, Target

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NONE = "NoSuchPublicAccessBlockConfiguration"


@dataclass(frozen=True, slots=True)
class BlockBucket:
    """Setting all four blocks."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "block_public_access"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.s3.bucket"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {
                "s3:GetBucketPolicyStatus",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketWebsite",
                "s3:PutBucketPublicAccessBlock",
            }
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether any block is off."""
        blocks = self._blocks(target)
        if blocks is None:
            return GONE
        if all(blocks.values()):
            return Refused("public access is blocked", settled=True)
        return Losses(tuple(self._readers(target))).ready(blocks=blocks)

    def _blocks(self, target: Target) -> dict[str, bool] | None:
        s3 = calls(self.sessions, target, "s3")
        try:
            found = s3.get_public_access_block(**owned(target))["PublicAccessBlockConfiguration"]
        except CallError as error:
            if error.aws.startswith(NONE):
                return dict.fromkeys(BLOCKS, False)
            if error.absent:
                return None
            raise
        return {block: bool(found.get(block)) for block in BLOCKS}

    def _readers(self, target: Target) -> Iterator[str]:
        """Yield who may be reading it in public now."""
        s3 = calls(self.sessions, target, "s3")
        try:
            s3.get_bucket_website(**owned(target))
            yield "it serves a website"
        except CallError as error:
            if not error.aws.startswith("NoSuchWebsite"):
                raise
        try:
            if s3.get_bucket_policy_status(**owned(target))["PolicyStatus"].get("IsPublic"):
                yield "its policy lets the public in, which ends"
        except CallError as error:
            if not error.aws.startswith("NoSuchBucketPolicy"):
                raise

    def do(self, target: Target) -> None:
        """Set all four; setting them twice is setting them once."""
        self._put(target, dict.fromkeys(BLOCKS, True))

    def _put(self, target: Target, blocks: Mapping[str, bool]) -> None:
        s3 = calls(self.sessions, target, "s3")
        s3.put_public_access_block(**owned(target), PublicAccessBlockConfiguration=dict(blocks))

    def verify(self, target: Target) -> Effect:
        """Return whether all four are on."""
        blocks = self._blocks(target)
        if blocks is None:
            return Effect.GONE
        return Effect.DONE if all(blocks.values()) else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Put back the blocks there were; none at all is the same as all off."""
        before = _before(target)
        if any(before.values()):
            self._put(target, before)
        else:
            calls(self.sessions, target, "s3").delete_public_access_block(**owned(target))

    def undone(self, target: Target) -> Effect:
        """Return whether the blocks are those there were."""
        blocks = self._blocks(target)
        if blocks is None:
            return Effect.GONE
        return Effect.DONE if blocks == _before(target) else Effect.ABSENT


def _before(target: Target) -> dict[str, bool]:
    blocks = target.inverse["blocks"]
    assert isinstance(blocks, Mapping)
    return {block: bool(blocks[block]) for block in BLOCKS}
