"""
The reference interpreter: what an expression means, as plainly as it can be written.

It never short-circuits, so that a trace holds everything that could have mattered. Explanations run
it; a differential test holds the compiler against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from engine.expr import semantics
from engine.expr.env import Env
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
)
from engine.model import Resource
from engine.values import Answer, Reason, Truth, Unknown, Value, all_of, any_of, negation


@dataclass(frozen=True, slots=True)
class Reading:
    """One leaf that was read."""

    path: str
    """As a policy names it: `tags.owner`, `resource.state`, `max(metrics.gpu.utilization)`."""
    value: Answer
    unit: str = ""


def interpret(
    node: Node,
    resource: Resource,
    env: Env,
    *,
    closed: bool = False,
    trace: list[Reading] | None = None,
) -> Answer:
    """Return the value of a resolved tree about `resource`; add what it reads to `trace`."""
    return _Interpreter(resource, env, closed=closed, trace=trace).value(node)


class _Interpreter:
    def __init__(self, resource: Resource, env: Env, *, closed: bool, trace: list[Reading] | None) -> None:
        self.resource = resource
        self.env = env
        self.closed = closed
        self.trace = trace
        self.variables: list[Value] = []

    def read(self, path: str, value: Answer, unit: str = "") -> Answer:
        if self.trace is not None:
            self.trace.append(Reading(path, value, unit))
        return value

    def truth(self, node: Node) -> Truth:
        answer = self.value(node)
        if isinstance(answer, bool | Unknown):
            return answer
        return Unknown(Reason.WRONG_TYPE, repr(answer))

    def value(self, node: Node) -> Answer:  # noqa: C901, PLR0912  (one case for each node)
        match node:
            # The most frequent nodes come first: a node is tried against one case after the other.
            case Literal():
                return Unknown(Reason.NULL) if node.value is None else node.value
            case Comparison():
                return self.comparison(node)
            case FieldRef():
                return self.read(node.path, semantics.read(node, self.resource, self.env), node.unit)
            case TagRef():
                return self.read(node.path, semantics.read(node, self.resource, self.env))
            case Logic():
                found = [self.truth(operand) for operand in node.operands]
                return all_of(found) if node.operator == "and" else any_of(found)
            case Not():
                return negation(self.truth(node.operand))
            case Has():
                return semantics.present(self.value(node.operand))
            case Matches():
                return semantics.matches(self.value(node.operand), node.compiled, closed=self.closed)
            case ListLiteral():
                return semantics.constants(node)
            case CostRef():
                return self.read(node.path, semantics.read(node, self.resource, self.env), "usd")
            case MetricCall():
                path = f"{node.function}(metrics.{node.metric})"
                return self.read(path, semantics.read(node, self.resource, self.env), node.unit)
            case TagsRef():
                return dict(self.resource.tags)
            case NowRef():
                return self.env.now
            case LocalRef():
                return self.variables[node.depth]
            case Arithmetic():
                return semantics.calculate(node.operator, self.value(node.left), self.value(node.right))
            case Negative():
                return semantics.negate(self.value(node.operand))
            case Default():
                answer = self.value(node.operand)
                return self.value(node.fallback) if isinstance(answer, Unknown) else answer
            case Size():
                return self.size(node)
            case TextTest():
                text, part = self.value(node.operand), self.value(node.argument)
                return semantics.text_test(node.function, text, part, closed=self.closed)
            case Lower():
                return semantics.lower(self.value(node.operand))
            case Quantifier():
                return self.quantifier(node)
            case Name() | Member() | Call():
                raise TypeError("the expression was not resolved")
            case _ as never:
                assert_never(never)

    def comparison(self, node: Comparison) -> Truth:
        left, right = node.left, node.right
        if _is_null(left) or _is_null(right):
            null = semantics.is_null(self.value(right if _is_null(left) else left))
            return null if node.operator == "==" else negation(null)
        if node.operator != "in":
            return semantics.compare(node.operator, self.value(left), self.value(right), closed=self.closed)
        if isinstance(right, TagsRef):
            return semantics.has_tag(self.value(left), self.resource)
        return semantics.member(self.value(left), self.value(right), closed=self.closed)

    def size(self, node: Size) -> Answer:
        gap = semantics.tags_gap(self.resource) if isinstance(node.operand, TagsRef) else None
        if gap is not None:
            return self.read("tags", gap)
        answer = self.value(node.operand)
        return answer if isinstance(answer, Unknown) else len(answer)  # type: ignore[arg-type]

    def quantifier(self, node: Quantifier) -> Truth:
        answer = self.value(node.operand)
        if isinstance(answer, Unknown):
            return answer
        found: list[Truth] = []
        for element in answer:  # type: ignore[union-attr]
            self.variables.append(element)
            found.append(self.truth(node.condition))
            self.variables.pop()
        gap = semantics.tags_gap(self.resource) if isinstance(node.operand, TagsRef) else None
        if gap is not None:
            found.append(gap)
        return any_of(found) if node.function == "exists" else all_of(found)


def _is_null(node: Node) -> bool:
    return isinstance(node, Literal) and node.value is None
