"""
Conditions of our expression language as small trees, and their text.

Filters are translated piece by piece; `every`, `some` and `negation` join the pieces, `written` makes the text.
All of it holds in three values: what is not known stays not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from engine.units import format_duration


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison, a call or a truth field."""

    text: str
    compares: bool = True
    """False where it stands behind `not` without parentheses: a call or a field."""
    opposite: str = ""
    """The comparison that is its negation; empty where `not` has to be written."""


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Condition


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    value: bool


OPPOSITES = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "in": "not in",
    "not in": "in",
}

Condition: TypeAlias = Test | Negation | Every | Some | Constant


def every(parts: Iterable[Condition]) -> Condition:
    """Return the conjunction; true where there is nothing."""
    kept: list[Condition] = []
    for part in parts:
        match part:
            case Constant(True):
                continue
            case Constant(False):
                return part
            case Every(inner):
                kept += inner
            case _:
                kept.append(part)
    kept = list(dict.fromkeys(kept))
    return kept[0] if len(kept) == 1 else Every(tuple(kept)) if kept else Constant(value=True)


def some(parts: Iterable[Condition]) -> Condition:
    """Return the disjunction; false where there is nothing."""
    kept: list[Condition] = []
    for part in parts:
        match part:
            case Constant(False):
                continue
            case Constant(True):
                return part
            case Some(inner):
                kept += inner
            case _:
                kept.append(part)
    kept = list(dict.fromkeys(kept))
    return kept[0] if len(kept) == 1 else Some(tuple(kept)) if kept else Constant(value=False)


def comparison(left: str, operator: str, right: str) -> Test:
    """Return `left operator right`, which knows its opposite."""
    return Test(f"{left} {operator} {right}", opposite=f"{left} {OPPOSITES[operator]} {right}")


def negation(condition: Condition) -> Condition:
    """Return the opposite."""
    match condition:
        case Test(text, _, opposite) if opposite:
            return Test(opposite, opposite=text)
        case Negation(inner):
            return inner
        case Constant(value):
            return Constant(not value)
        case _:
            return Negation(condition)


def written(condition: Condition) -> str:
    """Return the text of a condition."""
    match condition:
        case Test(text):
            return text
        case Negation(Test(text, compares=False)):
            return f"not {text}"
        case Negation(inner):
            return f"not ({written(inner)})"
        case Every(parts):
            return " and ".join(f"({written(p)})" if isinstance(p, Some) else written(p) for p in parts)
        case Some(parts):
            return " or ".join(f"({written(p)})" if isinstance(p, Every) else written(p) for p in parts)
        case Constant(value):
            return str(value).lower()


def quoted(text: str) -> str:
    """Return `text` as a literal; what cannot be seen is escaped, surrogates too."""
    return "".join(_escaped(character) for character in json.dumps(text, ensure_ascii=False))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def pattern(text: str) -> str:
    """Return a regular expression as a literal, raw where it can be."""
    if text.isprintable():
        for quote in "'\"":
            if quote not in text:
                return f"r{quote}{text}{quote}"
    return quoted(text)


def listed(literals: Sequence[str]) -> str:
    return f"[{', '.join(literals)}]"


def duration(length: timedelta) -> str:
    """Return a length of whole seconds as a literal: `30d`, or `duration("1d12h")` where it has two units."""
    text = format_duration(length)
    return text if sum(character.isalpha() for character in text) == 1 else f'duration("{text}")'
