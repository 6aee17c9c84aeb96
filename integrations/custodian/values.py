"""
A `value` filter of theirs to a condition.

Its words `absent`, `present`, `empty` and `not-null` are read here, its conversions (`value_type`) and plain
comparisons are passed on. Whatever else it holds is refused.
"""

from __future__ import annotations

import operator as python
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from engine.kinds import Type
from integrations.custodian.comparing import SYMBOLS, compared, filled, guarded, hollow, present
from integrations.custodian.condition import Condition, Constant, Test, comparison, negation, pattern, quoted
from integrations.custodian.lengths import ORDERED, days, length_test, moment
from integrations.custodian.literal import WORDS, expanded, literal, literals, shown
from integrations.custodian.model import Filter, Refused, Scope
from integrations.custodian.operand import Found, Operand, operand_of
from integrations.custodian.patterns import checked
from integrations.custodian.places import AllTags, Flag, Items, Presence

OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "eq": "eq", "equal": "eq", "ne": "ne", "not-equal": "ne", "gt": "gt", "greater-than": "gt",
        "ge": "ge", "gte": "ge", "le": "le", "lte": "le", "lt": "lt", "less-than": "lt",
        "in": "in", "ni": "not-in", "not-in": "not-in", "contains": "contains", "glob": "glob",
        "regex": "regex", "regex-case": "regex-case",
    }
)  # fmt: skip
"""Their operators, each under one name."""
SPECIAL = frozenset({"absent", "present", "empty", "not-null"})
KEYS = frozenset({"type", "key", "value", "op", "value_type"})
LENGTH = re.compile(r"length\((.+)\)")
COUNTED: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"eq": python.eq, "ne": python.ne, "gt": python.gt, "ge": python.ge, "le": python.le, "lt": python.lt}
)
MANY = 1_000_000


def value_condition(data: Filter, scope: Scope) -> Condition:
    """
    Return the condition of a `value` filter: `{type: value, key: …}` or, in short, `{path: value}`.

    Raises:
        Refused: where it has no equal.
    """
    if len(data) == 1 and "type" not in data:
        ((path, value),) = data.items()
        return _condition(str(path), "", value, "", scope)
    for key in data:
        if key not in KEYS:
            raise Refused(f"`{key}` of a value filter has no equal", (key,))
    if "key" not in data or "value" not in data:
        raise Refused("the value filter lacks `key` or `value`")
    symbol = data.get("op", "")
    if symbol and symbol not in OPERATORS:
        raise Refused(f"the operator {shown(symbol)} has no equal", ("op",))
    return _condition(str(data["key"]), OPERATORS.get(symbol, ""), data["value"], data.get("value_type") or "", scope)


def _condition(path: str, operator: str, value: Any, converted: str, scope: Scope) -> Condition:
    counted = LENGTH.fullmatch(path)
    if counted:
        if converted:
            raise Refused(f"`{path}` is converted once more by `value_type: {converted}`")
        return _sized(operand_of(counted[1], scope), operator or "eq", value)
    found = operand_of(path, scope)
    if isinstance(value, str) and value in SPECIAL:
        if operator not in ("", "eq") or converted:
            raise Refused(f"`{value}` stands beside an operator or a `value_type`, which makes it another question")
        return _special(found, value, path)
    if converted:
        return _converted(found, operator, value, converted, path)
    return _plain(found, operator or "eq", value, path)


def _plain(found: Found, operator: str, value: Any, path: str) -> Condition:
    match found:
        case Operand() if value is None and operator in ("eq", "ne"):
            return present(found) if operator == "ne" else negation(present(found))
        case Operand():
            return compared(found, operator, value)
        case Flag(expression) if operator in ("eq", "ne") and isinstance(value, bool):
            flag = Test(expression)
            return flag if value is (operator == "eq") else negation(flag)
        case Items(expression) if operator in ("eq", "ne") and value == []:
            items = Test(expression, compares=False)
            return items if operator == "ne" else negation(items)
        case _:
            raise Refused(f"only whether there is anything under `{path}` is known here, not what")


def _special(found: Found, word: str, path: str) -> Condition:
    """Return what `absent`, `present`, `empty` and `not-null` ask."""
    match found, word:
        case Operand(), "absent":
            return negation(present(found))
        case Operand(), "present":
            return present(found)
        case Operand(), "empty":
            return hollow(found)
        case Operand(), _:
            return filled(found)
        case Presence(expression), _:
            there = Test(expression, compares=" " in expression)
            return there if word in ("present", "not-null") else negation(there)
        case Items(expression), "empty" | "not-null":
            items = Test(expression, compares=False)
            return items if word == "not-null" else negation(items)
        case Flag(expression), "empty" | "not-null":
            flag = Test(expression)
            return flag if word == "not-null" else negation(flag)
        case AllTags(), "empty" | "not-null":
            return comparison("size(tags)", "==" if word == "empty" else ">", "0")
        case _:
            raise Refused(f"`{path}: {word}` depends on how the service writes an empty list, which is not kept here")


