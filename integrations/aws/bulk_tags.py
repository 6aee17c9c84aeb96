"""
Tags of many resources in one call: the Resource Groups Tagging API in the place of a call for each.

The reader calls it with the ARNs of a page where the configuration asks for it. Its index follows the services
and lacks resources that never had a tag, so that only tags it names count: whatever it does not name, or names
without a tag, is asked of the service itself. "No tags" is never its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CALL = "tag:GetResources"
MOST = 100
"""ARNs in one call."""


def bulk_tags(client: Any, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """
    Return the tags of those of `arns` that the index knows to have any.

    A call that fails, and an entry that cannot be read, leave resources out: they are asked one by one. After a
    call that failed no further one is made.
    """
    found: dict[str, dict[str, str]] = {}
    for start in range(0, len(arns), MOST):
        asked = arns[start : start + MOST]
        try:
            answer = client.get_resources(ResourceARNList=list(asked))
            found.update(_named(answer.get("ResourceTagMappingList") or (), frozenset(asked)))
        except Exception:  # noqa: BLE001  (nothing is concluded from it: each service is asked instead)
            break
    return found


def _named(entries: Iterable[Any], asked: frozenset[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("ResourceARN") in asked and _readable(entry.get("Tags")):
            found[entry["ResourceARN"]] = {pair["Key"]: pair["Value"] for pair in entry["Tags"]}
    return found


def _readable(tags: Any) -> bool:
    """Return whether it is a list of at least one tag, each with its key and value."""
    pairs = tags if isinstance(tags, list) else []
    return bool(pairs) and all(
        isinstance(pair, Mapping) and isinstance(pair.get("Key"), str) and isinstance(pair.get("Value"), str)
        for pair in pairs
    )
