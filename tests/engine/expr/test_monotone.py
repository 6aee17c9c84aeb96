"""Knowing less never answers differently: it answers the same, or not at all."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expr.check import resolve
from engine.expr.compiling import compile_node
from engine.expr.parse import parse
from engine.expr.semantics import ABSENT
from engine.expr.syntax import Node
from engine.model import Resource
from engine.values import Reason, Unknown
from tests.engine.expr.generate import Writer
from tests.engine.expr.resources import KIND, World, complete, gappy

NOT_ABSENT = sorted(set(Reason) - ABSENT)


def tree_of(text: str) -> Node:
    node, problems = resolve(parse(text), [KIND])
    assert problems == (), text
    assert node is not None
    return node


def hide(rng: Random, resource: Resource, world: World, reason: Reason) -> Resource:
    """Make one field, tag, metric or the cost unknown for `reason`; absence of a tag leaves no gap."""
    unknown = Unknown(reason)
    target = rng.choice(("field", "field", "tag", "cost", "metric"))
    if target == "field" and resource.fields:
        return replace(resource, fields={**resource.fields, rng.choice(sorted(resource.fields)): unknown})
    if target == "tag" and resource.tags:
        gone = rng.choice(sorted(resource.tags))
        tags = {key: value for key, value in resource.tags.items() if key != gone}
        gaps = dict(resource.gaps) if reason in ABSENT else {**resource.gaps, "tags": unknown}
        return replace(resource, tags=tags, gaps=gaps)
    if target == "cost":
        world.costs[resource.id] = unknown
    else:
        world.metrics[rng.choice(sorted(key for key in world.metrics if key[0] == resource.id))] = unknown
    return resource


def assert_monotone(rng: Random, text: str, resource: Resource, world: World, *, absent: bool, closed: bool) -> bool:
    """Hide one thing after another; return whether any of it made the answer unknown."""
    node = tree_of(text)
    compiled = compile_node(node, world.env, closed=closed)
    before = first = compiled(resource)
    for _ in range(6):
        resource = hide(rng, resource, world, rng.choice(sorted(ABSENT) if absent else NOT_ABSENT))
        after = compiled(resource)
        lost = isinstance(after, Unknown)
        assert lost or (before is after), f"closed={closed} {before!r} -> {after!r}\n{text}\n{resource}"
        before = after
    return isinstance(before, Unknown) and not isinstance(first, Unknown)


@pytest.mark.parametrize("closed", [False, True])
def test_hiding_never_turns_an_answer_round(closed):
    """Whatever is not known for want of access or samples, `has` and `null` included, leaves the answer or takes it."""
    lost = 0
    for number in range(2000):
        rng, world = Random(f"hide {number}"), World()
        resource = rng.choice((complete, gappy))(rng, world, "r")
        text = Writer(rng, defaults=False).condition().ours
        lost += assert_monotone(rng, text, resource, world, absent=False, closed=closed)
    assert lost > 200, "hiding hardly ever mattered"


def test_absence_never_turns_an_open_condition_round():
    """Deleting data as if it had never been there neither makes a condition true nor false, unless it asks for that."""
    lost = 0
    for number in range(2000):
        rng, world = Random(f"absent {number}"), World()
        resource = rng.choice((complete, gappy))(rng, world, "r")
        text = Writer(rng, claims=False, defaults=False).condition().ours
        lost += assert_monotone(rng, text, resource, world, absent=True, closed=False)
    assert lost > 200, "deleting hardly ever mattered"


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_hiding_never_turns_an_answer_round_small(rng):
    """As above, with choices that shrink."""
    world = World()
    resource = complete(rng, world, "r")
    text = Writer(rng, defaults=False).condition(3).ours
    assert_monotone(rng, text, resource, world, absent=False, closed=rng.random() < 0.5)


def test_default_is_the_exception():
    """A written default answers in place of what is not known, which is why the linter looks at it."""
    node, world = tree_of("default(resource.running, false)"), World()
    resource = Resource(KIND.name, "r", "", "", fields={"running": True})
    hidden = replace(resource, fields={"running": Unknown(Reason.DENIED)})
    assert (compile_node(node, world.env)(resource), compile_node(node, world.env)(hidden)) == (True, False)


def test_has_is_the_exception_for_absence():
    """`has` answers whether there is a value, so an attested absence turns it round."""
    node, world = tree_of("has(resource.model)"), World()
    resource = Resource(KIND.name, "r", "", "", fields={"model": "a"})
    assert (
        compile_node(node, world.env)(resource),
        compile_node(node, world.env)(replace(resource, fields={})),
    ) == (True, False)
