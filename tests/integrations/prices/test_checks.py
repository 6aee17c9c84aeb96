"""Prices that cannot be true are refused with the reason; nothing else is."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Cost
from engine.model import Usage
from engine.prices import Price, PriceBook, PriceLayer
from integrations.prices.checks import Incoming, Refused, sound
from integrations.prices.load import bundled

TODAY = date(2026, 11, 25)
P5 = "aws.ec2.linux.on_demand:p5.48xlarge"
SPOT = "aws.ec2.linux.spot:p5.48xlarge"
LISTED = bundled()


def came(amount: str, sku: str = P5, unit: str = "hour", region: str = "us-east-1", **changes) -> Incoming:
    price = Price(sku, Decimal(amount), unit, region, "AWS", TODAY, "list price")
    return replace(Incoming(price, "hour", published=date(2026, 11, 20)), **changes)


def reasons(*incoming: Incoming) -> list[str]:
    return [one.reason for one in sound(incoming, LISTED, TODAY).refused]


def test_the_list_price_itself_passes():
    """What is shipped passes its own checks, all of it."""
    everything = [Incoming(price, price.unit) for price in LISTED.prices.values()]

    found = sound(everything, LISTED, TODAY)

    assert found.refused == ()
    assert set(found.prices) == set(LISTED.prices.values())


@pytest.mark.parametrize(
    ("incoming", "reason"),
    [
        (came("NaN"), "`NaN` is no number"),
        (came("Infinity"), "`Infinity` is no number"),
        (came("55.04", currency="CNY"), "it is in CNY, not in USD"),
        (came("55.04", currency=""), "it is in no currency, not in USD"),
        (came("0"), "it is zero"),
        (came("0.0000000000"), "it is zero"),
        (came("-1"), "it is negative"),
        (came("700.0", "aws.ec2.linux.on_demand:new.large"), "$700 stands for an unknown price"),
        (came("55.04", unit="Quantity"), "its unit `Quantity` is not known"),
        (came("55.04", unit="month"), "it is by the month, and the sku is charged by the hour"),
        (came("55.04", published=date(2027, 1, 1)), "it was published in the future, on 2027-01-01"),
        (came("55.04", published=date(2025, 11, 1)), "it was published on 2025-11-01, more than a year ago"),
        (came("40179.2", P5, unit="hour"), "$40179.2 for one hour cannot be"),
        (
            came("367.2", "aws.ec2.linux.on_demand:g4dn.xlarge"),
            "$367.2 is 698 times the list price of 2026-01-19: it looks like the price of a month",
        ),
        (
            came("52.6", "aws.ec2.linux.on_demand:g4dn.xlarge"),
            "$52.6 is 100 times the list price of 2026-01-19: it looks like cents",
        ),
        (came("0.5504"), "$0.5504 is 0.01 times the list price of 2026-01-19"),
        (
            came("400", "aws.ec2.linux.on_demand:p9.48xlarge", accelerators=Decimal(8)),
            "$50.0000 an hour for each of its 8 accelerators cannot be",
        ),
        (
            came("0.10", "aws.ec2.linux.on_demand:p9.48xlarge", accelerators=Decimal(8)),
            "$0.0125 an hour for each of its 8 accelerators cannot be",
        ),
    ],
)
def test_what_cannot_be_true(incoming, reason):
    """Each way in which a price was seen to be wrong is told apart."""
    assert reasons(incoming) == [reason]


def test_a_month_of_an_hour_of_a_disk():
    """A disk by the hour among prices by the month is told."""
    hourly = Price("aws.ebs.gp3", Decimal("0.00011"), "GiB-month", "us-east-1", "AWS", TODAY, "list price")

    (reason,) = reasons(Incoming(hourly, "GiB-month"))

    assert reason.endswith("it looks like the price of an hour")


def test_spot_above_on_demand():
    """A spot price above the same machine on demand is refused; the price on demand stays."""
    found = sound([came("55.04"), came("60", SPOT)], LISTED, TODAY)

    assert [price.sku for price in found.prices] == [P5]
    assert found.refused == (Refused(SPOT, "us-east-1", "$60 for spot is above $55.04 on demand"),)


def test_spot_is_held_against_the_list_where_nothing_else_came():
    """Without a price on demand beside it, the list's is taken; in another region with what regions differ by."""
    assert reasons(came("56", SPOT)) == ["$56 for spot is above $55.04 on demand"]
    assert reasons(came("56", SPOT, region="eu-west-1")) == []
    assert reasons(came("100", SPOT, region="eu-west-1")) == [
        "$100 for spot is above $55.04 on demand in us-east-1 and what regions differ by"
    ]


