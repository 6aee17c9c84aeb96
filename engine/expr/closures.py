"""
The closures of compiled expressions: each answers what is plainly there and asks `slow` for anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from engine.expr import semantics
from engine.model import IDENTITY, Resource
from engine.values import Answer, Truth, Unknown

Closure: TypeAlias = Callable[[Resource], Any]


def conjunction(operands: list[Closure]) -> Closure:
    """Kleene `and`: False ends it, Unknown waits for a False."""
    if len(operands) == 2:
        first, second = operands

        def both(resource: Resource) -> Truth:
            left: Truth = first(resource)
            if left is False:
                return False
            right: Truth = second(resource)
            return right if left is True or right is False else left

        return both
    if len(operands) == 3:
        one, two, three = operands

        def all_three(resource: Resource) -> Truth:
            left: Truth = one(resource)
            if left is False:
                return False
            middle: Truth = two(resource)
            if middle is False:
                return False
            right: Truth = three(resource)
            if right is False:
                return False
            return right if left is True and middle is True else middle if left is True else left

        return all_three
    every = tuple(operands)

    def all_true(resource: Resource) -> Truth:
        unknown: Truth = True
        for operand in every:
            answer: Truth = operand(resource)
            if answer is False:
                return False
            if unknown is True:
                unknown = answer
        return unknown

    return all_true


def disjunction(operands: list[Closure]) -> Closure:
    """Kleene `or`: True ends it, Unknown waits for a True."""
    if len(operands) == 2:
        first, second = operands

        def either(resource: Resource) -> Truth:
            left: Truth = first(resource)
            if left is True:
                return True
            right: Truth = second(resource)
            return right if left is False or right is True else left

        return either
    if len(operands) == 3:
        one, two, three = operands

        def any_of_three(resource: Resource) -> Truth:
            left: Truth = one(resource)
            if left is True:
                return True
            middle: Truth = two(resource)
            if middle is True:
                return True
            right: Truth = three(resource)
            if right is True:
                return True
            return right if left is False and middle is False else middle if left is False else left

        return any_of_three
    every = tuple(operands)

    def any_true(resource: Resource) -> Truth:
        unknown: Truth = False
        for operand in every:
            answer: Truth = operand(resource)
            if answer is True:
                return True
            if unknown is False:
                unknown = answer
        return unknown

    return any_true


def inversion(operand: Closure) -> Closure:
    """Kleene `not`."""

    def inverted(resource: Resource) -> Truth:
        answer: Truth = operand(resource)
        if answer is True:
            return False
        return True if answer is False else answer

    return inverted


def boolean_field(name: str, slow: Closure) -> Closure:
    def boolean(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        if value is True or value is False:
            return value
        answer: Truth = slow(resource)
        return answer

    return boolean


def number_field_against(name: str, symbol: str, constant: float | Decimal, slow: Closure) -> Closure:
    holds = semantics.ORDER[symbol]
    near = float(constant) if isinstance(constant, Decimal) else constant

    def number(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        kind = value.__class__
        if kind is int:
            return holds(value, constant)
        # A number minus itself is zero, except for NaN and the infinities.
        if kind is float and value - value == 0.0:  # type: ignore[operator]
            return holds(value, near)
        answer: Truth = slow(resource)
        return answer

    return number


def text_field_against(name: str, symbol: str, constant: str, slow: Closure) -> Closure:
    if name in IDENTITY:
        return identity_against(name, symbol, constant, slow)
    if symbol == "==":

        def equal(resource: Resource) -> Truth:
            value = resource.fields.get(name)
            if value.__class__ is str:
                return value == constant
            answer: Truth = slow(resource)
            return answer

        return equal
    holds = semantics.ORDER[symbol]

    def compared(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        if value.__class__ is str:
            return holds(value, constant)
        answer: Truth = slow(resource)
        return answer

    return compared


def identity_against(name: str, symbol: str, constant: str, slow: Closure) -> Closure:
    holds = semantics.ORDER[symbol]

    def compared(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        if value is None:
            value = getattr(resource, name)
        if value.__class__ is str:
            return holds(value, constant)
        answer: Truth = slow(resource)
        return answer

    return compared


def tag_against(key: str, symbol: str, constant: str, slow: Closure) -> Closure:
    if symbol == "==":

        def equal(resource: Resource) -> Truth:
            value = resource.tags.get(key)
            if value.__class__ is str:
                return value == constant
            answer: Truth = slow(resource)
            return answer

        return equal
    holds = semantics.ORDER[symbol]

    def compared(resource: Resource) -> Truth:
        value = resource.tags.get(key)
        if value.__class__ is str:
            return holds(value, constant)
        answer: Truth = slow(resource)
        return answer

    return compared


def tag_among(key: str, constants: frozenset[str], slow: Closure) -> Closure:
    def among(resource: Resource) -> Truth:
        value = resource.tags.get(key)
        if value.__class__ is str:
            return value in constants
        answer: Truth = slow(resource)
        return answer

    return among


def field_among(name: str, constants: frozenset[str], slow: Closure) -> Closure:
    def among(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        if value.__class__ is str:
            return value in constants
        answer: Truth = slow(resource)
        return answer

    return among


def age_against(symbol: str, constant: timedelta, now: datetime, slow: Closure) -> Closure:
    try:
        edge = now - constant
    except OverflowError:
        return slow
    # An age above so many days is a beginning before the day that long ago.
    holds = semantics.ORDER[semantics.MIRRORED[symbol]]

    def aged(resource: Resource) -> Truth:
        fields: Mapping[str, Any] = resource.fields
        created = fields.get("created")
        if created.__class__ is datetime and created.tzinfo is UTC and created <= now and "age" not in fields:
            return holds(created, edge)
        answer: Truth = slow(resource)
        return answer

    return aged


def fallback_to(operand: Closure, fallback: Any) -> Closure:
    def fallen(resource: Resource) -> Answer:
        answer: Answer = operand(resource)
        return fallback if isinstance(answer, Unknown) else answer

    return fallen


def field_text_test(name: str, test: Callable[[str, str], bool], part: str, slow: Closure) -> Closure:
    """`resource.name.startsWith("p")` and its like."""

    def tested(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        if value.__class__ is str:
            return test(value, part)
        answer: Truth = slow(resource)
        return answer

    return tested


def tag_text_test(key: str, test: Callable[[str, str], bool], part: str, slow: Closure) -> Closure:
    """`tags.key.startsWith("p")` and its like."""

    def tested(resource: Resource) -> Truth:
        value = resource.tags.get(key)
        if value.__class__ is str:
            return test(value, part)
        answer: Truth = slow(resource)
        return answer

    return tested


def has_tag(key: str, slow: Closure) -> Closure:
    """`has(tags.key)`."""

    def has(resource: Resource) -> Truth:
        if resource.tags.get(key).__class__ is str:
            return True
        if key not in resource.tags and "tags" not in resource.gaps:
            return False
        answer: Truth = slow(resource)
        return answer

    return has


def lacks_tag(key: str, slow: Closure) -> Closure:
    """`not has(tags.key)`."""

    def lacks(resource: Resource) -> Truth:
        if resource.tags.get(key).__class__ is str:
            return False
        if key not in resource.tags and "tags" not in resource.gaps:
            return True
        answer: Truth = slow(resource)
        return answer

    return lacks


def field_matches(name: str, search: Callable[[str], Truth], slow: Closure) -> Closure:
    """`resource.name.matches("^p")`."""

    def matched(resource: Resource) -> Truth:
        value = resource.fields.get(name)
        if value.__class__ is str:
            return search(value)
        answer: Truth = slow(resource)
        return answer

    return matched


def tag_matches(key: str, search: Callable[[str], Truth], slow: Closure) -> Closure:
    """`tags.key.matches("^p")`."""

    def matched(resource: Resource) -> Truth:
        value = resource.tags.get(key)
        if value.__class__ is str:
            return search(value)
        answer: Truth = slow(resource)
        return answer

    return matched
