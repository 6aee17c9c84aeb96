"""Offers of a price list to prices that are still to be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

from engine.prices import Price
from integrations.aws.pricing.offers import BadOffer, Offer
from integrations.aws.pricing.products import PRODUCTS
from integrations.prices.checks import Incoming


def incoming(offer: Offer, source: str, day: date) -> Iterator[Incoming]:
    """
    Yield the price in `offer`, or nothing where it is of no sku of ours.

    Raises:
        BadOffer: where its region is not told.
    """
    for product in PRODUCTS:
        if product.service != offer.service or not (sku := product.sku_of(offer.attributes)):
            continue
        region = offer.attributes.get("regioncode", "")
        if not region:
            raise BadOffer("a product without a region")
        basis = product.basis
        if sku.startswith("aws.ec2."):
            tenancy = offer.attributes.get("tenancy", "").lower()
            basis = f"{basis}, {offer.attributes.get('operatingsystem', '')}, {tenancy} tenancy"
        if offer.tiered:
            basis += " of the first units; further ones have another price"
        price = Price(sku, offer.amount, offer.unit, region, source, day, basis, not offer.tiered)
        yield Incoming(price, product.unit, offer.currency, _accelerators(offer), offer.published)
        return


def all_incoming(
    offers: Iterable[Offer | BadOffer], source: str, day: date | None, problems: list[str]
) -> Iterator[Incoming]:
    """Yield the prices in `offers`, noting what cannot be read; `day` is that of publication where it is None."""
    for offer in offers:
        try:
            if isinstance(offer, BadOffer):
                raise offer
            yield from incoming(offer, source, day or offer.published or date.min)
        except BadOffer as bad:
            problems.append(str(bad))


def _accelerators(offer: Offer) -> Decimal | None:
    try:
        return Decimal(offer.attributes.get("gpu", ""))
    except InvalidOperation:
        return None
