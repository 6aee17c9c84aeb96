"""
One product of an AWS price list, as the Query API and the offer files have it, to a price on demand.

Attribute names are folded to lower-case letters and digits: `instanceType`, `Instance Type` and `instancetype` are
one, so that an offer file in CSV reads as the API does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

Attributes: TypeAlias = Mapping[str, str]
"""By folded name."""
BY_UNIT: Mapping[str, tuple[str, int]] = {
    "hrs": ("hour", 1),
    "hours": ("hour", 1),
    "hour": ("hour", 1),
    "ocuhours": ("hour", 1),
    "gbmo": ("GiB-month", 1),
    "gbmonth": ("GiB-month", 1),
    "iopsmo": ("IOPS-month", 1),
    "mibpsmo": ("MiBps-month", 1),
    "mbpsmo": ("MiBps-month", 1),
    # gp3 throughput: the list has $40.96 a GiBps, the price page $0.04 a MiBps.
    "gibpsmo": ("MiBps-month", 1024),
}
"""Folded units of price lists to ours, with how many of ours one is."""


class BadOffer(ValueError):  # noqa: N818  # the name says it
    """A product that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A product with its first price on demand."""

    service: str
    attributes: Attributes
    amount: Decimal
    unit: str
    """One of `engine.prices.UNITS`, or the list's own word where it is none of them."""
    currency: str
    tiered: bool
    """Whether further units cost something else."""
    published: date | None


def folded(name: str) -> str:
    """Return `name` in lower case, letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def attributes_of(raw: Any) -> Attributes:
    """Return the attributes of a product by folded name."""
    if not isinstance(raw, Mapping):
        raise BadOffer("a product without attributes")
    return {folded(str(key)): value for key, value in raw.items() if isinstance(value, str)}


def offer_of(item: object) -> Offer:
    """
    Return the offer in one item of `PriceList`, which is a JSON text.

    Raises:
        BadOffer: where it is no product with a price on demand.
    """
    if isinstance(item, str):
        try:
            item = json.loads(item, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise BadOffer("a product that is not JSON") from error
    if not isinstance(item, Mapping):
        raise BadOffer("a product that is no object")
    product, terms = item.get("product"), item.get("terms")
    attributes = attributes_of(product.get("attributes") if isinstance(product, Mapping) else None)
    on_demand = terms.get("OnDemand") if isinstance(terms, Mapping) else None
    service = item.get("serviceCode") or attributes.get("servicecode", "")
    return made(str(service), attributes, on_demand, day_of(item.get("publicationDate")))


def made(service: str, attributes: Attributes, on_demand: Any, published: date | None) -> Offer:
    """Return the offer of a product whose terms on demand are `on_demand`; raise `BadOffer` without a price in it."""
    if not isinstance(on_demand, Mapping) or not on_demand:
        raise BadOffer("a product without a price on demand")
    dimensions = [
        dimension
        for term in on_demand.values()
        if isinstance(term, Mapping) and isinstance(term.get("priceDimensions"), Mapping)
        for dimension in term["priceDimensions"].values()
        if isinstance(dimension, Mapping)
    ]
    first = [d for d in dimensions if str(d.get("beginRange") or "0") in ("0", "0.0", "0.0000000000")]
    if len(first) != 1:
        raise BadOffer(f"a product with {len(first)} first prices on demand")
    amounts = first[0].get("pricePerUnit")
    if not isinstance(amounts, Mapping) or not amounts:
        raise BadOffer("a price without an amount")
    currency = "USD" if "USD" in amounts else str(next(iter(amounts)))
    return priced(
        service, attributes, amounts[currency], first[0].get("unit"), currency, published, len(dimensions) > 1
    )


def priced(
    service: str,
    attributes: Attributes,
    amount: object,
    unit: object,
    currency: str,
    published: date | None,
    tiered: bool,
) -> Offer:
    """Return the offer with its unit as one of ours; raise `BadOffer` where the amount is no number."""
    try:
        value = Decimal(str(amount))
    except InvalidOperation as error:
        raise BadOffer(f"a price of `{str(amount)[:20]}`") from error
    name, times = BY_UNIT.get(folded(str(unit)), (str(unit), 1))
    return Offer(service, attributes, value / times if times != 1 else value, name, currency, tiered, published)


def day_of(text: object) -> date | None:
    """Return the day of a time in ISO 8601; None where it is none."""
    try:
        return datetime.fromisoformat(str(text)).date()
    except ValueError:
        return None
