"""Which defaults can turn ignorance into action."""

from __future__ import annotations

import pytest

from engine.expr.check import resolve
from engine.expr.lint import HINT, risky_defaults
from engine.expr.parse import parse
from tests.engine.expr.resources import KIND


def risky(text: str, *, protective: bool) -> list[str]:
    node, problems = resolve(parse(text), [KIND])
    assert problems == ()
    assert node is not None
    found = risky_defaults(node, protective=protective)
    assert all((problem.code, problem.hint) == ("risky-default", HINT) for problem in found)
    return [text[problem.start : problem.end] for problem in found]


NONE: tuple[str, ...] = ()
TIER = "default(tags.tier, 'none')"
CPUS = "default(resource.vcpus, 0)"
RUNNING = "default(resource.running, false)"


@pytest.mark.parametrize(
    ("text", "acting", "protecting"),
    [
        ("tags.tier == 'gold' and resource.vcpus > 1", NONE, NONE),
        (f"{TIER} == 'gold'", NONE, [TIER]),
        (f"{TIER} == 'none'", [TIER], NONE),
        (f"{TIER} != 'gold'", [TIER], NONE),
        (f"{TIER} != 'none'", NONE, [TIER]),
        (f"'gold' == {TIER}", NONE, [TIER]),
        (f"{TIER} in ['gold', 'none']", [TIER], NONE),
        (f"{TIER} not in ['gold']", [TIER], NONE),
        (f"{TIER} in ['gold']", NONE, [TIER]),
        (f"not ({TIER} == 'gold')", [TIER], NONE),
        (f"not not ({TIER} == 'gold')", NONE, [TIER]),
        (f"{CPUS} > 4", NONE, [CPUS]),
        (f"{CPUS} < 4", [CPUS], NONE),
        (f"4 > {CPUS}", [CPUS], NONE),
        (f"{TIER}.startsWith('n')", [TIER], NONE),
        (f"{TIER}.startsWith('g')", NONE, [TIER]),
        (RUNNING, NONE, [RUNNING]),
        (f"!{RUNNING}", [RUNNING], NONE),
        (f"{CPUS} > 4 or {TIER} == 'none'", [TIER], [CPUS]),
        (f"{CPUS} < 4 and not ({TIER} == 'gold' or {RUNNING})", [CPUS, TIER, RUNNING], NONE),
        # What depends on more than the default counts as risky either way.
        (f"{TIER} == tags.owner", [TIER], [TIER]),
        (f"{TIER}.matches('n')", [TIER], [TIER]),
        (f"{CPUS} + 1 > 4", [CPUS], [CPUS]),
        (f"{TIER} + 'a' == 'b'", [TIER], [TIER]),
        (f"['a'].exists(t, t == {TIER})", [TIER], [TIER]),
        (f"({TIER} == 'gold') == false", [TIER], [TIER]),
        (f"{TIER} in resource.types", [TIER], [TIER]),
        # Two defaults differ, but one of the two may be known and equal the other's.
        (f"{TIER} == default(tags.owner, 'gold')", [TIER, "default(tags.owner, 'gold')"],
         [TIER, "default(tags.owner, 'gold')"]),
        (f"{TIER}.startsWith(default(tags.owner, 'gold'))", [TIER, "default(tags.owner, 'gold')"],
         [TIER, "default(tags.owner, 'gold')"]),
    ],
)  # fmt: skip
def test_polarity(text, acting, protecting):
    """A default is risky where it can make a condition for acting true, or a protective clause false."""
    assert sorted(acting) == sorted(risky(text, protective=False))
    assert sorted(protecting) == sorted(risky(text, protective=True))
