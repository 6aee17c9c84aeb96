"""Savings Plans and reservations as AWS tells them."""

from decimal import Decimal

import pytest

from engine.commitments import Commitment
from engine.prices import ANY_REGION
from engine.values import Reason, Unknown
from integrations.aws.pricing.commitments import EC2, SAGEMAKER, commitments

COMPUTE = {"savingsPlanId": "1", "savingsPlanType": "Compute", "commitment": "10", "end": "2027-03-01T00:00:00.000Z"}
FAMILY = {**COMPUTE, "savingsPlanType": "EC2Instance", "ec2InstanceFamily": "p5", "region": "us-west-2"}
WEEK = [("100", "48", "148")] * 6 + [("100", "24", "124")]


def reserved(type_="p4d.24xlarge", count="2", **changes) -> dict[str, str]:
    given = {"instanceType": type_, "instanceCount": count, "productDescription": "Linux/UNIX", "scope": "Region"}
    return {**given, "instanceTenancy": "default", "state": "active", **changes}


def test_nothing_is_committed(aws_prices, session, now):
    """Without plans, coverage and reservations there is nothing."""
    assert commitments(session, now.date()) == ()
    assert aws_prices.calls == {
        "DescribeSavingsPlans": 1,
        "GetSavingsPlansCoverage": 2,
        "DescribeReservedInstances": 1,
    }


def test_no_plan_has_covered_anything(aws_prices, session, now):
    """Where Cost Explorer has no data of plans at all, or days that none covered, there is none."""
    aws_prices.refused["GetSavingsPlansCoverage"] = (400, "DataUnavailableException")
    assert commitments(session, now.date()) == ()
    aws_prices.refused.clear()
    aws_prices.coverage = [("0", "48", "48")] * 7
    assert commitments(session, now.date()) == ()


def test_a_plan_of_another_account(aws_prices, session, now):
    """A plan that the organization shares is not the account's own, and its coverage tells of it all the same."""
    aws_prices.coverage = WEEK

    found = commitments(session, now.date())

    assert found[0] == Commitment("a Compute Savings Plan of another account", EC2, uncovered=Decimal(1))
    assert found[1].skus == SAGEMAKER


def test_a_plan(aws_prices, session, now):
    """What it leaves uncovered is that of the day with least: 24 dollars are one an hour."""
    aws_prices.plans, aws_prices.coverage = [COMPUTE], WEEK

    found, *_ = commitments(session, now.date())

    assert found == Commitment("the Compute Savings Plan until 2027-03-01", EC2, ANY_REGION, Decimal(1))
    period = aws_prices.asked[1]["TimePeriod"]
    assert period == {"Start": "2026-11-16", "End": "2026-11-23"}


def test_plans_of_one_kind_are_one(aws_prices, session, now):
    """Plans are paged; those of a kind are covered together and asked for once; those of databases are left out."""
    database = {**COMPUTE, "savingsPlanType": "Database"}
    aws_prices.plans = [COMPUTE, FAMILY, COMPUTE, {**COMPUTE, "savingsPlanType": "SageMaker"}, database]
    aws_prices.coverage = WEEK

    found = commitments(session, now.date())

    assert [(c.title, c.skus, c.region) for c in found] == [
        ("2 Compute Savings Plans", EC2, ANY_REGION),
        ("the p5 EC2 Instance Savings Plan until 2027-03-01", ("aws.ec2.*.on_demand*:p5.*",), "us-west-2"),
        ("the SageMaker Savings Plan until 2027-03-01", SAGEMAKER, ANY_REGION),
    ]
    assert aws_prices.calls["DescribeSavingsPlans"] == 5
    assert aws_prices.calls["GetSavingsPlansCoverage"] == 3
    asked = {f["Dimensions"]["Key"]: f["Dimensions"]["Values"] for f in aws_prices.asked[6]["Filter"]["And"]}
    assert asked["INSTANCE_FAMILY"] == ["p5"]
    assert asked["REGION"] == ["us-west-2"]


