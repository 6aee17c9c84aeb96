"""The version of a store's schema against that of this release."""

from __future__ import annotations

from engine.state.store import StateError


def check_version(found: int, known: int, store: str) -> None:
    """Raise `StateError` (`state-version`) where the store is not of the version this release knows."""
    if found == known:
        return
    said = f"the state has version {found} of its schema; this release knows version {known}"
    newer = "a newer release of Bursar wrote it: install that one here too"
    older = "this program was started before the state was brought to another version: start it again"
    raise StateError.of("state-version", said, where=store, hint=newer if found > known else older)


NOTHING = "there is no state here yet"


def nothing_there(store: str) -> StateError:
    """Return the error for a store that has not been made."""
    hint = "`bursar run` makes it; see `state:` in bursar.yaml"
    return StateError.of("state-unavailable", NOTHING, where=store, hint=hint)
