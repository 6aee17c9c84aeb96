"""
Names to declared fields and types to errors: what can be wrong with an expression before any resource
is seen. Called by the policy loader; finds every mistake of an expression in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.expr.calls import CallResolver
from engine.expr.names import NameResolver
from engine.expr.operators import OperatorResolver
from engine.expr.problems import ExpressionProblem
from engine.expr.scope import Scope
from engine.expr.shapes import ERROR, Shape, in_bytes, literal_shape
from engine.expr.syntax import (
    Arithmetic,
    Call,
    Comparison,
    ListLiteral,
    Literal,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
)
from engine.kinds import Kind, Type

Resolved = tuple[Node, Shape]


def resolve(
    node: Node, kinds: Sequence[Kind], *, expect: Type | None = Type.BOOL
) -> tuple[Node | None, tuple[ExpressionProblem, ...]]:
    """
    Return the tree with names resolved against the fields that all `kinds` declare, or the problems.

    `expect` is the type the whole must have; None accepts any.
    """
    scope = Scope(tuple(kinds))
    resolver = Resolver(scope)
    resolved, shape = resolver.resolve(node)
    if expect is not None and shape.type not in (expect, None):
        wanted = "a condition, true or false" if expect is Type.BOOL else expect.value
        scope.add("not-a-condition", f"this is {shape.words}, not {wanted}", node, "compare it with something")
    problems = tuple(sorted(scope.problems))
    return (None if problems else resolved), problems


class Resolver:
    """Walks the tree; the parts that know names, operators and functions call back to recurse."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.names = NameResolver(scope)
        self.operators = OperatorResolver(scope, self.resolve)
        self.calls = CallResolver(scope, self.resolve)

    def resolve(self, node: Node) -> Resolved:
        match node:
            case Literal():
                return in_bytes(node), literal_shape(node)
            case ListLiteral():
                return self.list_literal(node)
            case Name() | Member():
                return self.names.resolve(node)
            case Call():
                return self.calls.resolve(node)
            case Not() | Negative() | Logic() | Comparison() | Arithmetic():
                return self.operators.resolve(node)
            case _:
                raise AssertionError(f"resolved twice: {node}")

    def list_literal(self, node: ListLiteral) -> Resolved:
        resolved = [self.resolve(item) for item in node.items]
        shapes = [shape for _, shape in resolved if shape.type is not None]
        first = shapes[0] if shapes else ERROR
        for (item, shape), original in zip(resolved, node.items, strict=True):
            if shape.type is None:
                continue
            if not isinstance(item, Literal) or item.value is None:
                self.scope.add("type-mismatch", "a list holds only constants", original)
            elif shape.type is not first.type:
                message = f"a list holds one type: {first.words} and {shape.words}"
                self.scope.add("type-mismatch", message, original)
        items = tuple(item for item, _ in resolved)
        return replace(node, items=items), Shape(Type.STRINGS, item=first)
