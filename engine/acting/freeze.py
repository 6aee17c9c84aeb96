"""Whether anything may be done at all: the switch that stops all acting, at once, everywhere."""

from __future__ import annotations

from engine.state.records import Held, restored
from engine.state.settings import Freeze
from engine.state.store import StateError, Store, Table


def frozen(store: Store) -> str:
    """
    Return why nothing may be done, or nothing where it may.

    INVARIANT: what cannot be read is frozen.
    """
    try:
        held = freeze_of(store)
    except StateError as error:
        return f"it cannot be read whether acting is frozen: {error.problems[0].message}"
    if held is None or not held.record.frozen:
        return ""
    why = f": {held.record.reason}" if held.record.reason else ""
    return f"frozen by {held.record.by} since {held.record.at:%Y-%m-%d %H:%M} UTC{why}"


def freeze_of(store: Store) -> Held[Freeze] | None:
    """Return the freeze as it was last set; None where it never was."""
    stored = store.get(Table.SETTING, Freeze.NAME)
    return None if stored is None else restored(Freeze, stored)
