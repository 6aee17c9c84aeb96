"""When a plan is held: by number, by share, by cost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.errors import Place
from engine.evaluate import Tallies
from engine.findings import Cost, Outcome, Subject
from engine.limits import holds_of
from engine.plan import Hold, Step
from engine.policy.model import Limits, Mode
from engine.values import Reason, Unknown
from tests.engine.estates import policy

POLICY = policy("resource: aws.ec2.instance\n    rule: resource.running")
FREE = Cost(Decimal(0), "")
UNPRICED = Unknown(Reason.NOT_COLLECTED)


def step(number: int, *, savings=FREE, wanted=Mode.ENFORCE, mode=Mode.ENFORCE, remediation="stop", of="p0") -> Step:
    subject = Subject(f"uid-{number}", "aws.ec2.instance", f"i-{number}", "", "", "")
    return Step(
        id=f"{of}-{number}-{remediation}",
        finding=f"{of}-{number}",
        policy=of,
        remediation=remediation,
        title="",
        subject=subject,
        mode=mode,
        wanted=wanted,
        reversible=True,
        undo="",
        grace=POLICY.grace,
        approval=None,
        savings=savings,
        fingerprint="",
    )


def holds(steps, looked_at=1000, *more, **limits) -> tuple[Hold, ...]:
    tallies = Tallies(counts={"p0": {Outcome.COMPLIANT: looked_at - len(steps), Outcome.VIOLATION: len(steps)}})
    return holds_of([replace(POLICY, limits=Limits(**limits)), *more], steps, tallies)


def steps(count, **more) -> list[Step]:
    return [step(number, **more) for number in range(count)]


def test_no_steps():
    """Nothing is held where nothing would be done."""
    assert holds([]) == ()


def test_number():
    """As many as allowed may be done; one more holds all."""
    assert holds(steps(5)) == ()
    assert holds(steps(6)) == (Hold("p0", "max_actions", "5", "6"),)


@pytest.mark.parametrize(
    ("count", "looked_at", "held"),
    [
        (5, 100, False),
        (6, 100, True),
        (5, 99, True),
        (4, 99, False),
        (1, 1, False),
        (1, 3, False),
        (2, 39, True),
        (2, 40, False),
    ],
)
def test_share(count, looked_at, held):
    """A twentieth of what was looked at, rounded down; one resource is always within it."""
    found = holds(steps(count), looked_at, max_actions=1000)
    assert [hold.limit for hold in found] == (["max_share"] if held else [])


def test_share_in_words():
    """What is allowed and what is wanted, in percent and in numbers."""
    assert holds(steps(3), 40, max_share=Decimal("7.50")) == ()
    assert holds(steps(4), 40, max_share=Decimal("7.50")) == (
        Hold("p0", "max_share", "7.5% (3 of 40)", "10% (4 of 40)"),
    )


@pytest.mark.parametrize("unknown", [0, 500])
def test_what_was_looked_at(unknown):
    """Everything the policy spoke about counts, whatever the answer was."""
    counts = {Outcome.VIOLATION: 6, Outcome.COMPLIANT: 994 - unknown, Outcome.UNKNOWN: unknown}
    policies = [replace(POLICY, limits=Limits(max_actions=100))]
    assert holds_of(policies, steps(6), Tallies(counts={"p0": counts})) == ()
    assert holds_of(policies, steps(6), Tallies(counts={"p0": {Outcome.VIOLATION: 6}})) != ()


MONTHLY = Decimal(730)


@pytest.mark.parametrize(
    ("savings", "wanted"),
    [
        ([Cost(Decimal(1), "")] * 2, None),
        ([Cost(Decimal(1), "")] * 3, "$2,190/mo"),
        ([Cost(Decimal("2.0001"), "")], "$1,460/mo"),
        ([UNPRICED], "$0/mo and 1 without a known price"),
        ([Cost(Decimal(1), ""), UNPRICED, UNPRICED], "$730/mo and 2 without a known price"),
        ([FREE] * 5, None),
    ],
)
def test_cost(savings, wanted):
    """Two dollars an hour are allowed; what has no price may cost anything."""
    found = holds([step(n, savings=s) for n, s in enumerate(savings)], max_cost_impact=2 * MONTHLY)
    assert found == (() if wanted is None else (Hold("p0", "max_cost_impact", "$1,460/mo", wanted),))


def test_no_cost_limit():
    """Without a limit on cost an unknown price holds nothing."""
    assert holds([step(0, savings=UNPRICED)]) == ()


def test_two_remediations_of_one_resource():
    """A resource counts once, and so does what it would save."""
    both = [*steps(5, savings=Cost(Decimal(1), "")), *steps(5, savings=Cost(Decimal(1), ""), remediation="tag")]
    assert holds(both, max_cost_impact=5 * MONTHLY) == ()


@pytest.mark.parametrize(
    ("wanted", "mode", "held"),
    [
        (Mode.REPORT, Mode.REPORT, False),
        (Mode.NOTIFY, Mode.NOTIFY, False),
        (Mode.APPROVE, Mode.REPORT, True),
        (Mode.APPROVE, Mode.APPROVE, True),
        (Mode.ENFORCE, Mode.REPORT, True),
    ],
)
def test_modes(wanted, mode, held):
    """Limits are those of what the policy wants, so that a capped installation already shows what would be held."""
    assert bool(holds(steps(6, wanted=wanted, mode=mode))) is held


def test_policies_are_apart():
    """Each policy has its limits; holds come in order of the names."""
    other = replace(POLICY, name="a", place=Place("x"))
    tallies = Tallies(counts={"p0": {Outcome.VIOLATION: 1000}, "a": {Outcome.VIOLATION: 1000}})
    found = holds_of([POLICY, other], [*steps(6), *steps(7, of="a")], tallies)
    assert [(hold.policy, hold.wanted) for hold in found] == [("a", "7"), ("p0", "6")]


def test_all_limits_that_are_exceeded():
    """Each is named."""
    found = holds(steps(6, savings=Cost(Decimal(1), "")), 10, max_cost_impact=Decimal(1))
    assert [hold.limit for hold in found] == ["max_actions", "max_share", "max_cost_impact"]
