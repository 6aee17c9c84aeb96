"""
The single values of the policy language as field types: text in, domain value out.

YAML scalars arrive as text, so that nothing is guessed from their looks; each type here says how its
text is read and, for editors, what it looks like. A value that has its domain type already passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from engine.units import UnitError, format_percent, parse_bytes, parse_duration, parse_money, parse_percent


class Null:
    """A key that was written without a value, as opposed to an absent one. No enum: pydantic takes those for text."""


DURATION_PATTERN = r"^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"
PERCENT_PATTERN = r"^\d+(\.\d+)? ?%$"
MONEY_PATTERN = r"^(USD ?)?\$?\d[\d,]*(\.\d+)?( ?USD)?"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
EMAIL_PATTERN = r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
HOURS = re.compile(r"(\d\d):(\d\d) ?[-–] ?(\d\d):(\d\d)", re.ASCII)


def from_text(parse: Callable[[str], Any]) -> BeforeValidator:
    """Return a validator that reads text by `parse` and passes anything else on."""

    def read(value: Any) -> Any:
        return parse(value) if isinstance(value, str) else value

    return BeforeValidator(read)


def list_of_one(value: Any) -> Any:
    """Return a single text as a list of it, where a list may be abbreviated so."""
    return [value] if isinstance(value, str) else value


def _text(value: str) -> str:
    if not value.strip():
        raise UnitError("the text is empty")
    return value


def _name(value: str) -> str:
    if not NAME.fullmatch(value) or len(value) > 63:
        near = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:63].strip("-")
        hint = "use lower-case letters, digits and single hyphens, at most 63"
        raise UnitError(f"`{value}` is not a name", f"{hint}, such as `{near}`" if near else hint)
    return value


def emails_of(text: str) -> tuple[str, ...]:
    """Return the addresses of a text with commas between them, each once; raise `UnitError` where one is none."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for one in found:
        if not re.fullmatch(EMAIL_PATTERN, one, re.ASCII) or len(one) > 254:
            raise UnitError(
                f"`{one}` is not an e-mail address", "write such as `ml-costs@example.com, ops@example.com`"
            )
    return found


def shaped(pattern: str, name: str, hint: str) -> BeforeValidator:
    """Return a validator of texts that all of `pattern` matches; `name` says what they are, `hint` how they look."""
    wanted = re.compile(pattern, re.ASCII)

    def read(text: str) -> str:
        if not wanted.fullmatch(text):
            raise UnitError(f"`{text}` is not {name}", hint)
        return text

    return from_text(read)


def _positive_duration(text: str) -> timedelta:
    length = parse_duration(text)
    if not length:
        raise UnitError(f"`{text}` is no time at all", "write such as `4h`")
    return length


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
            raise UnitError(f"`{text}` is not a whole number")
        if not least <= int(text) <= most:
            raise UnitError(f"`{text}` is out of range", f"write a number from {least} to {most:,}")
        return int(text)

    return read


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,15}(\.\d{1,6})?", text, re.ASCII):
        raise UnitError(f"`{text}` is not a number")
    return Decimal(text)


def _percent(text: str) -> Decimal:
    percent = parse_percent(text)
    if not 0 < percent <= 100:
        raise UnitError(f"`{format_percent(percent)}` is out of range", "write more than 0% and at most 100%")
    return percent


def _money(period: str, example: str) -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        try:
            money = parse_money(text)
        except UnitError as error:
            bare = re.fullmatch(r"\d[\d,]*(\.\d+)?", text, re.ASCII)
            raise UnitError(error.message, f"write such as `{example}`" if bare and period else error.hint) from error
        if money.period != period:
            wanted = {"h": "a rate per hour", "mo": "a rate per month", "": "an amount without a period"}[period]
            raise UnitError(f"`{text}` is not {wanted}", f"write such as `{example}`")
        return money.amount

    return read


