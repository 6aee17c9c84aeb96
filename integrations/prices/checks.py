"""
Whether a price that comes in can be true. One that cannot is refused with the reason, and the next layer answers.

Whoever reads prices from outside calls `sound` before anything else sees them. The bounds are our own, wide enough
for every price that was seen and narrow enough for the ways in which price data was seen to be wrong: discounted
skus among the on-demand ones, placeholders, spot above on demand, months for hours, cents for dollars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from engine.prices import MONTH_HOURS, UNITS, Price, PriceLayer

PLACEHOLDERS = frozenset({Decimal(700)})
"""Amounts that public price data holds for `not known`."""
STALEST = timedelta(days=365)
"""A list that was published longer ago is not believed: AWS cut its GPU prices by up to 44% in 2025."""
MOST = {
    "hour": Decimal(1000),
    "month": Decimal(20_000),
    "GiB-month": Decimal(10),
    "IOPS-month": Decimal(1),
    "MiBps-month": Decimal(20),
}
"""No single unit of anything costs more."""
PER_ACCELERATOR = (Decimal("0.05"), Decimal(40))
"""USD an hour on demand: T4g and Inferentia are the cheapest, GB200 the dearest."""
LIKE_LIST = (Decimal("0.4"), Decimal("2.5"))
"""How far a price may lie from the list price shipped for the same product, as a ratio."""
SPOT_LEAST = Decimal("0.02")
"""Of the price on demand: spot has never been seen cheaper."""
ACROSS_REGIONS = Decimal("1.8")
"""The dearest region over the median of all, for one product."""
FEWEST_REGIONS = 3


@dataclass(frozen=True, slots=True)
class Incoming:
    """A price as it came."""

    price: Price
    """With the amount and unit as they were read; nothing of it is believed yet."""
    expected: str
    """The unit the sku is charged by."""
    currency: str = "USD"
    accelerators: Decimal | None = None
    """How many accelerators the product has, where that came with it."""
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A price that is not believed."""

    sku: str
    region: str
    reason: str

    def __str__(self) -> str:
        return f"{self.sku} in {self.region}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Sound:
    """What can be believed of what came in, and what cannot."""

    prices: tuple[Price, ...]
    refused: tuple[Refused, ...]


def sound(incoming: Iterable[Incoming], reference: PriceLayer, today: date) -> Sound:
    """Return the prices that pass every check; `reference` are the list prices to hold them against."""
    refused: list[Refused] = []
    passed: dict[tuple[str, str], list[Price]] = defaultdict(list)
    for one in incoming:
        reason = _alone(one, today) or _beside_list(one.price, reference)
        if reason:
            refused.append(Refused(one.price.sku, one.price.region, reason))
        else:
            passed[one.price.sku, one.price.region].append(one.price)
    kept: dict[tuple[str, str], Price] = {}
    for (sku, region), found in passed.items():
        amounts = {price.amount for price in found}
        if len(amounts) > 1:
            told = " and ".join(f"${amount.normalize():f}" for amount in sorted(amounts)[:3])
            refused.append(Refused(sku, region, f"there are several prices for it, {told}"))
        else:
            kept[sku, region] = replace(found[0], exact=all(price.exact for price in found))
    for check in (_spot, _regions):
        for place, reason in check(kept, reference):
            refused.append(Refused(*place, reason))
            del kept[place]
    # A row that makes no sense beside one that does is noise, such as the zero rows of reserved terms.
    left = [one for one in refused if (one.sku, one.region) not in kept]
    return Sound(tuple(kept.values()), tuple(dict.fromkeys(left)))


def _alone(one: Incoming, today: date) -> str:
    """Return what is wrong with a price by itself, or nothing."""
    price = one.price
    amount = price.amount
    if not amount.is_finite():
        return f"`{amount}` is no number"
    if one.currency != "USD":
        return f"it is in {one.currency or 'no currency'}, not in USD"
    if amount <= 0:
        return "it is zero" if not amount else "it is negative"
    if amount in PLACEHOLDERS:
        return f"${amount.normalize():f} stands for an unknown price"
    if price.unit not in UNITS:
        return f"its unit `{price.unit}` is not known"
    if price.unit != one.expected:
        return f"it is by the {price.unit}, and the sku is charged by the {one.expected}"
    if amount > MOST[price.unit]:
        return f"${amount.normalize():f} for one {price.unit} cannot be"
    if one.published is not None and one.published > today + timedelta(days=1):
        return f"it was published in the future, on {one.published.isoformat()}"
    if one.published is not None and today - one.published > STALEST:
        return f"it was published on {one.published.isoformat()}, more than a year ago"
    return _per_accelerator(one)


