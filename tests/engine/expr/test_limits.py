"""Expressions that are too long, too deep or too large are refused, and never by a crash."""

from __future__ import annotations

from random import Random

import pytest

from engine.expr.check import resolve
from engine.expr.compiling import compile_node
from engine.expr.parse import DEEPEST, LARGEST, LONGEST, parse
from engine.expr.problems import ExpressionError
from engine.expr.tokens import tokenize
from tests.engine.expr.resources import KIND, World, gappy


def refused(text: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.code == "expression-too-complex"
    assert 0 <= problem.start < problem.end <= len(text)
    return problem.message


def test_ten_thousand_parentheses_are_an_error():
    """A text of 10,000 levels is refused by its length."""
    assert "20,004 characters" in refused("(" * 10_000 + "true" + ")" * 10_000)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000 + "true" + ")" * 2000,
        "(" * 4000,
        "[" * 4000,
        "!" * 4000 + "a",
        "-" * 4000 + "a",
        "not " * 1000 + "a",
        "f(" * 1300 + "a" + ")" * 1300,
        "a.f(" * 800 + ")" * 800,
        "a + (" * 700,
        "!(" * 1300 + "a" + ")" * 1300,
        "a" + "+1" * 900,
        "a" + "-1" * 33,
        "a" + ".b" * 900,
        "a" + ".size()" * 500,
        'a["b"]' * 1 + '["b"]' * 500,
        "1 - " * 40 + "1",
    ],
)
def test_deep_expressions_are_an_error(text):
    """More than 32 levels are refused, whichever way they are nested."""
    message = refused(text)
    assert message.startswith(("the expression is nested deeper than 32", "the expression has more than"))


@pytest.mark.parametrize("link", ["+1", ".size()", ".a", ".lowerAscii()", '["a"]', ".f(1)"])
def test_levels_are_not_hidden_in_chains(link):
    """Chains inside parentheses inside chains count as the levels they are in the tree."""
    text = "1"
    for _ in range(DEEPEST - 2):
        text = f"({text}{link * 5})"
    assert refused(text) == "the expression is nested deeper than 32 levels"


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEPEST + "true" + ")" * DEEPEST,
        "!" * (DEEPEST - 1) + "true",
        "not " * (DEEPEST - 1) + "true",
        "1" + "+1" * (DEEPEST - 2) + "== 3",
    ],
)
def test_expressions_within_the_depth_can_be_used(text):
    """What is allowed can also be checked, compiled and evaluated."""
    node, problems = resolve(parse(text), [KIND])
    assert problems == ()
    assert node is not None
    world = World()
    assert isinstance(compile_node(node, world.env)(gappy(Random(1), world, "r")), bool)


def test_a_wide_condition_is_not_a_deep_one():
    """A hundred alternatives are one level."""
    node, problems = resolve(parse(" or ".join(['tags.team == "a"'] * 100)), [KIND])
    assert problems == ()
    assert node is not None


def test_the_length_limit_is_exact():
    """4,096 characters are allowed, and one more is not."""
    parse("true".ljust(LONGEST))
    assert refused("true".ljust(LONGEST + 1)) == "the expression has 4,097 characters, 4,096 are allowed"


def test_too_many_parts_are_an_error():
    """A list of more than 1,000 elements is refused; one of 999 is not."""
    parse(f"[{','.join('1' * (LARGEST - 1))}]")
    assert refused(f"[{','.join('1' * LARGEST)}]") == "the expression has more than 1,000 parts"


def test_a_long_text_is_one_token():
    """Tokenizing is linear: a text literal of the longest size is read as one piece."""
    assert len(list(tokenize('"' + "a" * (LONGEST - 2) + '"'))) == 2


def test_quantifiers_cannot_multiply():
    """Two levels of `exists` over the tags are allowed; a third is refused at its name."""
    two = 'tags.exists(a, tags.exists(b, a == b and a != "x"))'
    assert resolve(parse(two), [KIND])[1] == ()
    three = "tags.exists(a, tags.all(b, tags.exists(c, a == b or b == c)))"
    (problem,) = resolve(parse(three), [KIND])[1]
    assert (problem.code, problem.start) == ("expression-too-complex", three.rindex("exists"))


@pytest.mark.parametrize(
    "text",
    ['resource.__class__ == "x"', '__import__("os") == "x"', "resource.name.__len__() > 1", "now.__class__ == now"],
)
def test_names_of_the_host_language_lead_nowhere(text):
    """A name that means something to Python is an unknown name like any other."""
    assert resolve(parse(text), [KIND])[1][0].code in ("unknown-field", "unknown-function")
