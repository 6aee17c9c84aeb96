"""
Values, and the absence of them.

A path yields a value or an `Unknown` that says why. `Unknown` refuses to be used as a condition, so
that ignorance can never slip through an `if`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeAlias


class Reason(StrEnum):
    """Why nothing is known. The words are part of every output."""

    MISSING = "missing"
    """The collector attests that there is none."""
    NULL = "null"
    WRONG_TYPE = "wrong_type"
    NAN = "nan"
    NOT_COLLECTED = "not_collected"
    DENIED = "denied"
    SOURCE_ERROR = "source_error"
    STALE = "stale"
    INSUFFICIENT_SAMPLES = "insufficient_samples"
    FUTURE_TIMESTAMP = "future_timestamp"
    TOO_NEW = "too_new"


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer where there is no answer."""

    reason: Reason
    detail: str = ""
    """What was looked for and what came instead, for a person."""
    path: str = ""
    """The field, tag or metric that is not known, as a policy names it."""

    def __bool__(self) -> NoReturn:
        raise TypeError(f"an unknown value is neither true nor false: {self}")

    def __str__(self) -> str:
        subject = f"{self.path}: " if self.path else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{subject}{self.reason.value}{detail}"


Scalar: TypeAlias = bool | int | float | Decimal | str | datetime | timedelta
Value: TypeAlias = Scalar | tuple["Value", ...] | Mapping[str, str]
Answer: TypeAlias = Value | Unknown
Truth: TypeAlias = bool | Unknown


def clean(value: object, path: str) -> Answer:
    """
    Return `value` as the engine keeps it, or why it cannot be kept.

    Collectors pass every field through here: None, NaN, infinities, naive datetimes and unsupported
    types become `Unknown`; lists become tuples; datetimes become UTC.
    """
    match value:
        case None:
            return Unknown(Reason.NULL, path=path)
        case bool() | int() | str() | timedelta():
            return value
        case float():
            return value if math.isfinite(value) else Unknown(Reason.NAN, repr(value), path)
        case Decimal():
            return value if value.is_finite() else Unknown(Reason.NAN, str(value), path)
        case datetime():
            return _moment(value, path)
        case list() | tuple():
            items = tuple(clean(item, path) for item in value)
            bad = next((item for item in items if isinstance(item, Unknown)), None)
            return bad if bad is not None else items  # type: ignore[return-value]
        case Mapping():
            if all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
                return dict(value)
            return Unknown(Reason.WRONG_TYPE, "a map of something else than text", path)
        case _:
            return Unknown(Reason.WRONG_TYPE, type(value).__name__, path)


def _moment(value: datetime, path: str) -> datetime | Unknown:
    if value.utcoffset() is None:
        return Unknown(Reason.WRONG_TYPE, "a time without a zone", path)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return Unknown(Reason.WRONG_TYPE, f"{value} is out of range", path)


def all_of(answers: Iterable[Truth]) -> Truth:
    """Strong Kleene conjunction: False wins over Unknown, Unknown over True. True when empty."""
    unknown: Unknown | None = None
    for answer in answers:
        if answer is False:
            return False
        if unknown is None and isinstance(answer, Unknown):
            unknown = answer
    return True if unknown is None else unknown


def any_of(answers: Iterable[Truth]) -> Truth:
    """Strong Kleene disjunction: True wins over Unknown, Unknown over False. False when empty."""
    unknown: Unknown | None = None
    for answer in answers:
        if answer is True:
            return True
        if unknown is None and isinstance(answer, Unknown):
            unknown = answer
    return False if unknown is None else unknown


def negation(answer: Truth) -> Truth:
    """Strong Kleene negation: Unknown stays Unknown."""
    return answer if isinstance(answer, Unknown) else not answer
