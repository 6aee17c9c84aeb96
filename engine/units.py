"""
Quantities as people write them, `4h`, `5%`, `$5,000/mo`, `40GiB`, to numbers and back.

The policy language, the expression language and every rendering use these and no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple


class UnitError(ValueError):
    """A text that is not the quantity it should be, with what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class Money(NamedTuple):
    """An amount in USD."""

    amount: Decimal
    period: str = ""
    """`h` or `mo` for a rate; empty for a plain amount."""


SECONDS: Mapping[str, int] = MappingProxyType({"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1})
"""Seconds of each unit of a duration, longest first."""

BYTES: Mapping[str, int] = MappingProxyType(
    {
        "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
        "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    }
)  # fmt: skip

_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?%", re.ASCII)
_BYTES = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([KMGT]iB|[kMGT]?B)", re.ASCII)
_MONEY = re.compile(
    r"(?P<usd>USD ?)?(?P<dollar>\$)?(?P<whole>\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?P<cents>\.\d{1,6})?(?P<after> ?USD)?"
    r"(?: ?/ ?(?P<period>h|hr|hour|mo|month))?",
    re.ASCII,
)
_PERIODS = MappingProxyType({"h": "h", "hr": "h", "hour": "h", "mo": "mo", "month": "mo"})
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_LONG_UNITS = MappingProxyType(
    {
        "seconds": "s", "second": "s", "secs": "s", "sec": "s",
        "minutes": "m", "minute": "m", "mins": "m", "min": "m",
        "hours": "h", "hour": "h", "hrs": "h", "hr": "h",
        "days": "d", "day": "d", "weeks": "w", "week": "w",
    }
)  # fmt: skip


def parse_duration(text: str) -> timedelta:
    """Return the duration of `90s`, `15m`, `4h`, `3d`, `2w` or, longest unit first, `1h30m`."""
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise UnitError(f"`{text}` is not a duration", _duration_hint(text))
    amounts = zip(found.groups(), SECONDS.values(), strict=True)
    return timedelta(seconds=sum(int(amount) * seconds for amount, seconds in amounts if amount))


def parse_last_day(text: str) -> datetime:
    """Return the end, in UTC, of a day such as `2026-12-31`."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007  (a day has no zone)
        return day.replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise UnitError(f"`{text}` is not a day such as 2026-12-31") from None


def _duration_hint(text: str) -> str:
    if text.isascii() and text.isdigit():
        return f"write a unit, such as `{text}h`"
    worded = re.fullmatch(r"(\d{1,6}) ?([A-Za-z]+)", text, re.ASCII)
    if worded:
        unit = _LONG_UNITS.get(worded[2].lower(), worded[2].lower())
        if unit in SECONDS:
            return f"write `{worded[1]}{unit}`"
    return "write such as `90s`, `15m`, `4h`, `1h30m`, `3d` or `2w`"


def format_duration(length: timedelta) -> str:
    """Return `length` in whole seconds as `4h`, `1h30m`, `2d`; what is below a second is cut off."""
    left = int(abs(length).total_seconds())
    if not left:
        return "0s"
    parts = []
    for unit in ("d", "h", "m", "s"):
        amount, left = divmod(left, SECONDS[unit])
        if amount:
            parts.append(f"{amount}{unit}")
    return ("-" if length < timedelta(0) else "") + "".join(parts)


def parse_percent(text: str) -> Decimal:
    """Return 5 for `5%`."""
    found = _PERCENT.fullmatch(text)
    if found is None:
        raise UnitError(f"`{text}` is not a percentage", percent_hint(text))
    return Decimal(found[1])


def percent_hint(text: str) -> str:
    """Return what to write in the place of `text`. A share such as 0.2 was meant as 20%, as a rule."""
    if not re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return "write such as `5%`"
    if 0 < Decimal(text) < 1:
        return f"write `{format_percent(Decimal(text) * 100)}`, or `{text}%` if so little is meant"
    return f"write `{text}%`"


def format_percent(percent: Decimal | float) -> str:
    """Return `percent` as `5%` or `2.5%`."""
    return f"{_plain(Decimal(str(percent)))}%"


def parse_money(text: str) -> Money:
    """Return the amount in USD, and its period, of `$5,000/mo`, `$50/h`, `$0.01` or `50 USD`."""
    found = _MONEY.fullmatch(text)
    if found is None or not (found["usd"] or found["dollar"] or found["after"]):
        raise UnitError(f"`{text}` is not an amount of money", _money_hint(text))
    amount = Decimal(found["whole"].replace(",", "") + (found["cents"] or ""))
    return Money(amount, _PERIODS[found["period"]] if found["period"] else "")


def _money_hint(text: str) -> str:
    if re.search(r"[€£¥₹]|EUR|GBP|JPY|CHF|INR", text):
        return "amounts are in USD, such as `$5,000/mo`"
    if re.search(r"/ ?(d|day|w|week|y|yr|year)$", text):
        return "rates are per hour or per month, such as `$50/h` or `$5,000/mo`"
    bare = re.fullmatch(r"\d[\d,]*(\.\d+)?(/(h|mo))?", text, re.ASCII)
    return f"write `${text}`" if bare else "write such as `$5,000/mo`, `$50/h` or `$0.01`"


def format_money(amount: Decimal, period: str = "") -> str:
    """Return `amount` as `$5,000/mo`, `$1,234.50` or `$0.0001`."""
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    if size == size.to_integral_value():
        text = f"{size:,.0f}"
    elif size == size.quantize(Decimal("0.01")) or size >= 1:
        text = f"{size:,.2f}"
    else:
        text = _plain(size)
    return f"{sign}${text}{'/' + period if period else ''}"


def parse_bytes(text: str) -> int:
    """Return the bytes of `40GiB`, `1.5TiB` or `500MB`."""
    found = _BYTES.fullmatch(text)
    if found is None:
        raise UnitError(f"`{text}` is not a size", _bytes_hint(text))
    return int(Decimal(found[1]) * BYTES[found[2]])


def _bytes_hint(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return f"write a unit, such as `{text}GiB`"
    short = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kKmMgGtT])(?:i?b)?", text, re.ASCII | re.IGNORECASE)
    return f"write `{short[1]}{short[2].upper()}iB`" if short else "write such as `40GiB` or `500MB`"


def format_bytes(size: int) -> str:
    """Return `size` in the largest binary unit it fills, as `40GiB` or `1.5KiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if abs(size) >= BYTES[unit]:
            return f"{_plain(round(Decimal(size) / BYTES[unit], 2))}{unit}"
    return f"{size}B"


def _plain(number: Decimal) -> str:
    """Return `number` without exponent and trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
