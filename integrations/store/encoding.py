"""Bodies and ledger entries as the text that stores keep: canonical JSON in ASCII, so that any character survives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.errors import Place, Problem
from engine.state.ledger import Entry, Note, content
from engine.state.store import StateError, Stored, Table

UNREADABLE = "unreadable"
"""The kind of an entry whose text is no entry; its digest never holds, so that verifying names it."""
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode_body(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON; raise `ValueError` or `TypeError` where JSON has no such value."""
    return _encode(body)


def decode_stored(table: Table, key: str, version: int, status: str, body: str, store: str) -> Stored:
    """Return a record as it was kept; raise `StateError` (`state-damaged`) where its body is not an object."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _damaged(table, key, store) from error
    if not isinstance(found, dict):
        raise _damaged(table, key, store)
    return Stored(table, key, version, status, found)


def _damaged(table: Table, key: str, store: str) -> StateError:
    hint = "restore the store from a backup; `bursar audit verify` tells what else is wrong"
    return StateError([Problem("state-damaged", f"the {table.value} `{key}` is damaged", Place(store), hint)])


def encode_entry(entry: Entry) -> str:
    """Return the bytes that the entry's digest is over, as text."""
    return content(entry.serial, entry.note, entry.previous).decode("ascii")


def decode_entry(serial: int, text: str, digest: str) -> Entry:
    """
    Return the entry with `serial` that is kept as `text` and `digest`.

    What is no entry any more comes back as one of the kind `unreadable`: it is for `breaks_of` to say so.
    """
    try:
        found = json.loads(text)
        note = Note(
            at=datetime.fromisoformat(found["at"]),
            kind=_text(found["kind"]),
            subject=_text(found["subject"]),
            run=_text(found["run"]),
            actor=_text(found["actor"]),
            body=_object(found["body"]),
        )
        if note.at.tzinfo is None:
            raise ValueError("the time has no zone")
        return Entry(serial, note, _text(found["previous"]), digest)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Entry(
            serial, Note(datetime.fromtimestamp(0, UTC), UNREADABLE, "", body={"text": text[:500]}), "", digest
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("it is no mapping")
    return value
