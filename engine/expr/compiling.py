"""
Trees to functions: the fast evaluator.

Conditions on a field or a tag are a dictionary lookup and a class check; whatever is not plainly there goes
to the slow path, which is the shared semantics. A compiled expression belongs to one run and one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, assert_never

from engine.expr import semantics
from engine.expr.env import Env
from engine.expr.fused import DEEPEST, Code, Inverted, Joined, function_of
from engine.expr.interpret import interpret
from engine.expr.leaves import (
    TEXT_TESTS,
    Closure,
    Leaf,
    Remembered,
    age_against,
    boolean_field,
    called,
    compared,
    has_tag,
    number_field_against,
    text_field,
    text_tag,
)
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
from engine.model import Resource
from engine.values import Answer, Truth, Unknown, negation

READ = FieldRef | TagRef | CostRef | MetricCall


def compile_node(node: Node, env: Env, *, closed: bool = False) -> Callable[[Resource], Answer]:
    """Return a function that gives what `interpret` gives, faster."""
    return _Compiler(env, closed=closed).compile(node)


def code_of(node: Node, env: Env) -> Code:
    """Return the lines of what `compile_node` makes a function of, to be joined with those of others."""
    return _Compiler(env, closed=False).code(node)


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
            case Logic() | Not() | Comparison() | Has() | Matches() | TextTest():
                return self.condition(node)
            case Arithmetic() | Negative() | Default() | Size() | Lower():
                return self.function(node)
            case Quantifier():
                return self.quantifier(node)
            case Name() | Member() | Call():
                raise TypeError("the expression was not resolved")
            case _ as never:
                assert_never(never)

    # --- conditions

    def condition(self, node: Node) -> Closure:
        """Return the function of a condition; one that is nothing but a call is that call."""
        code = self.code(node)
        if isinstance(code, Leaf) and code.bound.keys() == {"function"}:
            function: Closure = code.bound["function"]
            return function
        return function_of(code)

    def code(self, node: Node, depth: int = 0) -> Code:
        match node:
            case Literal():
                return called(self.compile(node))
            case _ if _constant(node):
                return called(self.compile(node))
            case Logic() | Not() if depth == DEEPEST:
                return called(self.condition(node))
            case Logic():
                return Joined(node.operator, tuple(self.code(operand, depth + 1) for operand in node.operands))
            case Not():
                return Inverted(self.code(node.operand, depth + 1))
            case Comparison():
                return self.comparison(node)
            case Has():
                return self.has(node)
            case Matches():
                return self.matches(node)
            case TextTest():
                return self.text_test(node)
            case FieldRef(type=Type.BOOL):
                return boolean_field(node.name, self.read(node))
            case _:
                return called(self.compile(node))

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
        return lambda resource: read(node, resource, env)

    def has(self, node: Has) -> Leaf:
        operand, present = self.compile(node.operand), semantics.present

        def slow(resource: Resource) -> Truth:
            return present(operand(resource))

        return has_tag(node.operand.key, slow) if isinstance(node.operand, TagRef) else called(slow)

    # --- comparisons

    def comparison(self, node: Comparison) -> Leaf:
        left, right = node.left, node.right
        for side, other in ((left, right), (right, left)):
            if isinstance(side, Literal) and side.value is None:
                return called(self.null(other, equal=node.operator == "=="))
        if node.operator == "in":
            return self.membership(node)
        if isinstance(right, Literal):
            return self.against_constant(left, node.operator, right)
        if isinstance(left, Literal):
            return self.against_constant(right, semantics.MIRRORED[node.operator], left)
        first, second = self.compile(left), self.compile(right)
        compare, symbol, closed = semantics.compare, node.operator, self.closed
        return called(lambda resource: compare(symbol, first(resource), second(resource), closed=closed))

    def null(self, node: Node, *, equal: bool) -> Closure:
        operand, is_null = self.compile(node), semantics.is_null
        if equal:
            return lambda resource: is_null(operand(resource))
        return lambda resource: negation(is_null(operand(resource)))

    def against_constant(self, node: Node, symbol: str, literal: Literal) -> Leaf:
        operand, constant = self.compile(node), literal.value
        compare, closed = semantics.compare, self.closed
        assert constant is not None

        def slow(resource: Resource) -> Truth:
            return compare(symbol, operand(resource), constant, closed=closed)

        match node, constant:
            case FieldRef(name="age"), timedelta():
                return age_against(symbol, constant, self.env.now, slow)
            case FieldRef(), str():
                return text_field(node.name, compared(symbol), slow, constant=constant)
            case TagRef(), str():
                return text_tag(node.key, compared(symbol), slow, constant=constant)
            case FieldRef(), int() | float() | Decimal() if not isinstance(constant, bool):
                return number_field_against(node.name, symbol, constant, slow)
            case _:
                return called(slow)

    def membership(self, node: Comparison) -> Leaf:
        item, closed = self.compile(node.left), self.closed
        if isinstance(node.right, TagsRef):
            has = semantics.has_tag
            return called(lambda resource: has(item(resource), resource))
        items, member = self.compile(node.right), semantics.member

        def slow(resource: Resource) -> Truth:
            return member(item(resource), items(resource), closed=closed)

        literals = node.right.items if isinstance(node.right, ListLiteral) else ()
        texts = [lit.value for lit in literals if isinstance(lit, Literal) and isinstance(lit.value, str)]
        if not literals or len(texts) < len(literals):
            return called(slow)
        return self.text(node.left, "value in {texts}", slow, texts=frozenset(texts))

    def text(self, node: Node, test: str, slow: Closure, **bound: Any) -> Leaf:
        """Return the leaf of a condition on a text; only that of a field or a tag has lines of its own."""
        match node:
            case FieldRef():
                return text_field(node.name, test, slow, **bound)
            case TagRef():
                return text_tag(node.key, test, slow, **bound)
            case _:
                return called(slow)

    # --- functions

    def function(self, node: Arithmetic | Negative | Default | Size | Lower) -> Closure:
        match node:
            case Arithmetic():
                left, right = self.compile(node.left), self.compile(node.right)
                calculate, symbol = semantics.calculate, node.operator
                return lambda resource: calculate(symbol, left(resource), right(resource))
            case Size():
                return self.size(node)
        operand = self.compile(node.operand)
        match node:
            case Negative():
                return lambda resource: semantics.negate(operand(resource))
            case Lower():
                return lambda resource: semantics.lower(operand(resource))
            case Default():
                return _fallback_to(operand, node.fallback.value)
            case _ as never:
                assert_never(never)

    def matches(self, node: Matches) -> Leaf:
        operand, closed = self.compile(node.operand), self.closed
        matches, compiled = semantics.matches, node.compiled

        def slow(resource: Resource) -> Truth:
            return matches(operand(resource), compiled, closed=closed)

        found = Remembered(node.pattern, partial(matches, compiled=compiled, closed=closed))
        return self.text(node.operand, "{found}[value]", slow, found=found)

    def text_test(self, node: TextTest) -> Leaf:
        text, part, closed = self.compile(node.operand), self.compile(node.argument), self.closed
        test, name = semantics.text_test, node.function

        def slow(resource: Resource) -> Truth:
            return test(name, text(resource), part(resource), closed=closed)

        if isinstance(node.argument, Literal) and isinstance(node.argument.value, str):
            return self.text(node.operand, TEXT_TESTS[name], slow, part=node.argument.value)
        return called(slow)

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


def _fallback_to(operand: Closure, fallback: Any) -> Closure:
    def fallen(resource: Resource) -> Answer:
        answer: Answer = operand(resource)
        return fallback if isinstance(answer, Unknown) else answer

    return fallen


_NOBODY = Resource("", "", "", "")
"""Constants do not depend on a resource."""
