"""What a database's complaint means: a code, a sentence and a way out, never its parameters or passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from engine.state.store import StateError

MEANINGS: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (
        ("disk is full", "no space left", "could not extend file"),
        "state-unavailable",
        "the disk is full",
        "make room; nothing was written",
    ),
    (
        ("database is locked", "lock timeout", "database table is locked"),
        "state-unavailable",
        "another process holds the state locked",
        "wait for it to end, and see that the state does not lie on a network drive",
    ),
    (
        ("readonly database", "read-only transaction", "read only"),
        "state-unavailable",
        "the state may not be written",
        "give the user that runs Bursar the right to write it, and its folder",
    ),
    (
        ("file is not a database", "malformed", "file is encrypted"),
        "state-damaged",
        "the file is damaged, or is no database",
        "restore it from a backup; see docs/how-to/state.md",
    ),
    (
        ("unable to open database file",),
        "state-unavailable",
        "the file cannot be opened",
        "see that its folder exists and may be written",
    ),
    (
        ("password authentication failed", "no password supplied", "authentication failed"),
        "state-unavailable",
        "the database refused the password",
        "set PGPASSWORD, or PGPASSFILE to a file with it",
    ),
    (
        ('fatal: database "',),
        "state-unavailable",
        "there is no such database",
        "create it: Bursar makes its tables and never the database",
    ),
    (
        ('fatal: role "',),
        "state-unavailable",
        "there is no such database user",
        "see `state:` in bursar.yaml",
    ),
    (
        ("connection to server", "connection failed", "failed to resolve host", "timeout expired", "connection is bad"),
        "state-unavailable",
        "the database cannot be reached",
        "check host, port and network, and that the server runs",
    ),
    (
        ("no such table", "does not exist", "no such column", "could not decode"),
        "state-damaged",
        "parts of the state are missing",
        "restore it from a backup; see docs/how-to/state.md",
    ),
    (
        ("permission denied",),
        "state-unavailable",
        "the database user may not do this",
        "docs/how-to/state.md lists the rights that are needed",
    ),
)
"""Parts of a message in lower case, then code, sentence and hint; the first that fits is told."""


@contextmanager
def told(store: str) -> Iterator[None]:
    """Turn what a database raises inside the block into `StateError` about the store named `store`."""
    try:
        yield
    except (exc.DBAPIError, exc.NoResultFound, exc.MultipleResultsFound, UnicodeDecodeError) as error:
        raise state_error(error, store) from error


def state_error(error: Exception, store: str) -> StateError:
    """Return what `error` means."""
    cause = getattr(error, "orig", None) or error
    said = " ".join(str(cause).split())
    if isinstance(error, exc.NoResultFound | exc.MultipleResultsFound):
        said = "no such table"
    for parts, code, sentence, hint in MEANINGS:
        if any(part in said.lower() for part in parts):
            return StateError.of(code, sentence, where=store, hint=hint)
    hint = "nothing is done without the state; see that it can be reached and try again"
    return StateError.of("state-unavailable", f"the state cannot be used: {said[:300]}", where=store, hint=hint)
