"""Spot price history to the price that holds now."""

from decimal import Decimal

import pytest

from integrations.aws.pricing.spot import spot_prices

SKU = "aws.ec2.linux.spot:g5.2xlarge"


def read(session, now):
    return [one.price for one in spot_prices(session, "us-east-1", [SKU], now)]


def test_zones(aws_prices, session, now):
    """Of each zone the last change holds; the lowest zone is the price, with the extremes of the day beside it."""
    aws_prices.spot = [
        ("g5.2xlarge", "us-east-1a", "0.70", "2026-11-25T06:00:00Z"),
        ("g5.2xlarge", "us-east-1a", "0.50", "2026-11-25T01:00:00Z"),
        ("g5.2xlarge", "us-east-1b", "0.61", "2026-11-24T13:00:00Z"),
        ("g5.xlarge", "us-east-1b", "0.10", "2026-11-25T06:00:00Z"),
    ]

    (price,) = read(session, now)

    assert (price.amount, price.date, price.exact) == (Decimal("0.61"), now.date(), False)
    assert price.basis == "spot price, the lowest zone of us-east-1a $0.7, us-east-1b $0.61; 24 h $0.5-0.7"


def test_one_zone(aws_prices, session, now):
    """With one zone the price is exact."""
    aws_prices.spot = [("g5.2xlarge", "us-east-1a", "0.70", "2026-11-25T06:00:00Z")]

    (price,) = read(session, now)

    assert (price.amount, price.exact, price.basis) == (
        Decimal("0.70"), True, "spot price, us-east-1a $0.7; 24 h $0.7-0.7",
    )  # fmt: skip


@pytest.mark.parametrize("price", ["", "x", "NaN"])
def test_changes_that_make_no_sense(aws_prices, session, now, price):
    """A price that is no number and a change in the future are left out."""
    aws_prices.spot = [
        ("g5.2xlarge", "us-east-1a", price, "2026-11-25T06:00:00Z"),
        ("g5.2xlarge", "us-east-1a", "0.10", "2026-11-25T13:00:00Z"),
    ]

    assert read(session, now) == []


def test_nothing_is_known(aws_prices, session, now):
    """Without a change there is no price, rather than one of zero."""
    assert read(session, now) == []
