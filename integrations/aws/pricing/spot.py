"""
Spot prices: what each zone pays now, with the lowest and highest of the last 24 hours.

The history holds changes only: the last one before now is the price that holds now.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.prices import Price
from integrations.aws.kinds.instances import PLATFORMS
from integrations.aws.reader import PageCut
from integrations.aws.session import AwsSession
from integrations.prices.checks import Incoming

CALL = "ec2:DescribeSpotPriceHistory"
SOURCE = "EC2 spot price history"
DAY = timedelta(hours=24)
SKU = re.compile(r"aws\.ec2\.(linux|windows|rhel|suse)\.spot:([\w.-]+)")
DESCRIPTIONS = {ours: theirs for theirs, ours in PLATFORMS.items()}
MOST_TYPES = 50
"""Instance types to ask for in one call."""


def spot_prices(session: AwsSession, region: str, skus: Iterable[str], now: datetime) -> list[Incoming]:
    """
    Return the spot prices of `skus` in `region` at `now`.

    Raises:
        Exception: the SDK's, where AWS cannot be asked; `PageCut` where a page lacks its list.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for sku in skus:
        if found := SKU.fullmatch(sku):
            wanted[found[1]].append(found[2])
    prices = []
    for platform, types in wanted.items():
        for start in range(0, len(types), MOST_TYPES):
            asked = types[start : start + MOST_TYPES]
            history = _history(session.client("ec2", region), DESCRIPTIONS[platform], asked, now)
            prices += [
                price
                for type_ in asked
                if (price := _price(f"aws.ec2.{platform}.spot:{type_}", region, type_, history, now)) is not None
            ]
    return prices


def _history(client: Any, description: str, types: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    pages = client.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=list(types), ProductDescriptions=[description], StartTime=now - DAY, EndTime=now
    )
    found: list[dict[str, Any]] = []
    for page in pages:
        if not isinstance(page.get("SpotPriceHistory"), list):
            raise PageCut("a page without SpotPriceHistory")
        found += page["SpotPriceHistory"]
    return found


def _price(sku: str, region: str, type_: str, history: list[dict[str, Any]], now: datetime) -> Incoming | None:
    """Return the lowest price of any zone now: what a stop saves is never overstated. None without one."""
    zones: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for change in history:
        when, zone = change.get("Timestamp"), change.get("AvailabilityZone") or change.get("AvailabilityZoneId")
        amount = _amount(change.get("SpotPrice"))
        if change.get("InstanceType") == type_ and isinstance(when, datetime) and zone and amount is not None:
            moment = when if when.tzinfo else when.replace(tzinfo=UTC)
            if moment <= now:
                zones[str(zone)].append((moment, amount))
    if not zones:
        return None
    current = {zone: max(changes)[1] for zone, changes in sorted(zones.items())}
    day = [amount for changes in zones.values() for _, amount in changes]
    each = ", ".join(f"{zone} ${amount.normalize():f}" for zone, amount in current.items())
    span = f"24 h ${min(day).normalize():f}-{max(day).normalize():f}"
    lowest = min(current.values())
    basis = f"spot price, the lowest zone of {each}; {span}" if len(current) > 1 else f"spot price, {each}; {span}"
    same = len(set(current.values())) == 1
    return Incoming(Price(sku, lowest, "hour", region, SOURCE, now.date(), basis, same), "hour")


def _amount(text: object) -> Decimal | None:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
