"""
One comparison of a field or a tag with a constant.

Custodian compares as Python does: what is not there is None, which equals nothing and differs from everything,
and what cannot be compared does not match. The functions here write that out, so that a condition is true or
false about absent values where theirs is; only what is not known makes it unknown.
"""

from __future__ import annotations

from typing import Any

from engine.kinds import Type
from integrations.custodian.condition import (
    Condition,
    Constant,
    Every,
    Test,
    comparison,
    every,
    listed,
    negation,
    pattern,
    quoted,
    some,
)
from integrations.custodian.literal import WORDS, expanded, literal, literals, shown
from integrations.custodian.model import Refused
from integrations.custodian.operand import Operand
from integrations.custodian.patterns import matching, shell

SYMBOLS = {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "le": "<=", "lt": "<"}
WILD = frozenset("*?[")


def present(operand: Operand) -> Condition:
    """Return whether Custodian has a value."""
    if operand.nothing:
        return comparison(operand.path, "!=", quoted(operand.nothing))
    return Test(f"has({operand.path})", compares=False) if operand.optional else Constant(value=True)


def filled(operand: Operand) -> Condition:
    """Return whether Custodian's value counts as true: it is there, and neither empty nor zero."""
    there = present(operand)
    match operand.type:
        case Type.STRING if not operand.values and not operand.words and not operand.nothing:
            return every([there, comparison(operand.path, "!=", '""')])
        case Type.NUMBER:
            return every([there, comparison(operand.path, "!=", "0")])
        case Type.STRINGS:
            return every([there, comparison(f"size({operand.path})", ">", "0")])
        case Type.BOOL if not operand.words:
            return every([there, Test(operand.path, compares=False)])
        case _:
            return there


def hollow(operand: Operand) -> Condition:
    """Return the opposite of `filled`."""
    match filled(operand):
        case Every(parts):
            return some(negation(part) for part in parts)
        case other:
            return negation(other)


def guarded(operand: Operand, condition: Condition, *, otherwise: bool) -> Condition:
    """Return `condition`, and `otherwise` where there is no value."""
    if not operand.optional:
        return condition
    there = present(operand)
    return some([negation(there), condition]) if otherwise else every([there, condition])


def compared(operand: Operand, operator: str, value: Any) -> Condition:
    """
    Return `operand operator value`; the operators are those of `values.OPERATORS`.

    Raises:
        Refused: where there is no such comparison here, or it never matches there.
    """
    if operand.words is not None or operand.nothing:
        return _in_words(operand, operator, value)
    if operand.type is Type.TIMESTAMP:
        raise Refused(f"{shown(value)} is compared with a time without a `value_type`: Custodian never matches it")
    match operator:
        case "eq" | "ne":
            return _equal(operand, value, opposite=operator == "ne")
        case "gt" | "ge" | "le" | "lt":
            if operand.type not in (Type.NUMBER, Type.STRING):
                raise Refused(f"`{operator}` is asked of {WORDS.get(operand.type, operand.type.value)}")
            test = comparison(operand.path, SYMBOLS[operator], literal(value, operand.type))
            return guarded(operand, test, otherwise=False)
        case "in" | "not-in":
            return _member(operand, value, opposite=operator == "not-in")
        case _:
            return guarded(operand, _text_test(operand, operator, value), otherwise=False)


def _equal(operand: Operand, value: Any, *, opposite: bool) -> Condition:
    if operand.type is Type.BOOL:
        literal(value, Type.BOOL)
        test: Condition = Test(operand.path, compares=False)
        return guarded(operand, test if value is not opposite else negation(test), otherwise=opposite)
    if operand.type is Type.STRINGS:
        raise Refused(f"a list is compared with {shown(value)}")
    _lasting([value], operand, opposite=opposite)
    found = comparison(operand.path, SYMBOLS["ne" if opposite else "eq"], literal(value, operand.type))
    return guarded(operand, found, otherwise=opposite)


def _member(operand: Operand, value: Any, *, opposite: bool) -> Condition:
    if operand.type not in (Type.STRING, Type.NUMBER):
        raise Refused(f"`in` is asked of {WORDS.get(operand.type, operand.type.value)}")
    found = literals(value, operand.type)
    _lasting(value, operand, opposite=opposite)
    if len(found) == 1:
        return _equal(operand, value[0], opposite=opposite)
    word = "not in" if opposite else "in"
    return guarded(operand, comparison(operand.path, word, listed(found)), otherwise=opposite)


def _lasting(values: list[Any], operand: Operand, *, opposite: bool) -> None:
    """Refuse to look for nothing but what is never read here."""
    if not opposite and all(isinstance(value, str) and value in operand.gone for value in values):
        raise Refused(f"what is {shown(values[0])} is gone and not read here: the policy would never match")


def _in_words(operand: Operand, operator: str, value: Any) -> Condition:
    """Return a comparison of a field whose values are called otherwise."""
    opposite = operator in ("ne", "not-in")
    match operator:
        case "eq" | "ne":
            wanted = [value]
        case "in" | "not-in" if isinstance(value, list) and value:
            wanted = value
        case _:
            raise Refused(f"`{operator}` is asked of a value that has another form here")
    found = some(_is_word(operand, item) for item in wanted)
    return guarded(operand, negation(found) if opposite else found, otherwise=opposite)


def _is_word(operand: Operand, value: Any) -> Condition:
    ours = value
    if operand.words is not None:
        ours = operand.words.get(value) if isinstance(value, str) else None
    if ours is None or ours == operand.nothing:
        raise Refused(f"{shown(value)} is a value that is not told apart here")
    if isinstance(ours, bool):
        test: Condition = Test(operand.path, compares=False)
        return test if ours else negation(test)
    return comparison(operand.path, "==", literal(ours, operand.type))


def _text_test(operand: Operand, operator: str, value: Any) -> Condition:
    if operator == "contains" and operand.type is Type.STRINGS:
        return comparison(literal(value, Type.STRING), "in", operand.path)
    if operand.type is not Type.STRING:
        raise Refused(f"`{operator}` is asked of {WORDS.get(operand.type, operand.type.value)}")
    written = literal(value, Type.STRING)
    text = expanded(value)
    match operator:
        case "contains":
            return Test(f"{operand.path}.contains({written})", compares=False)
        case "glob":
            return _shell_test(operand.path, text)
        case _:
            found = matching(text, ignore_case=operator == "regex")
            return Test(f"{operand.path}.matches({pattern(found)})", compares=False)


def _shell_test(path: str, text: str) -> Condition:
    """Return whether the whole of `path` matches a shell pattern."""
    inner = text.strip("*")
    if inner and not WILD & set(inner):
        match text.startswith("*"), text.endswith("*"):
            case True, True:
                return Test(f"{path}.contains({quoted(inner)})", compares=False)
            case True, False:
                return Test(f"{path}.endsWith({quoted(inner)})", compares=False)
            case False, True:
                return Test(f"{path}.startsWith({quoted(inner)})", compares=False)
            case _:
                return comparison(path, "==", quoted(inner))
    return Test(f"{path}.matches({pattern(shell(text))})", compares=False)
