"""
Conditions joined by `and`, `or` and `not` as one Python function instead of a tree of calls.

The function's text is made of the fixed lines of `leaves` and of names made here. No text of a policy is ever part
of it: keys, constants and patterns are values that the names are bound to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from types import CodeType
from typing import Any, TypeAlias

from engine.expr.leaves import Closure, Leaf
from engine.model import Resource

DEEPEST = 12
"""Levels of conditions in one function; deeper ones become functions of their own."""


@dataclass(frozen=True, slots=True)
class Joined:
    """`and` or `or` in Kleene logic."""

    operator: str
    operands: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Inverted:
    """Kleene `not`."""

    operand: Code


Code: TypeAlias = Leaf | Joined | Inverted


def function_of(code: Code) -> Closure:
    """Return the function that answers `code`."""
    writer = _Writer()
    return writer.function([*writer.lines(code, "answer"), "return answer"])


def gate_of(codes: Sequence[Code]) -> Callable[[Resource], list[int]]:
    """
    Return the function that gives the positions of all `codes` that are not False about a resource.

    What several of them ask is asked once for a resource, and nearly all policies end here.
    """
    writer = _Writer()
    asked = Counter(leaf for code in codes for leaf in _leaves(code))
    body = ["found = []"]
    for leaf, times in asked.items():
        if times > 1:
            shared = writer.name("s")
            body += writer.lines(leaf, shared)
            writer.shared[leaf] = shared
    for position, code in enumerate(codes):
        body += writer.lines(code, "answer")
        body += ["if answer is not False:", f"    found.append({position})"]
    return writer.function([*body, "return found"])


def _leaves(code: Code) -> Iterator[Leaf]:
    """Yield the leaves that may be shared."""
    match code:
        case Leaf():
            if code.asks is not None:
                yield code
        case Inverted():
            yield from _leaves(code.operand)
        case Joined():
            for operand in code.operands:
                yield from _leaves(operand)


@lru_cache(1024)
def _compiled(source: str) -> CodeType:
    """Return the code of a text; policies of one shape share it."""
    return compile(source, "<conditions of policies>", "exec")


@dataclass
class _Writer:
    """Writes one function."""

    bound: dict[str, Any] = field(default_factory=dict)
    """What the names in it are."""
    shared: dict[Leaf, str] = field(default_factory=dict)
    """The names of answers that are there already."""
    numbers: Iterator[int] = field(default_factory=count)

    def name(self, letter: str) -> str:
        return f"{letter}{next(self.numbers)}"

    def function(self, body: Iterable[str]) -> Closure:
        head = ("def decide(resource):", "    fields = resource.fields", "    tags = resource.tags")
        source = "\n".join((*head, *(f"    {line}" for line in body)))
        exec(_compiled(source), self.bound)  # noqa: S102  (our own lines; see the module's docstring)
        decide: Closure = self.bound["decide"]
        return decide

    def lines(self, code: Code, out: str) -> list[str]:
        """Return lines that assign `out`."""
        match code:
            case Leaf() if code in self.shared:
                return [f"{out} = {self.shared[code]}"]
            case Leaf():
                given = {name: self.name("c") for name in code.bound}
                self.bound.update({given[name]: value for name, value in code.bound.items()})
                return code.source.format(out=out, **given).split("\n")
            case Inverted():
                inverse = f"{out} = False if {out} is True else True if {out} is False else {out}"
                return [*self.lines(code.operand, out), inverse]
            case Joined():
                return self.joined(code, out)

    def joined(self, code: Joined, out: str) -> list[str]:
        # `and` is over at the first False, `or` at the first True; of several Unknowns the first is the answer.
        over, going = ("False", "True") if code.operator == "and" else ("True", "False")
        first, *others = code.operands
        found, other = self.lines(first, out), self.name("v")
        for operand in others:
            found.append(f"if {out} is not {over}:")
            found += [f"    {line}" for line in self.lines(operand, other)]
            found += [f"    if {out} is {going} or {other} is {over}:", f"        {out} = {other}"]
        return found
