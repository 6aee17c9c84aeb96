"""The state against the head that was kept outside it: the cheap look that every run takes before it acts."""

from __future__ import annotations

from engine.state.ledger import Break, Head, digest_of
from engine.state.store import StateError, Store


def anchor_break(store: Store, anchor: Head) -> Break | None:
    """
    Return why the ledger of `store` has not grown from `anchor`; None where it has.

    Reads one entry. That the entries before it hold as well is for `breaks_of`, which reads them all.
    """
    head = store.head()
    if head.lineage != anchor.lineage:
        return Break(0, f"this is another store than the anchored one: lineage {head.lineage}, not {anchor.lineage}")
    if head.serial < anchor.serial:
        return Break(head.serial, f"an older state was put back: entries up to {anchor.serial} were anchored")
    if anchor.serial == 0:
        return None
    entry = next(store.entries(anchor.serial - 1), None)
    if entry is None or entry.serial != anchor.serial:
        return Break(anchor.serial, f"entry {anchor.serial} is missing")
    if entry.digest != anchor.digest or digest_of(entry.serial, entry.note, entry.previous) != entry.digest:
        return Break(anchor.serial, "the anchored entry was replaced")
    return None


def check_anchor(store: Store, anchor: Head | None) -> None:
    """Raise `StateError` (`state-replaced`) where the ledger of `store` has not grown from `anchor`."""
    found = None if anchor is None else anchor_break(store, anchor)
    if found is not None:
        hint = "`bursar audit verify` tells more; nothing is done on a state that was put back or replaced"
        raise StateError.of("state-replaced", found.what, where=store.name, hint=hint)
