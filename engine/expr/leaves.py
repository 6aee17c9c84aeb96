"""
What single conditions are in Python: each answers what is plainly there and asks `slow` for anything else.

`fused` puts them together. A slow path is the shared semantics; it decides whatever a leaf does not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from engine.expr import semantics
from engine.model import IDENTITY, Resource
from engine.values import Truth

Closure: TypeAlias = Callable[[Resource], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """Lines of Python that assign `{out}`. What stands in braces is the name of a bound value, never a text of it."""

    source: str
    bound: Mapping[str, Any] = field(default_factory=dict)
    asks: Hashable = None
    """What is asked, beside the lines: about one kind, leaves that are equal in both are one. None is equal to none."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Leaf) or self.asks is None:
            return self is other
        return (self.source, self.asks) == (other.source, other.asks)

    def __hash__(self) -> int:
        return id(self) if self.asks is None else hash((self.source, self.asks))


REMEMBERED = 512
"""Texts of which a pattern remembers whether it was found in them."""
TEXT_TESTS: Mapping[str, str] = {
    "startsWith": "value.startswith({part})",
    "endsWith": "value.endswith({part})",
    "contains": "{part} in value",
}


def called(function: Closure) -> Leaf:
    """Return the leaf of anything that has no lines of its own."""
    return Leaf("{out} = {function}(resource)", {"function": function})


def boolean_field(name: str, slow: Closure) -> Leaf:
    source = "value = fields.get({name})\n{out} = value if value is True or value is False else {slow}(resource)"
    return Leaf(source, {"name": name, "slow": slow}, (name,))


def number_field_against(name: str, symbol: str, constant: float | Decimal, slow: Closure) -> Leaf:
    near = float(constant) if isinstance(constant, Decimal) else constant
    # A number minus itself is zero, except for NaN and the infinities.
    source = f"""\
value = fields.get({{name}})
if value.__class__ is int:
    {{out}} = value {_known(symbol)} {{constant}}
elif value.__class__ is float and value - value == 0.0:
    {{out}} = value {_known(symbol)} {{near}}
else:
    {{out}} = {{slow}}(resource)"""
    # 1, 1.0 and 1 as a decimal are equal and not compared alike.
    asks = (name, type(constant), constant)
    return Leaf(source, {"name": name, "constant": constant, "near": near, "slow": slow}, asks)


def text_field(name: str, test: str, slow: Closure, **bound: Any) -> Leaf:
    """Return the leaf of a condition `test` on the text `value` of a field."""
    if name in IDENTITY:
        return called(slow)
    return _text("value = fields.get({key})", name, test, slow, bound)


def text_tag(key: str, test: str, slow: Closure, **bound: Any) -> Leaf:
    """Return the leaf of a condition `test` on the text `value` of a tag."""
    return _text("value = tags.get({key})", key, test, slow, bound)


def _text(lookup: str, key: str, test: str, slow: Closure, bound: Mapping[str, Any]) -> Leaf:
    source = f"{lookup}\n{{out}} = ({test}) if value.__class__ is str else {{slow}}(resource)"
    return Leaf(source, {"key": key, "slow": slow, **bound}, (key, *bound.values()))


def compared(symbol: str) -> str:
    """Return the condition that `value` and a constant are so."""
    return f"value {_known(symbol)} {{constant}}"


def age_against(symbol: str, constant: timedelta, now: datetime, slow: Closure) -> Leaf:
    try:
        edge = now - constant
    except OverflowError:
        return called(slow)
    # An age above so many days is a beginning before the day that long ago.
    source = f"""\
value = fields.get("created")
if value.__class__ is {{datetime}} and value.tzinfo is {{utc}} and value <= {{now}} and "age" not in fields:
    {{out}} = value {_known(semantics.MIRRORED[symbol])} {{edge}}
else:
    {{out}} = {{slow}}(resource)"""
    return Leaf(source, {"datetime": datetime, "utc": UTC, "now": now, "edge": edge, "slow": slow}, (edge,))


def has_tag(key: str, slow: Closure) -> Leaf:
    """`has(tags.key)`."""
    source = """\
if tags.get({key}).__class__ is str:
    {out} = True
elif {key} not in tags and "tags" not in resource.gaps:
    {out} = False
else:
    {out} = {slow}(resource)"""
    return Leaf(source, {"key": key, "slow": slow}, (key,))


def _known(symbol: str) -> str:
    """Return `symbol`, of which it is certain that it is an operator and nothing else."""
    assert symbol in semantics.ORDER, symbol
    return symbol


class Remembered(dict[str, Truth]):
    """Whether a pattern was found in a text, for texts that repeat from resource to resource; asks where it is new."""

    def __init__(self, pattern: str, search: Callable[[str], Truth]) -> None:
        super().__init__()
        self.pattern = pattern
        self.search = search

    def __missing__(self, text: str) -> Truth:
        answer = self.search(text)
        if len(self) < REMEMBERED:
            self[text] = answer
        return answer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remembered) and self.pattern == other.pattern

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.pattern)
