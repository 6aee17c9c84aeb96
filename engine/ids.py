"""Ids that are the same in every run."""

from __future__ import annotations

import hashlib


def finding_id(policy: str, uid: str) -> str:
    """Return the id of the finding of `policy` about the subject `uid`: 16 hex digits of SHA-256 over both."""
    return hashlib.sha256(f"{policy}\0{uid}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
