"""Prices read for a file: of single skus, of whole services, of offer files. `bursar prices fetch` calls it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from integrations.aws.pricing.bulk import FILE, OfferFile, downloaded, opened
from integrations.aws.pricing.products import PRODUCTS
from integrations.aws.pricing.query import CALL, PriceQuery
from integrations.aws.pricing.spot import CALL as SPOT_CALL
from integrations.aws.pricing.spot import SKU as SPOT
from integrations.aws.pricing.spot import spot_prices
from integrations.aws.refusals import told
from integrations.aws.session import AwsSession
from integrations.prices.checks import Incoming


@dataclass
class Fetching:
    """One fetch, with what went wrong in it: what fails for one price or service leaves the others."""

    now: datetime
    failures: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    """Products that could not be read."""

    def files(self, paths: Iterable[Path]) -> Iterator[Incoming]:
        """Yield the prices in offer files on disk; raise `ConfigError` where one is none."""
        for path in paths:
            with opened(path) as stream:
                yield from OfferFile(str(path), self.odd).incoming(stream)

    def skus(self, session: AwsSession, places: Iterable[tuple[str, str]]) -> Iterator[Incoming]:
        """Yield the prices of skus in regions; with spot prices those on demand that they are held against."""
        wanted = set(places)
        wanted |= {(sku.replace(".spot:", ".on_demand:"), region) for sku, region in wanted if SPOT.fullmatch(sku)}
        query = PriceQuery(session, self.now.date(), self.odd)
        for sku, region in sorted(wanted):
            if SPOT.fullmatch(sku):
                yield from self._try(SPOT_CALL, partial(spot_prices, session, region, [sku], self.now))
            else:
                yield from self._try(CALL, partial(query.of_sku, sku, region))

    def services(self, session: AwsSession, names: Iterable[str], *, bulk: bool) -> Iterator[Incoming]:
        """Yield all prices of services, in the session's regions; `bulk` downloads their offer files."""
        query = PriceQuery(session, self.now.date(), self.odd)
        codes = {product.name: product.service for product in PRODUCTS}
        # Two of our services may stand in one offer file.
        for name in {codes[name]: name for name in names}.values() if bulk else names:
            for region in session.regions:
                if bulk:
                    yield from self._try(FILE, partial(self._download, session, codes[name], region))
                else:
                    yield from self._try(CALL, partial(query.of_service, name, region))

    def _download(self, session: AwsSession, service: str, region: str) -> list[Incoming]:
        with downloaded(session, service, region, self.now.date()) as stream:
            return list(OfferFile(f"{service} {region}", self.odd).incoming(stream))

    def _try(self, call: str, ask: Callable[[], list[Incoming]]) -> list[Incoming]:
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  (what was read before is not lost, and the failure is told)
            self.failures[told(error, call)] += 1
            return []
