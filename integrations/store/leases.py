"""How leases are kept, the same in every store."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.state.store import StateError


def shown_expiry(expires: datetime) -> str:
    """Return the moment as it is kept."""
    return expires.astimezone(UTC).isoformat()


def read_expiry(text: str, store: str) -> datetime:
    """Return the moment that was kept; raise `StateError` (`state-damaged`) where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        hint = "restore the store from a backup"
        raise StateError.of("state-damaged", "a lease is damaged", where=store, hint=hint) from error


def taken(current: str, expires: datetime, holder: str, now: datetime) -> bool:
    """Return whether somebody other than `holder` holds the lease; an empty `current` is nobody."""
    return bool(current) and current != holder and now < expires
