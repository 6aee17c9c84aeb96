"""Many conditions as one function give what each of them gives."""

from random import Random

import pytest

from engine.expr.check import resolve
from engine.expr.compiling import code_of, compile_node
from engine.expr.fused import DEEPEST, gate_of
from engine.expr.interpret import interpret
from engine.expr.parse import parse
from engine.model import Resource
from engine.values import Unknown
from tests.engine.expr.generate import Writer
from tests.engine.expr.resources import KIND, World, gappy

GATES = 150
CONDITIONS = 12


def tree_of(text):
    node, problems = resolve(parse(text), [KIND])
    assert problems == (), text
    return node


@pytest.mark.parametrize("start", range(3))
def test_a_gate_lets_through_what_is_not_false(start):
    """Of random conditions, some of them twice, about damaged resources: exactly those that are true or unknown."""
    world, let_through, shut = World(), 0, 0
    for number in range(start, GATES, 3):
        rng = Random(f"gate {number}")
        trees = [tree_of(Writer(rng).condition().ours) for _ in range(CONDITIONS)]
        trees += rng.sample(trees, 3)
        gate = gate_of([code_of(tree, world.env) for tree in trees])
        for count in range(20):
            resource = gappy(rng, world, f"r-{count}")
            expected = [n for n, tree in enumerate(trees) if interpret(tree, resource, world.env) is not False]
            assert gate(resource) == expected
            let_through += len(expected)
            shut += len(trees) - len(expected)
    assert let_through > 1000
    assert shut > 1000


def test_what_is_equal_and_not_alike_is_not_asked_once():
    """1 and 1.0 are equal numbers and equal keys; each is compared as what it is."""
    world, rng = World(), Random(1)
    trees = [tree_of(f"resource.accelerator.count > {number}") for number in ("1", "1.0", "1", "2")]
    gate = gate_of([code_of(tree, world.env) for tree in trees])
    for count in range(200):
        resource = gappy(rng, world, f"r-{count}")
        answers = [interpret(tree, resource, world.env) for tree in trees]
        assert gate(resource) == [n for n, answer in enumerate(answers) if answer is not False]


def nested(depth):
    text = 'tags.a == "x"'
    for level in range(depth):
        text = f'not (tags.k{level} == "y" {"and" if level % 2 else "or"} {text})'
    return text


@pytest.mark.parametrize("depth", [1, DEEPEST // 4, DEEPEST // 2, DEEPEST - 2])
def test_conditions_in_conditions(depth):
    """However deep they are, and with what is not known at every level. Each level here is two of the function."""
    world, rng, node = World(), Random(depth), tree_of(nested(depth))
    compiled, answers = compile_node(node, world.env), set()
    for count in range(1000):
        keys = ["a", *(f"k{level}" for level in range(depth))]
        tags = {key: rng.choice("xyz") for key in keys if rng.random() < 0.9}
        resource = Resource(KIND.name, f"r-{count}", "1", "eu", tags=tags)
        expected = interpret(node, resource, world.env)
        assert compiled(resource) == expected
        answers.add("unknown" if isinstance(expected, Unknown) else expected)
    assert len(answers) > 1


def test_no_text_of_a_policy_becomes_code():
    """Keys and constants are values of the function, whatever they look like."""
    world = World()
    for text in ('"); import os #', "{out}", "c0", "\\n    return True", "'''"):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        node = tree_of(
            f'tags["{quoted}"] == "{quoted}" or tags.a == "{{0.__class__}}" or tags.b.startsWith("{quoted}")'
        )
        resource = gappy(Random(2), world, "r-0")
        assert compile_node(node, world.env)(resource) == interpret(node, resource, world.env)
        names = compile_node(node, world.env).__code__.co_names
        assert not any(name in quoted and len(name) > 2 for name in names)
