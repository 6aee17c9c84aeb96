"""The static types of expressions and the words error messages use for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.expr.parse import BYTE_UNITS
from engine.expr.syntax import Literal, Node
from engine.kinds import Type

SIZES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
"""Units of fields that a byte size such as `40GiB` can be compared with, in bytes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of an expression before any resource is seen."""

    type: Type | None
    """None where an error was found already, so that one mistake gives one message."""
    unit: str = ""
    item: Shape | None = None
    """Of a list: what its elements are. Lists have the type STRINGS whatever their elements are."""
    values: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """For people: `a number (percent)`."""
        if self.type is None:
            return "not known"
        unit = f" ({self.unit})" if self.unit else ""
        if self.type is Type.STRINGS and self.item and self.item.type is not Type.STRING:
            return "an empty list" if self.item.type is None else f"a list of {_PLURALS[self.item.type]}"
        return _WORDS[self.type] + unit


ERROR = Shape(None)
BOOL = Shape(Type.BOOL)
TEXT = Shape(Type.STRING)
DURATION = Shape(Type.DURATION)
TIMESTAMP = Shape(Type.TIMESTAMP)
NUMBER = Shape(Type.NUMBER)
NULL = Shape(Type.NULL)

_WORDS = {
    Type.BOOL: "true or false",
    Type.NUMBER: "a number",
    Type.STRING: "text",
    Type.TIMESTAMP: "a time",
    Type.DURATION: "a duration",
    Type.STRINGS: "a list of texts",
    Type.TAGS: "the map of all tags",
    Type.NULL: "null",
}


_PLURALS = {
    Type.BOOL: "truth values",
    Type.NUMBER: "numbers",
    Type.STRING: "texts",
    Type.TIMESTAMP: "times",
    Type.DURATION: "durations",
    Type.STRINGS: "lists",
    Type.TAGS: "maps",
    Type.NULL: "nulls",
}


def of_field(type_: Type, unit: str = "", values: tuple[str, ...] = ()) -> Shape:
    """Return the shape of a declared field."""
    return Shape(type_, unit, TEXT if type_ is Type.STRINGS else None, values)


def literal_unit(unit: str) -> str:
    """Return the unit a literal's spelling stands for: `%` is percent, `40GiB` is bytes."""
    if unit == "%":
        return "percent"
    return "bytes" if unit in BYTE_UNITS else unit


def literal_shape(node: Literal) -> Shape:
    """Return the shape of a constant."""
    match node.value:
        case None:
            return NULL
        case bool():
            return of_field(Type.BOOL)
        case str():
            return of_field(Type.STRING)
        case timedelta():
            return of_field(Type.DURATION)
        case datetime():
            return of_field(Type.TIMESTAMP)
        case _:
            return replace(NUMBER, unit=literal_unit(node.unit))


def in_bytes(node: Literal) -> Literal:
    """Return a size such as `40GiB` with its value in bytes; any other constant as it is."""
    if node.unit not in BYTE_UNITS:
        return node
    assert isinstance(node.value, int | Decimal)
    return replace(node, value=_exact(Decimal(node.value) * BYTE_UNITS[node.unit]))


def convert(node: Node, shape: Shape, other: Shape) -> tuple[Node, Shape]:
    """
    Return a constant size and its shape in the unit of what stands beside it.

    `40GiB` is 40 beside a field in GiB. Anything else stays as it is.
    """
    if not isinstance(node, Literal) or node.unit not in BYTE_UNITS or other.unit not in SIZES:
        return node, shape
    assert isinstance(node.value, int | Decimal)
    value = _exact(Decimal(node.value) / SIZES[other.unit])
    return replace(node, value=value, unit=""), replace(shape, unit=other.unit)


def as_written(node: Literal) -> str:
    """Return a constant number as a person wrote it: `40GiB`, `5%`."""
    value = node.value
    if node.unit in BYTE_UNITS:
        assert isinstance(value, int | Decimal)
        value = _exact(Decimal(value) / BYTE_UNITS[node.unit])
    return f"{value}{node.unit}"


def _exact(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number
