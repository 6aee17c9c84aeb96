"""Values as words for people, the same in every output."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from engine.units import format_duration
from engine.values import Answer, Reason, Unknown

UNITS = {"percent": "%", "watt": " W", "bytes": " bytes", "seconds": " s", "GiB": " GiB", "usd/h": " USD/h"}


def value_words(value: Answer, unit: str = "", text: Callable[[str], str] = str) -> str:
    """Return a value as a person reads it; `text` makes harmless what others chose."""
    match value:
        case Unknown(reason=Reason.MISSING):
            return "none"
        case Unknown():
            detail = f" ({text(value.detail)})" if value.detail else ""
            return f"unknown: {value.reason.value.replace('_', ' ')}{detail}"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{text(value)}"'
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case timedelta():
            return format_duration(value)
        case int() | float() | Decimal():
            return f"{_number(value)}{UNITS.get(unit, f' {unit}' if unit else '')}"
        case tuple():
            return "[" + ", ".join(value_words(item, text=text) for item in value) + "]"
        case _:
            return text(str(value))


def _number(value: float | Decimal) -> str:
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