def _per_accelerator(one: Incoming) -> str:
    if not one.accelerators or one.accelerators <= 0 or ".on_demand" not in one.price.sku:
        return ""
    each = one.price.amount / one.accelerators
    if PER_ACCELERATOR[0] <= each <= PER_ACCELERATOR[1]:
        return ""
    return f"${each:.4f} an hour for each of its {one.accelerators.normalize():f} accelerators cannot be"


def _beside_list(price: Price, reference: PriceLayer) -> str:
    """Return what is wrong with a price beside the list price of the same product, or nothing."""
    listed = reference.exactly(price.sku, price.region) or reference.instead(price.sku)
    if listed is None or listed.unit != price.unit or not listed.exact:
        return ""
    ratio = price.amount / listed.amount
    if LIKE_LIST[0] <= ratio <= LIKE_LIST[1]:
        return ""
    guess = ""
    if price.unit == "hour" and _near(ratio, Decimal(MONTH_HOURS)):
        guess = ": it looks like the price of a month"
    elif _near(ratio, Decimal(100)):
        guess = ": it looks like cents"
    elif _near(ratio, 1 / Decimal(MONTH_HOURS)) and price.unit != "hour":
        guess = ": it looks like the price of an hour"
    return f"${price.amount.normalize():f} is {_times(ratio)} the list price of {listed.date.isoformat()}{guess}"


def _near(ratio: Decimal, factor: Decimal) -> bool:
    return LIKE_LIST[0] <= ratio / factor <= LIKE_LIST[1]


def _times(ratio: Decimal) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.3g} times"


Prices = dict[tuple[str, str], Price]
Wrong = Sequence[tuple[tuple[str, str], str]]


def _spot(kept: Prices, reference: PriceLayer) -> Wrong:
    """Return the spot prices that are above the same machine on demand, or next to nothing."""
    wrong = []
    for (sku, region), price in kept.items():
        if ".spot:" not in sku:
            continue
        on_demand = sku.replace(".spot:", ".on_demand:")
        listed = kept.get((on_demand, region)) or reference.exactly(on_demand, region)
        most, than = (listed.amount, "on demand") if listed else (None, "")
        if listed is None and (elsewhere := reference.instead(on_demand)) is not None:
            listed, most = elsewhere, elsewhere.amount * ACROSS_REGIONS
            than = f"on demand in {elsewhere.region} and what regions differ by"
        if listed is None or most is None:
            continue
        if price.amount > most:
            why = f"${price.amount.normalize():f} for spot is above ${listed.amount.normalize():f} {than}"
            wrong.append(((sku, region), why))
        elif price.amount < listed.amount * SPOT_LEAST:
            why = f"${price.amount.normalize():f} for spot is next to nothing beside ${listed.amount.normalize():f}"
            wrong.append(((sku, region), why))
    return wrong


def _regions(kept: Prices, reference: PriceLayer) -> Wrong:  # noqa: ARG001  # the shape of these checks
    """Return the prices that are far above those of the same product in other regions."""
    by_sku: dict[str, list[Price]] = defaultdict(list)
    for (sku, _), price in kept.items():
        if ".spot:" not in sku:
            by_sku[sku].append(price)
    wrong: list[tuple[tuple[str, str], str]] = []
    for sku, prices in by_sku.items():
        if len(prices) < FEWEST_REGIONS:
            continue
        middle = median(price.amount for price in prices)
        for price in prices:
            if price.amount > middle * ACROSS_REGIONS:
                times = f"{price.amount / middle:.2f} times the median of {len(prices)} regions"
                wrong.append(((sku, price.region), f"${price.amount.normalize():f} is {times}"))
    return wrong
