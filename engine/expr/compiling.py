"""
Trees to closures: the fast evaluator.

Leaves that compare a field or a tag with a constant are one closure with one dictionary lookup and
one class check; whatever is not plainly there goes to the slow path, which is the shared semantics.
A compiled expression belongs to one run and one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias, assert_never

from engine.expr import semantics
from engine.expr.env import Env
from engine.expr.interpret import interpret
from engine.expr.syntax import (
    Arithmetic,
    Call,
    Comparison,
    CostRef,
    Default,
    FieldRef,
    Has,
    ListLiteral,
    Literal,
    LocalRef,
    Logic,
    Lower,
    Matches,
    Member,
    MetricCall,
    Name,
    Negative,
    Node,
    Not,
    NowRef,
    Quantifier,
    Size,
    TagRef,
    TagsRef,
    TextTest,
    children,
)
from engine.kinds import Type
from engine.model import IDENTITY, Resource
from engine.values import Answer, Truth, Unknown

Closure: TypeAlias = Callable[[Resource], Any]
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
READ = FieldRef | TagRef | CostRef | MetricCall


def compile_node(node: Node, env: Env, *, closed: bool = False) -> Callable[[Resource], Answer]:
    """Return a function that gives what `interpret` gives, faster."""
    return _Compiler(env, closed=closed).compile(node)


def _constant(node: Node) -> bool:
    if isinstance(node, READ | TagsRef | NowRef | LocalRef):
        return False
    return all(_constant(child) for child in children(node))


class _Compiler:
    def __init__(self, env: Env, *, closed: bool) -> None:
        self.env = env
        self.closed = closed
        self.cells: list[list[Any]] = []

    def compile(self, node: Node) -> Closure:
        if not isinstance(node, Literal) and _constant(node):
            value = interpret(node, _NOBODY, self.env, closed=self.closed)
            return lambda _: value
        match node:
            case Literal() | ListLiteral() | NowRef() | TagsRef() | LocalRef():
                return self.leaf(node)
            case FieldRef() | TagRef() | CostRef() | MetricCall():
                return self.read(node)
            case Logic():
                operands = [self.compile(operand) for operand in node.operands]
                return conjunction(operands) if node.operator == "and" else disjunction(operands)
            case Not():
                return inversion(self.compile(node.operand))
            case Comparison():
                return self.comparison(node)
            case Has():
                return self.has(node)
            case Arithmetic() | Negative() | Default() | Size() | TextTest() | Lower() | Matches():
                return self.function(node)
            case Quantifier():
                return self.quantifier(node)
            case Name() | Member() | Call():
                raise TypeError("the expression was not resolved")
            case _ as never:
                assert_never(never)

    # --- leaves

    def leaf(self, node: Literal | ListLiteral | NowRef | TagsRef | LocalRef) -> Closure:
        if isinstance(node, LocalRef):
            cell = self.cells[node.depth]
            return lambda _: cell[0]
        if isinstance(node, TagsRef):
            return lambda resource: resource.tags
        value = interpret(node, _NOBODY, self.env)
        return lambda _: value

    def read(self, node: FieldRef | TagRef | CostRef | MetricCall) -> Closure:
        read, env = semantics.read, self.env
        if isinstance(node, FieldRef) and node.type is Type.BOOL:
            return boolean_field(node.name, lambda resource: read(node, resource, env))
        return lambda resource: read(node, resource, env)

    def has(self, node: Has) -> Closure:
        operand, present = self.compile(node.operand), semantics.present
        if isinstance(node.operand, TagRef):
            key = node.operand.key

            def has_tag(resource: Resource) -> Truth:
                if key in resource.tags:
                    return present(operand(resource))
                return False if "tags" not in resource.gaps else present(operand(resource))

            return has_tag
        return lambda resource: present(operand(resource))

    # --- comparisons

    def comparison(self, node: Comparison) -> Closure:
        left, right = node.left, node.right
        for side, other in ((left, right), (right, left)):
            if isinstance(side, Literal) and side.value is None:
                return self.null(other, equal=node.operator == "==")
        if node.operator == "in":
            return self.membership(node)
        if isinstance(right, Literal):
            return self.against_constant(left, node.operator, right)
        if isinstance(left, Literal):
            return self.against_constant(right, MIRRORED[node.operator], left)
        first, second = self.compile(left), self.compile(right)
        compare, symbol, closed = semantics.compare, node.operator, self.closed
        return lambda resource: compare(symbol, first(resource), second(resource), closed=closed)

    def null(self, node: Node, *, equal: bool) -> Closure:
        operand, is_null = self.compile(node), semantics.is_null
        if equal:
            return lambda resource: is_null(operand(resource))
        return inversion(lambda resource: is_null(operand(resource)))

    def against_constant(self, node: Node, symbol: str, literal: Literal) -> Closure:
        operand, constant = self.compile(node), literal.value
        compare, closed = semantics.compare, self.closed
        assert constant is not None

        def slow(resource: Resource) -> Truth:
            return compare(symbol, operand(resource), constant, closed=closed)

        match node, constant:
            case FieldRef(name="age"), timedelta():
                return age_against(symbol, constant, self.env.now, slow)
            case FieldRef(), str():
                return text_field_against(node.name, symbol, constant, slow)
            case FieldRef(), bool():
                return slow
            case FieldRef(), int() | float() | Decimal():
                return number_field_against(node.name, symbol, constant, slow)
            case TagRef(), str():
                return tag_against(node.key, symbol, constant, slow)
            case _:
                return slow

    def membership(self, node: Comparison) -> Closure:
        item, closed = self.compile(node.left), self.closed
        if isinstance(node.right, TagsRef):
            has_tag = semantics.has_tag
            return lambda resource: has_tag(item(resource), resource)
        items, member = self.compile(node.right), semantics.member

        def slow(resource: Resource) -> Truth:
            return member(item(resource), items(resource), closed=closed)

        literals = node.right.items if isinstance(node.right, ListLiteral) else ()
        texts = [lit.value for lit in literals if isinstance(lit, Literal) and isinstance(lit.value, str)]
        if literals and len(texts) == len(literals):
            if isinstance(node.left, TagRef):
                return tag_among(node.left.key, frozenset(texts), slow)
            if isinstance(node.left, FieldRef):
                return field_among(node.left.name, frozenset(texts), slow)
        return slow

    # --- functions

    def function(self, node: Arithmetic | Negative | Default | Size | TextTest | Lower | Matches) -> Closure:
        closed = self.closed
        match node:
            case Arithmetic():
                left, right = self.compile(node.left), self.compile(node.right)
                calculate, symbol = semantics.calculate, node.operator
                return lambda resource: calculate(symbol, left(resource), right(resource))
            case Size():
                return self.size(node)
            case TextTest():
                text, part = self.compile(node.operand), self.compile(node.argument)
                test, name = semantics.text_test, node.function
                return lambda resource: test(name, text(resource), part(resource), closed=closed)
        operand = self.compile(node.operand)
        match node:
            case Negative():
                return lambda resource: semantics.negate(operand(resource))
            case Lower():
                return lambda resource: semantics.lower(operand(resource))
            case Matches():
                matches, compiled = semantics.matches, node.compiled
                return lambda resource: matches(operand(resource), compiled, closed=closed)
            case Default():
                return fallback_to(operand, node.fallback.value)
            case _ as never:
                assert_never(never)

    def size(self, node: Size) -> Closure:
        operand = self.compile(node.operand)
        whole, tags_gap = isinstance(node.operand, TagsRef), semantics.tags_gap

        def size(resource: Resource) -> Answer:
            if whole and "tags" in resource.gaps:
                return tags_gap(resource)  # type: ignore[return-value]
            answer = operand(resource)
            return answer if isinstance(answer, Unknown) else len(answer)

        return size

    def quantifier(self, node: Quantifier) -> Closure:
        operand = self.compile(node.operand)
        cell: list[Any] = [None]
        self.cells.append(cell)
        condition = self.compile(node.condition)
        self.cells.pop()
        whole, tags_gap = isinstance(node.operand, TagsRef), semantics.tags_gap
        wanted = node.function == "exists"

        def quantifier(resource: Resource) -> Truth:
            elements = operand(resource)
            if isinstance(elements, Unknown):
                return elements
            unknown: Unknown | None = None
            for element in elements:
                cell[0] = element
                answer: Truth = condition(resource)
                if answer is wanted:
                    return wanted
                if unknown is None and isinstance(answer, Unknown):
                    unknown = answer
            if unknown is None and whole:
                unknown = tags_gap(resource)
            return not wanted if unknown is None else unknown

        return quantifier


_NOBODY = Resource("", "", "", "")
"""Constants do not depend on a resource."""


# --- closures ------------------------------------------------------------------------------------


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
    holds = semantics.ORDER[symbol]

    def aged(resource: Resource) -> Truth:
        fields: Mapping[str, Any] = resource.fields
        created = fields.get("created")
        if created.__class__ is datetime and created.tzinfo is UTC and created <= now and "age" not in fields:
            return holds(now - created, constant)
        answer: Truth = slow(resource)
        return answer

    return aged


def fallback_to(operand: Closure, fallback: Any) -> Closure:
    def fallen(resource: Resource) -> Answer:
        answer: Answer = operand(resource)
        return fallback if isinstance(answer, Unknown) else answer

    return fallen
