"""
Trees to closures: the fast evaluator.

Leaves that compare a field or a tag with a constant are one closure with one dictionary lookup and
one class check; whatever is not plainly there goes to the slow path, which is the shared semantics.
A compiled expression belongs to one run and one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, assert_never

from engine.expr import semantics
from engine.expr.closures import (
    Closure,
    age_against,
    boolean_field,
    conjunction,
    disjunction,
    fallback_to,
    field_among,
    field_matches,
    field_text_test,
    has_tag,
    inversion,
    lacks_tag,
    number_field_against,
    tag_against,
    tag_among,
    tag_matches,
    tag_text_test,
    text_field_against,
)
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
from engine.model import Resource
from engine.values import Answer, Truth, Unknown

REMEMBERED = 512
"""Texts of which a pattern remembers whether it was found in them."""
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
            case Not(operand=Has(operand=TagRef() as tag)):
                return lacks_tag(tag.key, inversion(self.presence(tag)))
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
        slow = self.presence(node.operand)
        return has_tag(node.operand.key, slow) if isinstance(node.operand, TagRef) else slow

    def presence(self, node: Node) -> Closure:
        operand, present = self.compile(node), semantics.present
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
            return self.against_constant(right, semantics.MIRRORED[node.operator], left)
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
                return self.text_test(node)
        operand = self.compile(node.operand)
        match node:
            case Negative():
                return lambda resource: semantics.negate(operand(resource))
            case Lower():
                return lambda resource: semantics.lower(operand(resource))
            case Matches():
                return self.matches(node, operand)
            case Default():
                return fallback_to(operand, node.fallback.value)
            case _ as never:
                assert_never(never)

    def matches(self, node: Matches, operand: Closure) -> Closure:
        matches, compiled, closed = semantics.matches, node.compiled, self.closed

        def slow(resource: Resource) -> Truth:
            return matches(operand(resource), compiled, closed=closed)

        # Texts repeat from resource to resource: types, teams, environments.
        search = lru_cache(REMEMBERED)(partial(matches, compiled=compiled, closed=closed))
        if isinstance(node.operand, FieldRef):
            return field_matches(node.operand.name, search, slow)
        if isinstance(node.operand, TagRef):
            return tag_matches(node.operand.key, search, slow)
        return slow

    def text_test(self, node: TextTest) -> Closure:
        text, part, closed = self.compile(node.operand), self.compile(node.argument), self.closed
        test, name = semantics.text_test, node.function

        def slow(resource: Resource) -> Truth:
            return test(name, text(resource), part(resource), closed=closed)

        if isinstance(node.argument, Literal) and isinstance(node.argument.value, str):
            plain, wanted = semantics.TEXT[name], node.argument.value
            if isinstance(node.operand, FieldRef):
                return field_text_test(node.operand.name, plain, wanted, slow)
            if isinstance(node.operand, TagRef):
                return tag_text_test(node.operand.key, plain, wanted, slow)
        return slow

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
