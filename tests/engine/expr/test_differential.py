"""
The compiler against the reference interpreter, and both against Google's CEL.

The first comparison takes any expression and any resource, however damaged. The second takes what the
two languages share, over complete resources. These differences are meant, and the generator keeps to
one side of them:

- CEL has two values and errors; we have three. Absent tags stand only in `in` and `default`, which CEL
  writes as `"k" in tags` and a conditional, and nothing is divided by zero, where CEL gives infinity.
- Our number is one type and exact for what is written: `0.1 + 0.2 == 0.3` is true. CEL has int, uint
  and double without arithmetic between them. All numbers here are doubles in CEL, and sums of few
  powers of two, so that decimals and doubles agree; `size` is converted.
- `==` between types, `null`, lists and maps as values: load errors or absence for us.
- `not` binds looser than a comparison; CEL has `!` alone, and so has all parentheses here.
- `has(tags.k)` is written `"k" in tags`, as CEL's macro takes no index.
- Units (`40GiB`, `5%`, `4h`), metric calls and `cost` are written out as CEL's plain numbers, durations
  and variables. A duration of ours has microseconds and reaches further than CEL's.
- `lowerAscii` is an extension of CEL's (strings). Text with NUL is cut short on its way into the
  library, and surrogates are refused; neither is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expr.check import resolve
from engine.expr.compiling import compile_node
from engine.expr.interpret import interpret
from engine.expr.parse import parse
from engine.expr.syntax import Node
from engine.kinds import Type
from engine.model import Resource
from engine.values import Answer, Unknown
from tests.engine.expr.generate import Writer
from tests.engine.expr.resources import KIND, World, cel_data, complete, gappy

EXPRESSIONS = 2_000
RESOURCES = 50
"""Of each expression."""
SEEDS = range(4)
"""Of the estates."""
POOL = 400
"""Resources of one estate."""


class Estate(NamedTuple):
    resources: list[Resource]
    world: World


@cache
def estate(seed: int, *, whole: bool) -> Estate:
    """Return the resources that one seed stands for."""
    rng, world = Random(seed), World()
    make = complete if whole else gappy
    return Estate([make(rng, world, f"r-{number}") for number in range(POOL)], world)


def tree_of(text: str, *, condition: bool = True) -> Node:
    """Return the resolved tree of a generated expression, which never has a mistake."""
    node, problems = resolve(parse(text), [KIND], **({} if condition else {"expect": None}))
    assert problems == (), text
    assert node is not None
    return node


def same(left: Answer, right: Answer) -> bool:
    """Return whether two answers are one, type and reason included."""
    return type(left) is type(right) and left == right


def cases(resources: list[Resource], rng: Random) -> Iterator[Resource]:
    start = rng.randrange(len(resources))
    return (resources[(start + step) % len(resources)] for step in range(RESOURCES))


# --- the compiler against the interpreter


def assert_compiled_as_interpreted(text: str, node: Node, found: Estate, rng: Random, note: str) -> int:
    """Compare both evaluators on one expression; return the number of resources."""
    closed = rng.random() < 0.3
    env, count = found.world.env, 0
    compiled = compile_node(node, env, closed=closed)
    for resource in cases(found.resources, rng):
        expected = interpret(node, resource, env, closed=closed)
        actual = compiled(resource)
        assert same(expected, actual), f"{note} closed={closed}\n{text}\n{resource}\n{expected!r} != {actual!r}"
        count += 1
    return count


def test_the_compiler_gives_what_the_interpreter_gives():
    """On damaged resources both give the same value or the same reason for not knowing: 100,000 cases."""
    count = known = 0
    for number in range(EXPRESSIONS):
        seed = number % len(SEEDS)
        rng = Random(f"compiler {number}")
        writer = Writer(rng)
        condition = rng.random() < 0.8
        text = (writer.condition() if condition else writer.any()).ours
        node, found = tree_of(text, condition=condition), estate(seed, whole=False)
        count += assert_compiled_as_interpreted(text, node, found, rng, f"number={number} seed={seed}")
        known += not isinstance(interpret(node, found.resources[number % POOL], found.world.env), Unknown)
    assert count >= 100_000
    assert 0.2 < known / EXPRESSIONS < 0.8, "the cases have become one-sided"


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_compiler_gives_what_the_interpreter_gives_small(rng):
    """As above, with choices that shrink to the smallest expression and resource."""
    world = World()
    resource = gappy(rng, world, "r-0")
    text = Writer(rng).condition(3).ours
    node = tree_of(text)
    for closed in (False, True):
        expected = interpret(node, resource, world.env, closed=closed)
        assert same(expected, compile_node(node, world.env, closed=closed)(resource)), text


# --- both against CEL


@cache
def cel_library() -> Any:
    return pytest.importorskip("cel_expr_python.cel", reason="NOT TESTED: cel-expr-python is not installed")


@cache
def cel_environment() -> Any:
    """Return CEL with our roots as variables, and its text functions."""
    cel = cel_library()
    strings = pytest.importorskip("cel_expr_python.ext.ext_strings")
    text, number = cel.Type.STRING, cel.Type.DOUBLE
    types = {
        Type.BOOL: cel.Type.BOOL,
        Type.NUMBER: number,
        Type.STRING: text,
        Type.TIMESTAMP: cel.Type.TIMESTAMP,
        Type.DURATION: cel.Type.DURATION,
        Type.STRINGS: cel.Type.List(text),
    }
    variables = {f"resource.{field.name}": types[field.type] for field in KIND.field_by_name.values()}
    variables |= {"tags": cel.Type.Map(text, text), "metrics": cel.Type.Map(text, number)}
    variables |= {"cost.hourly": number, "cost.monthly": number, "now": cel.Type.TIMESTAMP}
    return cel.NewEnv(variables=variables, extensions=[strings.ExtStrings()])


@cache
def activations(seed: int) -> dict[str, Any]:
    """Return the resources of a complete estate as CEL takes them, by their ids."""
    found, env = estate(seed, whole=True), cel_environment()
    return {resource.id: env.Activation(cel_data(resource, found.world)) for resource in found.resources}


def assert_as_cel(rng: Random, found: Estate, prepared: dict[str, Any], note: str) -> tuple[int, int]:
    """Compare CEL with both evaluators on one expression; return how many cases, and how many were true."""
    written = Writer(rng, shared=True).condition()
    node = tree_of(written.ours)
    program = cel_environment().compile(written.cel)
    compiled = compile_node(node, found.world.env)
    count = true = 0
    for resource in cases(found.resources, rng):
        expected = program.eval(prepared[resource.id]).value()
        actual = compiled(resource)
        if not same(expected, actual) or not same(expected, interpret(node, resource, found.world.env)):
            pytest.fail(f"{note}\nours: {written.ours}\nCEL:  {written.cel}\n{resource}\n{expected!r} != {actual!r}")
        count += 1
        true += actual is True
    return count, true


def test_conditions_mean_what_they_mean_in_cel():
    """On complete resources compiler, interpreter and CEL agree: 100,000 cases."""
    count = true = 0
    for number in range(EXPRESSIONS):
        seed = number % len(SEEDS)
        note = f"number={number} seed={seed}"
        compared, held = assert_as_cel(Random(f"cel {number}"), estate(seed, whole=True), activations(seed), note)
        count += compared
        true += held
    assert count >= 100_000
    assert 0.2 < true / count < 0.8, "the cases have become one-sided"


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_conditions_mean_what_they_mean_in_cel_small(rng):
    """As above, with choices that shrink to the smallest expression and resource."""
    world = World()
    resource = complete(rng, world, "r-0")
    written = Writer(rng, shared=True).condition(3)
    expected = cel_environment().compile(written.cel).eval(data=cel_data(resource, world)).value()
    node = tree_of(written.ours)
    assert same(expected, interpret(node, resource, world.env)), written
    assert same(expected, compile_node(node, world.env)(resource)), written
