"""
Conditions of our expression language, joined so that each means what it meant alone.

The filters are translated piece by piece; these functions put the pieces together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})


class Binding(IntEnum):
    """How tightly the outermost operator of a condition binds."""

    OR = 0
    AND = 1
    NOT = 2
    COMPARISON = 3
    OPERAND = 4


@dataclass(frozen=True, slots=True)
class Condition:
    """The text of a condition."""

    text: str
    binding: Binding = Binding.COMPARISON
    opposite: str = ""
    """Of a negation: what it negates; empty for anything else."""

    def within(self, least: Binding) -> str:
        """Return the text as an operand of something that binds like `least`."""
        return self.text if self.binding >= least else f"({self.text})"


TRUE = Condition("true", Binding.OPERAND, "false")
FALSE = Condition("false", Binding.OPERAND, "true")


def test(text: str) -> Condition:
    """Return a truth field or a call as a condition."""
    return Condition(text, Binding.OPERAND)


def negation(condition: Condition) -> Condition:
    """Return the opposite of `condition`."""
    if condition.opposite:
        return _parsed(condition)
    return Condition(f"not {condition.within(Binding.OPERAND)}", Binding.NOT, condition.text)


def _parsed(negated: Condition) -> Condition:
    match negated:
        case Condition("true"):
            return FALSE
        case Condition("false"):
            return TRUE
        case _:
            return _INNER.rebuild(negated)


@dataclass(frozen=True, slots=True)
class _Inner:
    def rebuild(self, negated: Condition) -> Condition:
        raise NotImplementedError


_INNER = _Inner()
