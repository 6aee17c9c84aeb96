"""
What operators mean on values that may be unknown. Both evaluators build on these functions.

With `closed`, used for the clauses of `unless`, an operand that is known to be absent equals nothing:
`==`, `in` and the text tests are false and `!=` is true. Every other ignorance stays unknown.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from types import MappingProxyType
from typing import Any

from engine.expr.env import Env
from engine.expr.syntax import CostRef, FieldRef, ListLiteral, Literal, MetricCall, TagRef
from engine.kinds import Type
from engine.model import Resource, read_field, read_tag
from engine.values import Answer, Reason, Truth, Unknown, Value

ABSENT = frozenset({Reason.MISSING})
"""Reasons that mean that there is known to be no value. An empty value where one belongs is no such knowledge."""
MONTH_HOURS = 730
LONGEST_DETAIL = 80
"""Characters of a wrong value that are shown."""

ORDER: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)
MIRRORED: Mapping[str, str] = MappingProxyType({"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="})
"""The operator that says the same of the operands in the other order."""
TEXT: Mapping[str, Callable[[str, str], bool]] = MappingProxyType(
    {
        "startsWith": str.startswith,
        "endsWith": str.endswith,
        "contains": lambda text, part: part in text,
    }
)


def read(node: FieldRef | TagRef | CostRef | MetricCall, resource: Resource, env: Env) -> Answer:
    """Return what a leaf stands for, of its declared type, or why that is not known."""
    match node:
        case TagRef():
            return typed(read_tag(resource, node.key), Type.STRING, node.path)
        case FieldRef():
            group = node.groups.get(resource.kind, "core")
            value = read_field(resource, node.name, group, env.now)
            if isinstance(value, Unknown) and value.reason is Reason.MISSING and resource.kind in node.required:
                return Unknown(Reason.SOURCE_ERROR, "the source did not send it", node.path)
            return typed(value, node.type, node.path)
        case CostRef():
            cost = env.cost(resource)
            if isinstance(cost, Unknown):
                return Unknown(cost.reason, cost.detail, node.path)
            hourly = typed(cost, Type.NUMBER, node.path)
            return calculate("*", hourly, MONTH_HOURS) if node.period == "monthly" else hourly
        case MetricCall():
            path = f"{node.function}(metrics.{node.metric})"
            return typed(env.metric(resource, node.function, node.metric, node.window), Type.NUMBER, path)


def typed(value: Answer, type_: Type, path: str) -> Answer:
    """Return `value` if it has the declared type."""
    if isinstance(value, Unknown):
        return Unknown(value.reason, value.detail, value.path or path)
    match type_:
        case Type.BOOL:
            fits = isinstance(value, bool)
        case Type.NUMBER:
            if not _finite(value):
                return Unknown(Reason.NAN, str(value), path)
            fits = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        case Type.STRING:
            fits = isinstance(value, str)
        case Type.TIMESTAMP:
            fits = isinstance(value, datetime) and value.tzinfo is not None
        case Type.DURATION:
            fits = isinstance(value, timedelta)
        case Type.STRINGS:
            fits = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
        case _:
            fits = False
    return value if fits else Unknown(Reason.WRONG_TYPE, f"{_shown(value)} is not {type_.value}", path)


def _finite(value: object) -> bool:
    """Return whether `value` is anything but an infinity or NaN; `math.isfinite` refuses a signalling NaN."""
    match value:
        case Decimal():
            return value.is_finite()
        case float():
            return math.isfinite(value)
        case _:
            return True


def _shown(value: object) -> str:
    """Return `value` for a person; long ones, and integers too long to be written, in short."""
    try:
        text = repr(value)
    except ValueError:
        return f"a very large {type(value).__name__}"
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]}…"


def constants(node: ListLiteral) -> Value:
    """Return the elements of a list literal; `null` equals nothing and is left out."""
    return tuple(item.value for item in node.items if isinstance(item, Literal) and item.value is not None)


def tags_gap(resource: Resource) -> Unknown | None:
    """Return why the tags of `resource` may be incomplete; None when all are known."""
    gap = resource.gaps.get("tags")
    return None if gap is None else Unknown(gap.reason, gap.detail, "tags")


def absent(answer: Answer) -> bool:
    """Return whether it is known that there is no value."""
    return isinstance(answer, Unknown) and answer.reason in ABSENT


def ignorance(*answers: Answer) -> Unknown | None:
    """Return the first operand that is not known; one that is not known to be absent goes first."""
    found = [answer for answer in answers if isinstance(answer, Unknown)]
    if not found:
        return None
    return next((answer for answer in found if not absent(answer)), found[0])


def compare(symbol: str, left: Answer, right: Answer, *, closed: bool) -> Truth:
    """Return `left symbol right` for operands of one type."""
    unknown = ignorance(left, right)
    if unknown is not None:
        if closed and absent(unknown) and symbol in ("==", "!="):
            return symbol == "!="
        return unknown
    if isinstance(left, float) and isinstance(right, Decimal):
        right = float(right)
    elif isinstance(left, Decimal) and isinstance(right, float):
        left = float(left)
    return ORDER[symbol](left, right)


def is_null(answer: Answer) -> Truth:
    """Return whether `answer == null`."""
    if isinstance(answer, Unknown):
        return True if answer.reason in ABSENT else answer
    return False


def member(item: Answer, items: Answer, *, closed: bool) -> Truth:
    """Return whether `item` is in the list `items`."""
    unknown = ignorance(item, items)
    if unknown is not None:
        return False if closed and absent(unknown) else unknown
    assert isinstance(items, tuple)
    return any(compare("==", item, other, closed=False) is True for other in items)


def has_tag(key: Answer, resource: Resource) -> Truth:
    """Return whether `key` is among the tags of `resource`."""
    if isinstance(key, Unknown):
        return key
    found = read_tag(resource, str(key))
    if isinstance(found, Unknown):
        return False if found.reason is Reason.MISSING else found
    return True


def present(answer: Answer) -> Truth:
    """Return whether there is a value: `has()`."""
    if isinstance(answer, Unknown):
        return False if answer.reason in ABSENT else answer
    return True


def text_test(function: str, text: Answer, part: Answer, *, closed: bool) -> Truth:
    """Return `text.function(part)`."""
    unknown = ignorance(text, part)
    if unknown is not None:
        return False if closed and absent(unknown) else unknown
    assert isinstance(text, str)
    assert isinstance(part, str)
    return TEXT[function](text, part)


def matches(text: Answer, compiled: Any, *, closed: bool) -> Truth:
    """Return whether the RE2 pattern is found anywhere in `text`."""
    if isinstance(text, Unknown):
        return False if closed and absent(text) else text
    try:
        return compiled.search(text) is not None
    except UnicodeEncodeError:
        return Unknown(Reason.WRONG_TYPE, f"{_shown(text)} is not valid Unicode")


def lower(text: Answer) -> Answer:
    """Return `text` with the letters A to Z in lower case, and no other."""
    if isinstance(text, Unknown):
        return text
    assert isinstance(text, str)
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in text)


def calculate(symbol: str, left: Answer, right: Answer) -> Answer:
    """Return `left symbol right`; what has no finite result is not known."""
    unknown = ignorance(left, right)
    if unknown is not None:
        return unknown
    a: Any = left
    b: Any = right
    if isinstance(a, float) and isinstance(b, Decimal):
        a = Decimal(str(a))
    elif isinstance(a, Decimal) and isinstance(b, float):
        b = Decimal(str(b))
    try:
        match symbol:
            case "+":
                result = a + b
            case "-":
                result = a - b
            case "*":
                result = a * b
            case _:
                if not b:
                    return Unknown(Reason.WRONG_TYPE, "division by zero")
                result = a / b
    except (OverflowError, DecimalException):
        return Unknown(Reason.NAN, f"{_shown(a)} {symbol} {_shown(b)} is too large")
    if not _finite(result):
        return Unknown(Reason.NAN, f"{_shown(a)} {symbol} {_shown(b)} is too large")
    return result  # type: ignore[no-any-return]


def negate(answer: Answer) -> Answer:
    """Return `-answer`."""
    if isinstance(answer, Unknown):
        return answer
    value: Any = answer
    try:
        return -value  # type: ignore[no-any-return]
    except (OverflowError, DecimalException):
        return Unknown(Reason.NAN, f"-({_shown(value)}) is too large")