@pytest.mark.parametrize(
    ("days", "uncovered"),
    [
        ([("100", "48", "120")] * 7, Decimal(20) / 24),
        ([("100", "0", "100")] * 7, Decimal(0)),
        ([("100", "-5", "100")] * 7, Decimal(0)),
    ],
)
def test_what_is_uncovered_is_never_overstated(aws_prices, session, now, days, uncovered):
    """Of two figures that say it the lower one counts, and it is never below zero."""
    aws_prices.plans, aws_prices.coverage = [COMPUTE], days

    found, *_ = commitments(session, now.date())

    assert found.uncovered == uncovered


@pytest.mark.parametrize("days", [[], WEEK[:6], [("x", "1", "1")] * 7, [("1", "NaN", "NaN")] * 7])
def test_coverage_that_is_not_known(aws_prices, session, now, days):
    """Too few days, or figures that are none, are no coverage."""
    aws_prices.plans, aws_prices.coverage = [COMPUTE], days

    found, *_ = commitments(session, now.date())

    assert isinstance(found.uncovered, Unknown)


def test_what_is_denied(aws_prices, session, now):
    """Each thing that may not be read is a commitment of which nothing is known."""
    aws_prices.refused["DescribeSavingsPlans"] = (403, "AccessDeniedException")
    aws_prices.refused["DescribeReservedInstances"] = (403, "UnauthorizedOperation")

    plans, instances = commitments(session, now.date())

    assert plans == Commitment(
        "Savings Plans",
        (*EC2, *SAGEMAKER),
        uncovered=Unknown(Reason.DENIED, "savingsplans:DescribeSavingsPlans denied (AccessDeniedException)"),
    )
    denied = Unknown(Reason.DENIED, "ec2:DescribeReservedInstances denied (UnauthorizedOperation)")
    assert instances == Commitment("reserved instances", EC2, "us-east-1", denied)


def test_coverage_that_is_denied(aws_prices, session, now):
    """Where Cost Explorer may not be asked, the plan is known and how far it reaches is not."""
    aws_prices.plans = [COMPUTE]
    aws_prices.refused["GetSavingsPlansCoverage"] = (400, "AccessDeniedException")

    found = commitments(session, now.date())

    assert [one.title for one in found] == [
        "the Compute Savings Plan until 2027-03-01",
        "a SageMaker Savings Plan of another account",
    ]
    denied = Unknown(Reason.DENIED, "ce:GetSavingsPlansCoverage denied (AccessDeniedException)")
    assert {one.uncovered for one in found} == {denied}


def test_reservations(aws_prices, session, now):
    """Those of one type are counted together; platform, tenancy and zone are told apart."""
    aws_prices.reserved = [
        reserved(),
        reserved(count="1", scope="Availability Zone"),
        reserved("g5.xlarge", "3", productDescription="Windows (Amazon VPC)"),
        reserved("g5.xlarge", "4", instanceTenancy="dedicated"),
    ]

    assert commitments(session, now.date()) == (
        Commitment("3 reserved p4d.24xlarge", ("aws.ec2.linux.on_demand:p4d.24xlarge",), "us-east-1", units=Decimal(3)),
        Commitment(
            "4 reserved g5.xlarge", ("aws.ec2.linux.on_demand.dedicated:g5.xlarge",), "us-east-1", units=Decimal(4)
        ),
        Commitment("3 reserved g5.xlarge", ("aws.ec2.windows.on_demand:g5.xlarge",), "us-east-1", units=Decimal(3)),
    )


def test_a_reservation_for_any_size(aws_prices, session, now):
    """A regional Linux reservation of a flexible family may cover any size of it: how far is not known."""
    aws_prices.reserved = [reserved("m5.large", "4")]

    (found,) = commitments(session, now.date())

    assert found.skus == ("aws.ec2.linux.on_demand:m5.*",)
    assert isinstance(found.uncovered, Unknown)
    assert found.units is None


def test_reservations_that_make_no_sense(aws_prices, session, now):
    """A reservation without a count leaves all of them unknown: it may cover anything."""
    aws_prices.reserved = [{"instanceType": "p4d.24xlarge"}]

    (found,) = commitments(session, now.date())

    assert found.title == "reserved instances"
    assert isinstance(found.uncovered, Unknown)
