"""Lengths of time: how old something is, and how long until it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from integrations.custodian.comparing import SYMBOLS
from integrations.custodian.condition import Test, comparison, duration
from integrations.custodian.literal import shown
from integrations.custodian.model import Refused

ORDERED = frozenset({"gt", "ge", "le", "lt"})


def length_test(expression: str, operator: str, length: timedelta) -> Test:
    """Return `expression operator length`, where `expression` is a duration of our language."""
    if operator not in ORDERED:
        raise Refused(f"`{operator}` asks for one moment and no other: nothing ever matches")
    return comparison(expression, SYMBOLS[operator], duration(length))


def days(value: Any) -> timedelta:
    """Return a number of days."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 100_000:
        raise Refused(f"{shown(value)} is no number of days")
    length = timedelta(days=value)
    if length.microseconds:
        raise Refused(f"{shown(value)} days are no whole number of seconds")
    return length


def moment(value: Any) -> str:
    """Return a literal for a time that says its zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime):
        raise Refused(f"{shown(value)} is no time such as 2026-03-04T16:00:00Z")
    if found.tzinfo is None:
        raise Refused(f"{shown(value)} has no zone: it means the one of the machine that Custodian runs on")
    return f'timestamp("{found.isoformat()}")'
