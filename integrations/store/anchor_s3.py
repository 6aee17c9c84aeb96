"""
An anchor in S3: one object for each head, under Object Lock where a retention is asked for.

The key says it all, `<prefix>/<999999999999999 - serial>-<lineage>-<digest>.json`, and keys of later heads sort
first. Versions are listed and not objects, so that a delete marker over the last head hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.state.ledger import Head
from engine.state.store import StateError
from integrations.aws.refusals import CREDENTIALS, DENIED, SIGN_IN, code_of
from integrations.store.addresses import LockMode
from integrations.store.anchors import check_follows, damaged, encode_head

TURN = 10**15 - 1
KEY = re.compile(r"(?P<turned>[0-9]{15})-(?P<lineage>[0-9a-f]{1,64})-(?P<digest>[0-9a-f]{64})\.json")


@dataclass(frozen=True, slots=True)
class S3Anchor:
    """An `Anchor` in the bucket named `bucket`."""

    client: Any
    """A boto3 client of S3."""
    bucket: str
    prefix: str
    """Without slashes around it; may be empty."""
    retain: timedelta | None = None
    """For how long nobody may delete a head; needs a bucket with Object Lock. None sets no lock of its own."""
    mode: LockMode = LockMode.GOVERNANCE

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def latest(self) -> Head | None:
        """Return the head with the highest serial; None where none was kept."""
        with _told(self.name):
            page = self.client.list_object_versions(Bucket=self.bucket, Prefix=self._folder, MaxKeys=1)
            while not page.get("Versions") and page.get("IsTruncated"):
                page = self.client.list_object_versions(
                    Bucket=self.bucket,
                    Prefix=self._folder,
                    MaxKeys=1,
                    KeyMarker=page["NextKeyMarker"],
                    VersionIdMarker=page["NextVersionIdMarker"],
                )
        versions = page.get("Versions")
        return self._head_of(versions[0]["Key"]) if versions else None

    def keep(self, head: Head, at: datetime) -> None:
        """Write an object for `head`; nothing where it is the last one already."""
        latest = self.latest()
        check_follows(head, latest, self.name)
        if head == latest:
            return
        lock: dict[str, Any] = {}
        if self.retain is not None:
            lock = {"ObjectLockMode": self.mode.upper(), "ObjectLockRetainUntilDate": at + self.retain}
        key = f"{self._folder}{TURN - head.serial:015d}-{head.lineage}-{head.digest}.json"
        body = f"{encode_head(head, at)}\n".encode()
        with _told(self.name):
            self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                **lock,
            )

    @property
    def _folder(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""

    def _head_of(self, key: str) -> Head:
        found = KEY.fullmatch(key.removeprefix(self._folder))
        if found is None:
            raise damaged(f"s3://{self.bucket}/{key}")
        return Head(found["lineage"], TURN - int(found["turned"]), found["digest"])


@contextmanager
def _told(name: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code = code_of(error)
        said, hint = f"the anchor cannot be used ({code})", "see that the bucket exists and can be reached"
        if code in DENIED:
            said, hint = "AWS denied the anchor", "allow s3:ListBucketVersions, s3:PutObject and s3:PutObjectRetention"
        elif code in CREDENTIALS or "Credential" in code:
            said, hint = f"AWS refused the credentials ({code})", SIGN_IN
        elif "ObjectLock" in str(error) or "Object Lock" in str(error):
            hint = "the bucket was made without Object Lock: leave `retain` out, or make one with it"
        raise StateError.of("state-unavailable", said, where=name, hint=hint) from error
