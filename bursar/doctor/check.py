"""What was looked at and how it is; and what that makes of the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bursar.exit_status import DONE, INCOMPLETE, USAGE
from engine.errors import BursarError


class State(StrEnum):
    """How one thing is."""

    WELL = "well"
    NOTE = "note"
    """It works, and there is something to know."""
    SKIPPED = "not checked"
    UNREAD = "cannot be read"
    WRONG = "wrong"
    """The configuration has to be changed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    part: str
    """`AWS`, `state`, `Slack` …"""
    what: str
    state: State
    says: str
    mend: str = ""
    """What to do about it; empty where there is nothing to do."""


def exit_status_of(checks: Iterable[Check]) -> int:
    """Return 2 where something is wrong with the configuration, 3 where something cannot be read, 0 otherwise."""
    states = {check.state for check in checks}
    return USAGE if State.WRONG in states else INCOMPLETE if State.UNREAD in states else DONE


def failed(part: str, what: str, error: BursarError, state: State | None = None) -> Check:
    """Return the check that ended with `error`; mistakes of the configuration are wrong, the rest cannot be read."""
    first = error.problems[0]
    found = state or (State.WRONG if first.code in ("bad-config", "missing-extra", "no-secret") else State.UNREAD)
    more = f", and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
    return Check(part, what, found, f"{first.message}{more}", first.hint)
