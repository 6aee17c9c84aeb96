"""
Expressions that differ from a given one in a single thing: the mutants of `where`, `unless` and `rule`.

Conditions are negated, comparisons flipped and moved to or from their boundary, constants moved by one in
the last place that is written, `and` and `or` exchanged, operands, list items and tag keys dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.expr.syntax import (
    Arithmetic,
    Comparison,
    Default,
    FieldRef,
    Has,
    ListLiteral,
    Literal,
    LocalRef,
    Logic,
    Lower,
    Matches,
    MetricCall,
    Negative,
    Node,
    Not,
    NowRef,
    Quantifier,
    Size,
    TagRef,
    TextTest,
)
from engine.kinds import Type
from engine.units import format_duration, parse_duration

OPERATORS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
"""What each comparison becomes: its boundary moved, and its opposite."""
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*"}
NO_KEY = "a key that nobody has"
_NUMBER = re.compile(r"(\d[\d,]*)(\.\d+)?(.*)", re.DOTALL)
_LENGTH = re.compile(r"(?:\d+[wdhms])+")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One change to an expression."""

    part: Node
    """What a person is shown of the expression."""
    at: Node
    """Where the change is."""
    how: str
    """`> → >=`, `dropped`."""
    node: Node
    """The whole expression, changed."""


Texts = Callable[[Node], str]
"""A node to its words."""


def rewrites(node: Node, text: Texts) -> Iterator[Rewrite]:
    """Yield every change to the condition `node`, each of them alone."""
    yield from _condition(node, text, negate=True)


def value_rewrites(node: Node, text: Texts) -> Iterator[Rewrite]:
    """Yield every change to `node`, which is a value such as the key of a group, each of them alone."""
    yield from _value(node, text)


def leaves(node: Node) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    """Yield the conditions that `node` is made of by logic, each with what puts another in its place."""
    match node:
        case Logic():
            for number, operand in enumerate(node.operands):
                for leaf, put in leaves(operand):
                    yield leaf, _inside(_operand(node, number), put)
        case Not():
            for leaf, put in leaves(node.operand):
                yield leaf, _inside(_negated(node), put)
        case _:
            yield node, lambda new: new


def _inside(outer: Callable[[Node], Node], inner: Callable[[Node], Node]) -> Callable[[Node], Node]:
    return lambda new: outer(inner(new))


def _negated(node: Not) -> Callable[[Node], Node]:
    return lambda new: replace(node, operand=new)


def _operand(node: Logic, number: int) -> Callable[[Node], Node]:
    def put(new: Node) -> Node:
        return replace(node, operands=(*node.operands[:number], new, *node.operands[number + 1 :]))

    return put


def _below(found: Iterator[Rewrite], put: Callable[[Node], Node]) -> Iterator[Rewrite]:
    for rewrite in found:
        yield replace(rewrite, node=put(rewrite.node))


def _condition(node: Node, text: Texts, *, negate: bool) -> Iterator[Rewrite]:
    """Yield the changes to a node that is true or false; `negate` unless its negation stands above it already."""
    match node:
        case Logic():
            yield from _logic(node, text)
        case Not():
            yield Rewrite(node, node, "negated", node.operand)
            yield from _below(_condition(node.operand, text, negate=False), lambda new: replace(node, operand=new))
        case Comparison():
            yield from _comparison(node, text, negate=negate)
        case _:
            if negate and not isinstance(node, Literal):
                yield Rewrite(node, node, "negated", Not(node, node.start, node.end))
            yield from _value(node, text)


def _logic(node: Logic, text: Texts) -> Iterator[Rewrite]:
    other = "or" if node.operator == "and" else "and"
    yield Rewrite(node, node, f"{node.operator} → {other}", replace(node, operator=other))
    for number, operand in enumerate(node.operands):
        rest = (*node.operands[:number], *node.operands[number + 1 :])
        yield Rewrite(operand, operand, "dropped", rest[0] if len(rest) == 1 else replace(node, operands=rest))
        yield from _below(_condition(operand, text, negate=True), _operand(node, number))


def _comparison(node: Comparison, text: Texts, *, negate: bool) -> Iterator[Rewrite]:
    if node.operator == "in" and negate:
        yield Rewrite(node, node, "negated", Not(node, node.start, node.end))
    for operator in OPERATORS.get(node.operator, ()):
        opposite = operator == OPERATORS[node.operator][-1]
        if negate or not opposite:
            yield Rewrite(node, node, f"{node.operator} → {operator}", replace(node, operator=operator))
    if node.operator == "in" and isinstance(node.right, ListLiteral):
        yield from _items(node, node.right, text)
    for side, put in _sides(node):
        if isinstance(side, Literal):
            for how, moved in moves(side, text(side)):
                yield Rewrite(node, side, how, put(moved))
        else:
            yield from _below(_value(side, text), put)


def _sides(node: Comparison | Arithmetic) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    yield node.left, lambda new: replace(node, left=new)
    yield node.right, lambda new: replace(node, right=new)


