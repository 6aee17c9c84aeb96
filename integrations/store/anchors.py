"""What anchors share: heads as lines, and the rule that a kept head is only ever followed by a later one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from engine.state.ledger import Head
from engine.state.store import StateError


def encode_head(head: Head, at: datetime) -> str:
    """Return `head` as one line of JSON, without its newline."""
    facts = {"at": at.astimezone(UTC).isoformat(), "lineage": head.lineage, "serial": head.serial}
    return json.dumps({**facts, "digest": head.digest})


def decode_head(text: str, where: str) -> Head:
    """Return the head that a line holds; raise `StateError` (`state-damaged`) where it holds none."""
    try:
        found: Any = json.loads(text)
        lineage, serial, digest = found["lineage"], found["serial"], found["digest"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(where) from error
    if not (isinstance(lineage, str) and type(serial) is int and isinstance(digest, str)):
        raise damaged(where)
    return Head(lineage, serial, digest)


def damaged(where: str) -> StateError:
    hint = "somebody changed it; keep it, and start a new anchor once you know why"
    return StateError.of("state-damaged", "the anchor is damaged", where=where, hint=hint)


def check_follows(head: Head, latest: Head | None, where: str) -> None:
    """
    Raise `StateError` (`state-replaced`) where `head` cannot follow `latest`.

    Otherwise an old state that was put back would, with its next run, become the one that is anchored.
    """
    if latest is None or (head.lineage == latest.lineage and head.serial > latest.serial) or head == latest:
        return
    if head.lineage != latest.lineage:
        said = f"this is another store than the anchored one: lineage {head.lineage}, not {latest.lineage}"
    elif head.serial < latest.serial:
        said = f"an older state was put back: it ends with entry {head.serial}, and {latest.serial} were anchored"
    else:
        said = f"the anchored entry {latest.serial} was replaced"
    hint = "`bursar audit verify` tells more; a new store needs a new anchor"
    raise StateError.of("state-replaced", said, where=where, hint=hint)
