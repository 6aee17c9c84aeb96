"""The Price List Query API: products of a service and region, or of one sku."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from integrations.aws.pricing.incoming import all_incoming
from integrations.aws.pricing.offers import BadOffer, Offer, offer_of
from integrations.aws.pricing.products import PRODUCTS, SAME, Filter, product_of
from integrations.aws.reader import PageCut
from integrations.aws.session import AwsSession
from integrations.prices.checks import Incoming

CALL = "pricing:GetProducts"
SOURCE = "AWS Price List Query API"
ENDPOINTS = ("us-east-1", "eu-central-1", "ap-south-1")
"""The regions that answer; each knows the prices of all."""
PAGE = 100


def endpoint_for(region: str) -> str:
    """Return the region to ask for the prices of `region`: the nearest."""
    return {"eu": ENDPOINTS[1], "ap": ENDPOINTS[2], "me": ENDPOINTS[2]}.get(region.partition("-")[0], ENDPOINTS[0])


@dataclass
class PriceQuery:
    """The Query API in the name of a session."""

    session: AwsSession
    today: date
    problems: list[str] = field(default_factory=list)
    """Products that could not be read."""

    def of_sku(self, sku: str, region: str) -> list[Incoming]:
        """
        Return the prices that AWS lists for `sku` in `region`; none where it lists nothing.

        Raises:
            Exception: the SDK's, where AWS cannot be asked; `PageCut` where a page lacks its list.
        """
        product = product_of(sku)
        filters = product.filters_of(sku) if product else None
        if product is None or filters is None:
            return []
        found = self._prices(product.service, region, filters)
        return [one for one in found if one.price.sku == sku and one.price.region == region]

    def of_service(self, name: str, region: str) -> list[Incoming]:
        """Return all prices that are known what they are of, for one name of `products.NAMES`; raises as `of_sku`."""
        found: list[Incoming] = []
        for product in PRODUCTS:
            if product.name == name:
                prices = self._prices(product.service, region, product.filters)
                found += [one for one in prices if one.price.region == region and one.expected == product.unit]
        return found

    def _prices(self, service: str, region: str, filters: Sequence[Filter]) -> list[Incoming]:
        offers = self._offers(service, region, filters)
        return list(all_incoming(offers, SOURCE, self.today, self.problems))

    def _offers(self, service: str, region: str, filters: Sequence[Filter]) -> Iterator[Offer | BadOffer]:
        asked = [{"Type": how, "Field": name, "Value": value} for how, name, value in filters]
        asked.append({"Type": SAME, "Field": "regionCode", "Value": region})
        pages = self.client(region).get_paginator("get_products")
        for page in pages.paginate(ServiceCode=service, Filters=asked, PaginationConfig={"PageSize": PAGE}):
            if not isinstance(page.get("PriceList"), list):
                raise PageCut("a page without PriceList")
            for item in page["PriceList"]:
                try:
                    yield offer_of(item)
                except BadOffer as bad:
                    yield bad

    def client(self, region: str) -> Any:
        """Return the client that knows the prices of `region`."""
        return self.session.client("pricing", endpoint_for(region))
