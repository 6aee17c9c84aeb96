"""What ending something saves beside what is paid for anyway."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.commitments import Commitment, Ending, Part, Used, net
from engine.findings import Cost
from engine.model import Usage
from engine.prices import ANY_REGION
from engine.values import Reason, Unknown
from tests.engine.estates import APPROVE, GPU_HOUR, context, instance, plan

PLAN = Commitment("the Compute Savings Plan until 2027-03-01", ("aws.ec2.*.on_demand*:*",), uncovered=Decimal(0))
DENIED = Unknown(Reason.DENIED, "savingsplans:DescribeSavingsPlans denied (AccessDeniedException)")
RUNNING = f"resource: aws.ec2.instance\n    rule: resource.running\n    remediate: [stop]\n    {APPROVE}"


def ended(key: str, hourly: str, sku: str = GPU_HOUR, region: str = "us-east-1", quantity: str = "1") -> Ending:
    amount = Decimal(hourly)
    part = Part(Usage(sku, Decimal(quantity), "hour"), amount)
    return Ending(f"uid-{key}", region, Cost(amount, "list price"), (part,))


def saved(endings: dict[str, Ending], *commitments: Commitment, used: dict[int, str] | None = None) -> dict[str, Cost]:
    counted = Used(commitments, {position: Decimal(total) for position, total in (used or {}).items()})
    return net(endings, commitments, counted)


class TestPlans:
    def test_all_is_covered(self):
        """Where a plan covers all eligible use, a stop saves nothing, and the basis says why."""
        found = saved({"a": ended("a", "1")}, PLAN)["a"]

        assert found.hourly == 0
        assert found.basis == (
            "nothing: covered by the Compute Savings Plan until 2027-03-01, which is paid for, used or not; list price"
        )
        assert found.exact

    def test_there_is_more_use_than_the_plan_covers(self):
        """Where enough is not covered, the plan moves on to it; at which rate is not known, so it is about."""
        found = saved({"a": ended("a", "1")}, replace(PLAN, uncovered=Decimal(5)))["a"]

        assert found.hourly == 1
        assert not found.exact
        assert found.basis.startswith("about its price: the Compute Savings Plan until 2027-03-01 moves on to use")

    def test_what_is_not_covered_is_saved_once(self):
        """Stops together never save more than is paid on demand: 6 uncovered, 4 + 4 + 4 stopped is 4 + 2 + 0."""
        found = saved({key: ended(key, "4") for key in "abc"}, replace(PLAN, uncovered=Decimal(6)))

        assert [found[key].hourly for key in "abc"] == [4, 2, 0]
        assert found["b"].basis.startswith("50% of it: the rest is covered by")

    def test_two_findings_about_one_resource(self):
        """What two policies would stop is stopped once and takes from the plan once."""
        same = {key: replace(ended(key, "4"), uid="uid") for key in "ab"}

        found = saved({**same, "c": ended("c", "2")}, replace(PLAN, uncovered=Decimal(6)))

        assert [found[key].hourly for key in "abc"] == [4, 4, 2]

    @pytest.mark.parametrize(
        ("sku", "region"),
        [
            ("aws.ec2.linux.spot:g5.xlarge", "us-east-1"),
            ("aws.sagemaker.notebook:ml.g5.xlarge", "us-east-1"),
            ("aws.ebs.gp3", "us-east-1"),
        ],
    )
    def test_what_is_not_eligible(self, sku, region):
        """Spot, other services and disks are not touched by a Compute Savings Plan."""
        found = saved({"a": ended("a", "1", sku, region)}, PLAN)["a"]

        assert found == Cost(Decimal(1), "list price")
        assert not found.beside

    def test_another_region(self):
        """A plan for a family in one region says nothing of another."""
        narrow = Commitment("the g5 plan", ("aws.ec2.*.on_demand*:g5.*",), "eu-west-1")

        found = saved({"a": ended("a", "1"), "b": ended("b", "1", region="eu-west-1")}, narrow)

        assert [found["a"].hourly, found["b"].hourly] == [1, 0]

    def test_plans_that_could_not_be_read(self):
        """Where nobody may read the plans, the price is an upper bound and says so."""
        found = saved({"a": ended("a", "1")}, replace(PLAN, title="Savings Plans", uncovered=DENIED))["a"]

        assert found.hourly == 1
        assert not found.exact
        assert found.basis == (
            "at most its price: how far Savings Plans covers it is not known "
            "(savingsplans:DescribeSavingsPlans denied (AccessDeniedException)); list price"
        )

    def test_one_that_covers_it_beside_one_that_is_not_known(self):
        """A commitment that covers all is enough: another that could not be read changes nothing."""
        found = saved({"a": ended("a", "1")}, replace(PLAN, uncovered=DENIED), PLAN)["a"]

        assert found.hourly == 0
        assert found.exact


class TestReservations:
    RESERVED = Commitment("2 reserved g5.xlarge", (GPU_HOUR,), "us-east-1", units=Decimal(2))

    def test_as_many_as_are_in_use(self):
        """With two reserved and two in use, stopping one leaves a reservation paid for nothing."""
        found = saved({"a": ended("a", "1")}, self.RESERVED, used={0: "2"})["a"]

        assert found.hourly == 0

    def test_more_in_use(self):
        """With two reserved and three in use, the first stop saves and the second does not."""
        found = saved({"a": ended("a", "1"), "b": ended("b", "1")}, self.RESERVED, used={0: "3"})

        assert [found["a"].hourly, found["b"].hourly] == [1, 0]
        assert found["a"].basis == "more are in use than 2 reserved g5.xlarge covers; list price"
        assert found["a"].exact

    def test_in_a_plan(self):
        """The planner counts what the estate uses: of three machines with one reserved, two stops save."""
        one = replace(self.RESERVED, title="1 reserved g5.xlarge", units=Decimal(1))
        found = plan(RUNNING, [instance(f"i-{n}") for n in range(3)], context(commitments=(one,)))

        assert sorted(f.savings.hourly for f in found.findings) == [0, 1, 1]
        assert {s.finding: s.savings for s in found.steps} == {f.id: f.savings for f in found.findings}
        assert {f.cost.hourly for f in found.findings} == {Decimal(1)}


def test_without_commitments():
    """Without commitments nothing changes."""
    found = plan(RUNNING, [instance()])

    assert found.findings[0].savings == Cost(Decimal(1), "us-east-1 list price (list of 2026-01-01)")


@pytest.mark.parametrize(
    "kept", ["it is paid in advance with its capacity block", "its place in cr-1 is charged, used or not"]
)
def test_a_charge_that_goes_on(kept):
    """A charge that the resource's end does not end saves nothing, even where its price is not known."""
    usage = (Usage("aws.ec2.capacity_block:p5.48xlarge", Decimal(1), "hour", kept=kept),)
    (finding,) = plan(RUNNING, [instance(usage=usage)]).findings

    assert finding.savings == Cost(Decimal(0), f"nothing: {kept}", beside=f"nothing: {kept}")
    assert isinstance(finding.cost, Unknown)