def _items(node: Comparison, items: ListLiteral, text: Texts) -> Iterator[Rewrite]:
    for number, item in enumerate(items.items):
        rest = (*items.items[:number], *items.items[number + 1 :])
        if rest:
            yield Rewrite(node, item, f"{text(item)} dropped", replace(node, right=replace(items, items=rest)))


def _value(node: Node, text: Texts) -> Iterator[Rewrite]:
    """Yield the changes inside a node that is an operand."""
    match node:
        case TagRef():
            yield Rewrite(node, node, "another key", replace(node, key=NO_KEY))
        case MetricCall():
            yield from _metric(node, text)
        case Arithmetic():
            if _may_change_sign(node):
                how = f"{node.operator} → {ARITHMETIC[node.operator]}"
                yield Rewrite(node, node, how, replace(node, operator=ARITHMETIC[node.operator]))
            for side, put in _sides(node):
                if isinstance(side, Literal):
                    yield from (Rewrite(node, side, how, put(moved)) for how, moved in moves(side, text(side)))
                else:
                    yield from _below(_value(side, text), put)
        case Quantifier():
            other = "all" if node.function == "exists" else "exists"
            yield Rewrite(node, node, f"{node.function} → {other}", replace(node, function=other))
            yield from _below(_value(node.operand, text), lambda new: replace(node, operand=new))
            inner = _condition(node.condition, text, negate=True)
            yield from _below(inner, lambda new: replace(node, condition=new))
        case Default(fallback=Literal(value=bool() as value) as fallback):
            flipped = replace(fallback, value=not value)
            yield Rewrite(node, fallback, f"{text(fallback)} flipped", replace(node, fallback=flipped))
            yield from _below(_value(node.operand, text), lambda new: replace(node, operand=new))
        case Has() | Size() | Lower() | Matches() | Negative() | Default() | TextTest():
            yield from _below(_value(node.operand, text), lambda new: replace(node, operand=new))
        case FieldRef() | _:
            return


def _may_change_sign(node: Arithmetic) -> bool:
    """Return whether the other operator goes with the operands too: times are not added up, nor taken off lengths."""
    if any(_is(side, Type.STRING) for side in (node.left, node.right)):
        return False
    return node.operator not in ("+", "-") or not _is(node.right, Type.TIMESTAMP)


def _is(node: Node, wanted: Type) -> bool:
    """Return whether `node` is of that type; only for texts and times."""
    match node:
        case FieldRef():
            return node.type is wanted
        case Arithmetic():
            return any(_is(side, wanted) for side in (node.left, node.right))
        case NowRef() | Literal(value=datetime()):
            return wanted is Type.TIMESTAMP
        case TagRef() | Lower() | LocalRef() | Literal(value=str()):
            return wanted is Type.STRING
        case _:
            return False


def _metric(node: MetricCall, text: Texts) -> Iterator[Rewrite]:
    other = "max" if node.function == "min" else "min"
    yield Rewrite(node, node, f"{node.function} → {other}", replace(node, function=other))
    written = _LENGTH.findall(text(node))
    for how, length in moved_lengths(node.window, written[-1] if written else ""):
        yield Rewrite(node, node, how, replace(node, window=length))


def moves(literal: Literal, written: str) -> Iterator[tuple[str, Literal]]:
    """Yield `literal` one lower and one higher in the last place of its text; nothing for texts and truth values."""
    value = literal.value
    match value:
        case bool() | str() | None:
            return
        case timedelta():
            length = _LENGTH.search(written)
            for how, moved in moved_lengths(value, length[0] if length else ""):
                yield how, replace(literal, value=moved)
        case datetime():
            for days in (-1, 1):
                yield f"{days:+} day", replace(literal, value=value + timedelta(days=days))
        case _:
            for text, number, factor in moved_numbers(written):
                exact = number if factor is None else Decimal(str(value)) * factor
                whole = isinstance(value, int) and exact == int(exact)
                yield f"{written} → {text}", replace(literal, value=int(exact) if whole else exact)


def moved_numbers(written: str) -> Iterator[tuple[str, Decimal, Decimal | None]]:
    """
    Yield the number in `written` one lower and one higher in its last place: as text, by itself, and by how much
    to multiply what it stood for; None for the last where it stood for zero.
    """
    found = _NUMBER.search(written)
    if found is None:
        return
    before, unit = written[: found.start()], found[3]
    number = Decimal(found[1].replace(",", "") + (found[2] or ""))
    step = Decimal(1).scaleb(-len(found[2] or ".") + 1)
    for moved in (number - step, number + step):
        yield f"{before}{moved:,f}{unit}", moved, moved / number if number else None


def moved_lengths(length: timedelta, written: str) -> Iterator[tuple[str, timedelta]]:
    """Yield `length` one lower and one higher in the last unit that is written: `4h` as `3h` and `5h`."""
    text = written or format_duration(length)
    step = parse_duration(f"1{text[-1]}")
    number = re.fullmatch(r"(\d+)(\w)", text)
    for moved in (length - step, length + step):
        shown = f"{moved // step}{text[-1]}" if number else format_duration(moved)
        yield f"{text} → {shown}", moved
