"""What every store asks of a commit before it writes any of it, and the words of the errors it may raise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.state.ledger import Note
from engine.state.store import ConflictError, Lease, LeaseLostError, Put, StateError

LONGEST_KEY = 512
"""Characters."""
LARGEST_KEY = 1024
"""Bytes in UTF-8: what DynamoDB takes for a sort key."""
SHOWN = 3
"""Keys that a conflict names."""


def check_commit(puts: Sequence[Put], notes: Sequence[Note], batch: int, store: str) -> None:
    """
    Raise `StateError` (code `state-record`) where a commit is too large, or names a record twice or by a bad key.

    `store` is the store's name, for the message.
    """
    if len(puts) + len(notes) > batch:
        said = f"{len(puts) + len(notes):,} puts and notes are more than the {batch:,} that one commit may hold"
        raise StateError.of("state-record", said, where=store, hint="split them into several commits")
    if len({(put.table, put.key) for put in puts}) < len(puts):
        raise StateError.of("state-record", "a commit writes the same record twice", where=store)
    for put in puts:
        check_key(put.key, store)


def check_key(key: str, store: str) -> None:
    """Raise `StateError` (code `state-record`) where a store could not keep a record under `key`."""
    if key.isascii():
        fits = 0 < len(key) <= LONGEST_KEY and "\0" not in key
    else:
        size = len(key.encode("utf-8", "replace"))
        whole = not any("\ud800" <= character <= "\udfff" for character in key)
        fits = len(key) <= LONGEST_KEY and size <= LARGEST_KEY and whole and "\0" not in key
    if not fits:
        said = f"`{key[:80]}` cannot be the key of a record"
        hint = f"a key has 1 to {LONGEST_KEY} characters, {LARGEST_KEY} bytes, and no NUL or half characters"
        raise StateError.of("state-record", said, where=store, hint=hint)


def conflict(puts: Iterable[Put], store: str) -> ConflictError:
    """Return the error for `puts` that were made from a version that is not there."""
    wrong = sorted(f"{put.table.value} {put.key}" for put in puts)
    more = f" and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
    said = f"somebody else was faster: {', '.join(wrong[:SHOWN])}{more} changed since it was read"
    return ConflictError.of("state-conflict", said, where=store, hint="run it again: it reads what is there now")


def lease_lost(lease: Lease, store: str) -> LeaseLostError:
    """Return the error for a lease that is not held any more."""
    said = f"the lease `{lease.name}` of {lease.holder} was taken by somebody else"
    hint = "another run goes on with it; nothing was written by this one"
    return LeaseLostError.of("state-lease", said, where=store, hint=hint)
