"""The static types of expressions and the words error messages use for them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.expr.parse import BYTE_UNITS
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
            return f"a list of {self.item.words.removeprefix('a ')}s"
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


def of_field(type_: Type, unit: str = "", values: tuple[str, ...] = ()) -> Shape:
    """Return the shape of a declared field."""
    return Shape(type_, unit, TEXT if type_ is Type.STRINGS else None, values)


def literal_unit(unit: str) -> str:
    """Return the unit a literal's spelling stands for: `%` is percent, `40GiB` is bytes."""
    if unit == "%":
        return "percent"
    return "bytes" if unit in BYTE_UNITS else unit