def parse_hours(text: str) -> tuple[time, time]:
    """Return start and end of `08:00-20:00`; 24:00 at the end is kept as 00:00."""
    found = HOURS.fullmatch(text)
    hint = "write such as `08:00-20:00`"
    if found is None:
        raise UnitError(f"`{text}` is not a span of hours", hint)
    a, b, c, d = (int(part) for part in found.groups())
    if a > 23 or b > 59 or d > 59 or c > 24 or (c == 24 and d):
        raise UnitError(f"`{text}` is not a span of hours", "hours go from 00:00 to 24:00")
    if (a, b) == (c, d):
        raise UnitError(f"`{text}` is no time at all", "write `00:00-24:00` for the whole day")
    return time(a, b), time(c % 24, d)


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UnitError(f"`{text}` is not a date", "write such as `2026-12-25`")


def _pattern(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


ANY_TEXT = {"type": ["string", "number", "boolean"]}
"""Editors read unquoted `0123` or `no` as something else than text; here it is text."""

Text: TypeAlias = Annotated[str, from_text(_text), WithJsonSchema({"type": "string", "minLength": 1})]
Word: TypeAlias = Annotated[str, from_text(_text), WithJsonSchema(ANY_TEXT)]
"""A text that may look like a number or a truth value."""
Condition: TypeAlias = Annotated[
    str, WithJsonSchema({"type": ["string", "boolean"], "examples": ['tags.environment != "production"']})
]
"""An expression as written; the loader parses it."""
Name: TypeAlias = Annotated[
    str,
    from_text(_name),
    WithJsonSchema({"type": ["string", "number"], "pattern": f"^{NAME.pattern}$", "maxLength": 63}),
]
Duration: TypeAlias = Annotated[timedelta, from_text(parse_duration), _pattern(DURATION_PATTERN, "24h", "3d")]
PositiveDuration: TypeAlias = Annotated[
    timedelta, from_text(_positive_duration), _pattern(DURATION_PATTERN, "4h", "1h30m")
]
Percent: TypeAlias = Annotated[Decimal, from_text(_percent), _pattern(PERCENT_PATTERN, "5%", "90%")]
Amount: TypeAlias = Annotated[Decimal, from_text(_money("", "$0.01")), _pattern(MONEY_PATTERN + "$", "$0.01")]
PerHour: TypeAlias = Annotated[
    Decimal, from_text(_money("h", "$50/h")), _pattern(MONEY_PATTERN + " ?/ ?(h|hr|hour)$", "$50/h")
]
PerMonth: TypeAlias = Annotated[
    Decimal, from_text(_money("mo", "$5,000/mo")), _pattern(MONEY_PATTERN + " ?/ ?(mo|month)$", "$5,000/mo")
]
Number: TypeAlias = Annotated[
    Decimal, from_text(_number), WithJsonSchema({"type": "number", "minimum": 0, "examples": [16]})
]
Count: TypeAlias = Annotated[int, from_text(_whole(0, 10**15)), WithJsonSchema({"type": "integer", "minimum": 0})]
PositiveCount: TypeAlias = Annotated[
    int, from_text(_whole(1, 10**15)), WithJsonSchema({"type": "integer", "minimum": 1})
]
Size: TypeAlias = Annotated[
    int, from_text(parse_bytes), _pattern(r"^\d+(\.\d+)? ?([KMGT]iB|[kMGT]?B)$", "40GiB", "500MB")
]
Hours: TypeAlias = Annotated[
    tuple[time, time],
    from_text(parse_hours),
    _pattern(r"^\d\d:\d\d ?[-–] ?\d\d:\d\d$", "08:00-20:00", "22:00-06:00"),
]
Emails: TypeAlias = Annotated[
    str,
    from_text(lambda text: ", ".join(emails_of(text))),
    _pattern(f"^ *{EMAIL_PATTERN}( *, *{EMAIL_PATTERN})* *$", "ml-costs@example.com"),
]
"""E-mail addresses with commas between them."""
Date: TypeAlias = Annotated[date, from_text(_date), _pattern(r"^\d{4}-\d\d-\d\d$", "2026-12-25")]
