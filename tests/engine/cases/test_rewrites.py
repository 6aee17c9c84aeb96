"""The changes to an expression: which there are, and what each of them means."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cases.rewrites import moved_lengths, moved_numbers, moves, rewrites
from engine.cases.written import words
from engine.expr.interpret import interpret
from engine.expr.syntax import Literal
from tests.engine.estates import CATALOG, INSTANCE, context, expression, instance

KINDS = (CATALOG.kinds[INSTANCE],)
CHANGES = {
    "resource.running": ["resource.running: negated"],
    "not resource.running": ["not resource.running: negated"],
    'tags.team == "a"': ['tags.team == "a": == → !=', "tags.team: another key"],
    "resource.vcpus > 4": [
        "resource.vcpus > 4: > → >=",
        "resource.vcpus > 4: > → <=",
        "resource.vcpus > 4: 4 → 3",
        "resource.vcpus > 4: 4 → 5",
    ],
    "not (resource.vcpus > 4)": [
        "not (resource.vcpus > 4): negated",
        "resource.vcpus > 4: > → >=",
        "resource.vcpus > 4: 4 → 3",
        "resource.vcpus > 4: 4 → 5",
    ],
    'tags.team in ["a", "b"]': [
        'tags.team in ["a", "b"]: negated',
        'tags.team in ["a", "b"]: "a" dropped',
        'tags.team in ["a", "b"]: "b" dropped',
        "tags.team: another key",
    ],
    "resource.running and has(tags.team)": [
        "resource.running and has(tags.team): and → or",
        "resource.running: dropped",
        "resource.running: negated",
        "has(tags.team): dropped",
        "has(tags.team): negated",
        "tags.team: another key",
    ],
    "max(metrics.gpu.utilization, 4h) < 5%": [
        "max(metrics.gpu.utilization, 4h) < 5%: < → <=",
        "max(metrics.gpu.utilization, 4h) < 5%: < → >=",
        "max(metrics.gpu.utilization, 4h): max → min",
        "max(metrics.gpu.utilization, 4h): 4h → 3h",
        "max(metrics.gpu.utilization, 4h): 4h → 5h",
        "max(metrics.gpu.utilization, 4h) < 5%: 5% → 4%",
        "max(metrics.gpu.utilization, 4h) < 5%: 5% → 6%",
    ],
    "resource.launched < now - 30d": [
        "resource.launched < now - 30d: < → <=",
        "resource.launched < now - 30d: < → >=",
        "now - 30d: - → +",
        "now - 30d: 30d → 29d",
        "now - 30d: 30d → 31d",
    ],
    "now - resource.launched > 2h": [
        "now - resource.launched > 2h: > → >=",
        "now - resource.launched > 2h: > → <=",
        "now - resource.launched > 2h: 2h → 1h",
        "now - resource.launched > 2h: 2h → 3h",
    ],
    'tags.team.startsWith("x")': ['tags.team.startsWith("x"): negated', "tags.team: another key"],
    'tags.exists(k, k == "a")': [
        'tags.exists(k, k == "a"): negated',
        'tags.exists(k, k == "a"): exists → all',
        'k == "a": == → !=',
    ],
    "default(resource.running, false)": [
        "default(resource.running, false): negated",
        "default(resource.running, false): false flipped",
    ],
}


def changes(text):
    return list(rewrites(expression(text, KINDS).node, partial(words, text)))


@pytest.mark.parametrize("text", CHANGES)
def test_every_change_is_made_once(text):
    """The changes are these, in this order, and no two of them are the same expression."""
    found = changes(text)
    assert [f"{words(text, one.part)}: {one.how}" for one in found] == CHANGES[text]
    assert len({repr(one.node) for one in found}) == len(found)
    assert expression(text, KINDS).node not in [one.node for one in found]


@pytest.mark.parametrize(
    ("text", "how", "answers"),
    [
        ("resource.vcpus > 4", "> → >=", {4: True, 5: True, 3: False}),
        ("resource.vcpus > 4", "4 → 3", {4: True, 3: False}),
        ("resource.vcpus > 4", "4 → 5", {5: False, 6: True}),
        ("not (resource.vcpus > 4)", "negated", {5: True, 4: False}),
        ("resource.vcpus in [4, 8]", "8 dropped", {4: True, 8: False}),
        ("resource.vcpus > 4 and resource.running", "and → or", {4: True}),
        ("resource.vcpus > 4 and resource.running", "dropped", {4: True}),
    ],
)
def test_a_change_means_what_it_says(text, how, answers):
    """The changed expression, interpreted for a machine with so many vCPUs, gives the answer its words promise."""
    (first, *_) = [one for one in changes(text) if one.how == how]
    for vcpus, answer in answers.items():
        machine = instance(fields={"vcpus": vcpus})
        assert interpret(first.node, machine, context().env()) is answer


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("5%", ["4%", "6%"]),
        ("0.5", ["0.4", "0.6"]),
        ("0", ["-1", "1"]),
        ("$5,000/mo", ["$4,999/mo", "$5,001/mo"]),
        ("40GiB", ["39GiB", "41GiB"]),
        ("no number", []),
    ],
)
def test_numbers_move_by_one_in_their_last_place(written, moved):
    """What is written decides how far: one of the last place, with sign and unit as they stand."""
    assert [text for text, _, _ in moved_numbers(written)] == moved


def test_a_number_that_stands_for_something_else_moves_with_it():
    """`40GiB` is kept in bytes: 39 GiB are 39/40 of them."""
    literal = Literal(40 * 2**30, 0, 5)
    assert [one.value for _, one in moves(literal, "40GiB")] == [39 * 2**30, 41 * 2**30]
    assert [one.value for _, one in moves(Literal(Decimal("0.5"), 0, 3), "0.5")] == [Decimal("0.4"), Decimal("0.6")]


@pytest.mark.parametrize(
    ("written", "hours", "moved"),
    [("4h", 4, [3, 5]), ("2d", 48, [24, 72]), ("1h30m", 1.5, [1.5 - 1 / 60, 1.5 + 1 / 60]), ("", 72, [48, 96])],
)
def test_lengths_move_by_one_of_their_smallest_unit(written, hours, moved):
    """`72h` by an hour, `3d` by a day; a length that is not written counts in the largest units that it fills."""
    found = [length for _, length in moved_lengths(timedelta(hours=hours), written)]
    assert found == [timedelta(hours=one) for one in moved]


@given(st.decimals(min_value=0, max_value=10**6, places=3))
def test_moving_is_symmetric(number):
    """The number lies in the middle of what it moves to."""
    (_, low, _), (_, high, _) = moved_numbers(f"{number:f}")
    assert low < number < high
    assert low + high == 2 * number