def test_spot_as_dear_as_on_demand():
    """Spot at the price on demand is possible; next to nothing is not."""
    assert reasons(came("55.04", SPOT)) == []
    assert reasons(came("0.05", SPOT)) == ["$0.05 for spot is next to nothing beside $55.04"]


def test_two_prices_for_one_thing():
    """Where one sku has two prices, neither is believed; the same price twice is one."""
    assert reasons(came("55.04"), came("50")) == ["there are several prices for it, $50 and $55.04"]
    assert len(sound([came("55.04"), came("55.04")], LISTED, TODAY).prices) == 1


def test_noise_beside_a_price():
    """A zero row beside a price that is sound is not told: reserved terms look like that."""
    found = sound([came("0"), came("55.04")], LISTED, TODAY)

    assert (len(found.prices), found.refused) == (1, ())


def test_a_region_far_above_the_others():
    """One region at more than 1.8 times the median of all is refused; two regions are too few to say."""
    sku = "aws.ec2.linux.on_demand:p9.48xlarge"
    four = [came(amount, sku, region=region) for region, amount in zip("abcd", ("10", "10", "11", "19"), strict=True)]

    assert reasons(*four) == ["$19 is 1.81 times the median of 4 regions"]
    assert reasons(came("10", sku, region="a"), came("19", sku, region="b")) == []


NEW = "aws.ec2.linux.on_demand:g5.xlarge"
rows = st.builds(
    Incoming,
    st.builds(
        Price,
        st.sampled_from([NEW, NEW.replace(".on_demand", ".spot"), "aws.ebs.gp3"]),
        st.decimals(allow_nan=True, allow_infinity=True, places=3)
        | st.sampled_from([Decimal(n) for n in ("0", "700", "1.006", "0.9", "734.38", "100.6", "0.08", "0.5")]),
        st.sampled_from(["hour", "month", "GiB-month", "Quantity"]),
        st.sampled_from(["us-east-1", "eu-west-1"]),
        st.just("AWS"),
        st.just(TODAY),
        st.just("came"),
    ),
    st.sampled_from(["hour", "GiB-month"]),
    st.sampled_from(["USD", "CNY"]),
    st.none() | st.just(Decimal(1)),
    st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1)),
)


@given(st.lists(rows, max_size=8))
def test_a_price_that_fails_a_check_never_reaches_a_cost(incoming):
    """Whatever comes in, a cost is computed from a price that passed or from the list, and from nothing else."""
    found = sound(incoming, LISTED, TODAY)
    came_in = PriceLayer.of("AWS", found.prices, notes={(r.sku, r.region): r.reason for r in found.refused})
    book = PriceBook((came_in, LISTED))

    for row in incoming:
        unit = "GiB-month" if row.price.sku == "aws.ebs.gp3" else "hour"
        cost = book.cost_of((Usage(row.price.sku, Decimal(730), unit),), row.price.region)
        if isinstance(cost, Cost):
            each = cost.hourly / 730 if unit == "hour" else cost.hourly
            listed = LISTED.instead(row.price.sku)
            believed = {p.amount for p in found.prices if (p.sku, p.region) == (row.price.sku, row.price.region)}
            assert each in believed or (listed is not None and each == listed.amount)
    for price in found.prices:
        assert price.amount.is_finite()
        assert price.amount > 0
        assert {row.currency for row in incoming if row.price == price} != {"CNY"}
    refused = {(r.sku, r.region) for r in found.refused}
    assert refused.isdisjoint((p.sku, p.region) for p in found.prices)
    assert refused | {(p.sku, p.region) for p in found.prices} == {(i.price.sku, i.price.region) for i in incoming}
