"""
Defaults that would turn ignorance into action.

`default(x, v)` is allowed where it errs on the side of doing nothing. In a condition for acting, a
default must not be able to make the condition true; in a protective clause, not false. Found by
polarity: which way each part pushes the whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.expr import semantics
from engine.expr.problems import ExpressionProblem
from engine.expr.syntax import Comparison, Default, ListLiteral, Literal, Logic, Node, Not, TextTest
from engine.expr.uses import walk
from engine.values import Answer

HINT = "leave `default` out: what is not known is then reported, and not acted on"


def risky_defaults(node: Node, *, protective: bool) -> tuple[ExpressionProblem, ...]:
    """
    Return a problem for each default that can push `node` towards acting.

    Without `protective`, `node` is a condition for acting, and true pushes; with it, `node` keeps from
    acting, and false pushes.
    """
    return tuple(
        ExpressionProblem(
            default.start,
            default.end,
            "risky-default",
            "this default could lead to acting on a resource of which nothing is known",
            HINT,
        )
        for default in _risky(node, pushes=not protective)
    )


def _risky(node: Node, *, pushes: bool) -> Iterator[Default]:
    """Yield the defaults below `node` that can make it equal to `pushes`."""
    match node:
        case Not():
            yield from _risky(node.operand, pushes=not pushes)
        case Logic():
            for operand in node.operands:
                yield from _risky(operand, pushes=pushes)
        case _:
            defaults = [part for part in walk(node) if isinstance(part, Default)]
            if defaults and _outcome(node) in (pushes, None):
                yield from defaults


def _outcome(node: Node) -> bool | None:
    """Return what `node` comes to with its default in place; None when that depends on more."""
    match node:
        case Comparison():
            left, right = _constant(node.left), _constant(node.right)
            if left is None or right is None or _several(node.left, node.right):
                return None
            if node.operator == "in":
                answer = semantics.member(left, right, closed=False)
            else:
                answer = semantics.compare(node.operator, left, right, closed=False)
        case TextTest():
            text, part = _constant(node.operand), _constant(node.argument)
            if text is None or part is None or _several(node.operand, node.argument):
                return None
            answer = semantics.text_test(node.function, text, part, closed=False)
        case Default(fallback=Literal(value=bool() as value)):
            return value
        case _:
            return None
    return answer if isinstance(answer, bool) else None


def _several(*operands: Node) -> bool:
    """Return whether more than one operand has a default: any of them may be known while another is not."""
    return sum(isinstance(operand, Default) for operand in operands) > 1


def _constant(node: Node) -> Answer | None:
    """Return the value of a constant, with defaults taken; None for anything else."""
    match node:
        case Default():
            return node.fallback.value
        case Literal():
            return node.value
        case ListLiteral():
            return semantics.constants(node)
        case _:
            return None
