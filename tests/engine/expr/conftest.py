"""What the tests of expressions share: reading a text with the test kind, and evaluating it both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.expr.check import resolve
from engine.expr.compiling import compile_node
from engine.expr.env import Env
from engine.expr.interpret import interpret
from engine.expr.parse import parse
from engine.expr.problems import ExpressionError, ExpressionProblem
from engine.kinds import Kind, Type
from engine.model import Resource
from engine.values import Answer
from tests.engine.expr.resources import KIND, NOW


def read_problems(
    text: str, kinds: Sequence[Kind] = (KIND,), expect: Type | None = Type.BOOL
) -> tuple[ExpressionProblem, ...]:
    try:
        tree = parse(text)
    except ExpressionError as error:
        return error.problems
    return resolve(tree, kinds, expect=expect)[1]


@pytest.fixture
def problems() -> Callable[..., tuple[ExpressionProblem, ...]]:
    """`problems(text)`: every mistake of an expression, of syntax or of meaning."""
    return read_problems


@pytest.fixture
def evaluate() -> Callable[..., Answer]:
    """`evaluate(text, fields=…, tags=…)`: the answer that interpreter and compiler agree on."""

    def evaluated(text: str, *, closed: bool = False, cost: Any = None, metric: Any = None, **parts: Any) -> Answer:
        node, found = resolve(parse(text), [KIND], expect=None)
        assert found == ()
        assert node is not None
        resource = Resource(**{"kind": KIND.name, "id": "i-1", "account": "1", "region": "eu", **parts})
        env = Env(NOW, lambda _: cost, lambda *_: metric)
        answer = interpret(node, resource, env, closed=closed)
        compiled = compile_node(node, env, closed=closed)(resource)
        assert (type(answer), answer) == (type(compiled), compiled)
        return answer

    return evaluated