def test_a_charge_that_goes_on_in_part():
    """Beside a charge that ends, one that goes on is named."""
    usage = (Usage(GPU_HOUR, Decimal(1), "hour"), Usage(GPU_HOUR, Decimal(1), "hour", kept="it is paid in advance"))
    (finding,) = plan(RUNNING, [instance(usage=usage)]).findings

    assert finding.savings.hourly == 1
    assert finding.cost.hourly == 2
    assert finding.savings.basis.startswith("all but what goes on: it is paid in advance; us-east-1 list price")


amounts = st.decimals(0, 20, places=2)
endings_of = st.lists(
    st.tuples(st.sampled_from("abcd"), amounts, st.sampled_from([GPU_HOUR, "aws.ec2.linux.on_demand:p5.48xlarge"])),
    max_size=6,
)
commitment = st.builds(
    Commitment,
    st.just("a plan"),
    st.sampled_from([("aws.ec2.*",), (GPU_HOUR,), ("aws.ec2.*.on_demand:p5.*",), ("aws.ebs.*",)]),
    st.sampled_from([ANY_REGION, "us-east-1", "eu-west-1"]),
    amounts | st.just(DENIED),
    st.none() | st.decimals(0, 5, places=0),
)


@given(endings_of, st.lists(commitment, max_size=4), commitment, st.integers(0, 4), st.decimals(0, 9, places=0))
def test_one_more_commitment_never_raises_savings(drawn, before, one, at, used):
    """Whatever else is committed to and wherever it stands, no finding saves more because of one more commitment."""
    endings = {
        str(n): replace(ended(uid, str(hourly), sku), uid=f"uid-{uid}") for n, (uid, hourly, sku) in enumerate(drawn)
    }
    at = min(at, len(before))
    more = [*before[:at], one, *before[at:]]
    counts = dict.fromkeys(range(len(more)), used)

    less = net(endings, before, Used(before, counts))
    found = net(endings, more, Used(more, counts))

    assert all(Decimal(0) <= found[key].hourly <= less[key].hourly <= endings[key].savings.hourly for key in endings)


@given(endings_of, amounts)
def test_stops_together_never_save_more_than_is_uncovered(drawn, uncovered):
    """However many are stopped, the bill falls no further than what is paid on demand."""
    endings = {str(n): ended(str(n), str(hourly), sku) for n, (_, hourly, sku) in enumerate(drawn)}
    everything = replace(PLAN, uncovered=uncovered)

    found = net(endings, [everything], Used([everything]))

    assert sum(cost.hourly for cost in found.values()) <= uncovered + Decimal("1e-18")


def test_the_plan_is_the_same_in_any_order():
    """The order in which resources stream by does not decide which of them saves."""
    half = replace(PLAN, uncovered=Decimal("1.5"))
    machines = [instance(f"i-{n}") for n in range(4)]

    found = [plan(RUNNING, order, context(commitments=(half,))).findings for order in (machines, machines[::-1])]

    assert found[0] == found[1]
    assert sum(finding.savings.hourly for finding in found[0]) == Decimal("1.5")