def _converted(found: Found, operator: str, value: Any, converted: str, path: str) -> Condition:
    """Return a comparison with a `value_type`."""
    match converted, found:
        case "size", _:
            return _sized(found, operator or "eq", value)
        case "age" | "expiration" | "date", Operand(type=Type.TIMESTAMP):
            return guarded(found, _timed(found.path, operator, value, converted), otherwise=False)
        case "age" | "expiration" | "date", Operand():
            raise Refused(f"`{path}` holds text: dates in it are not read here")
        case "integer" | "float", Operand(type=Type.NUMBER):
            return _counted(found, operator or "eq", value)
        case "normalize", Operand(type=Type.STRING, words=None, nothing=""):
            return _normalized(found, operator or "eq", value)
        case "swap", Operand():
            return _swapped(found, operator, value)
        case _:
            raise Refused(f"`value_type: {converted}` has no equal for `{path}`")


def _timed(path: str, operator: str, value: Any, converted: str) -> Condition:
    """Return a comparison of a time; what came later is greater, what is older has the greater age."""
    if operator not in ORDERED:
        raise Refused(f"`value_type: {converted}` without one of `gt`, `ge`, `lt`, `le` asks for a single moment")
    match converted:
        case "age":
            return length_test("resource.age" if path == "resource.created" else f"now - {path}", operator, days(value))
        case "expiration":
            return length_test(f"{path} - now", operator, days(value))
        case _:
            return comparison(path, SYMBOLS[operator], moment(value))


def _counted(found: Operand, operator: str, value: Any) -> Condition:
    """Return a comparison of a number; what is not there counts as 0."""
    if operator not in COUNTED:
        raise Refused(f"`{operator}` is asked of a number")
    test = comparison(found.path, SYMBOLS[operator], literal(value, Type.NUMBER))
    return guarded(found, test, otherwise=COUNTED[operator](0, value))


def _sized(found: Found, operator: str, value: Any) -> Condition:
    """Return a comparison of how much there is; what is not there has the size 0."""
    if operator not in COUNTED or isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"a size is compared with {shown(value)} by `{operator}`")
    match found:
        case AllTags():
            return comparison("size(tags)", SYMBOLS[operator], str(value))
        case Items(expression):
            return any_or_none(Test(expression, compares=False), operator, value)
        case Operand(type=Type.STRING | Type.STRINGS, words=None, nothing=""):
            test = comparison(f"size({found.path})", SYMBOLS[operator], str(value))
            return guarded(found, test, otherwise=COUNTED[operator](0, value))
        case _:
            raise Refused("how much there is, is not known here")


def any_or_none(there: Condition, operator: str, value: int) -> Condition:
    """
    Return a comparison of a number of which only is known whether it is zero.

    Raises:
        Refused: where the answer depends on more.
    """
    answers = [COUNTED[operator](count, value) for count in (0, 1, max(value, 1), max(value + 1, 1), MANY)]
    if len(set(answers[1:])) > 1:
        raise Refused("how many there are is not known here, only whether there are any")
    match answers[0], answers[1]:
        case True, True:
            return Constant(value=True)
        case False, False:
            return Constant(value=False)
        case none, _:
            return negation(there) if none else there


def _normalized(found: Operand, operator: str, value: Any) -> Condition:
    """Return a comparison without regard to case and surrounding space; their constant is compared as it stands."""
    if operator not in ("eq", "ne", "in", "not-in"):
        raise Refused(f"`{operator}` of a normalized text has no equal")
    wanted = value if operator in ("in", "not-in") else [value]
    literals(wanted, Type.STRING)
    words = [expanded(word) for word in wanted]
    for word in words:
        if word != word.strip().lower() or not word.isascii():
            raise Refused(f"{shown(word)} is not what a text without capitals and surrounding space can be equal to")
    text = "|".join(re.escape(word).replace("\\ ", " ") for word in words)
    inner = f"(?:{text})" if len(words) > 1 else text
    found_text = checked(f"^[\\s\\p{{Z}}]*{inner}[\\s\\p{{Z}}]*$", text)
    test: Condition = Test(f"{found.path}.lowerAscii().matches({pattern(found_text)})", compares=False)
    opposite = operator in ("ne", "not-in")
    return guarded(found, negation(test) if opposite else test, otherwise=opposite)


def _swapped(found: Operand, operator: str, value: Any) -> Condition:
    """Return whether their constant is in the resource's value, a list or a text."""
    if operator not in ("in", "not-in") or not isinstance(value, str):
        raise Refused("`value_type: swap` has an equal only with `in` or `not-in` and a text")
    match found.type:
        case Type.STRINGS:
            test: Condition = comparison(quoted(expanded(value)), "in", found.path)
        case Type.STRING if found.words is None and not found.nothing:
            test = Test(f"{found.path}.contains({quoted(expanded(value))})", compares=False)
        case _:
            raise Refused(f"`value_type: swap` has no equal for {WORDS.get(found.type, found.type.value)}")
    opposite = operator == "not-in"
    return guarded(found, negation(test) if opposite else test, otherwise=opposite)
