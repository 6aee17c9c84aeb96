"""
Offer files, as AWS publishes them for download: CSV or JSON, one service and one or all regions.

They are read as a stream: EC2's are gigabytes, and only the products that `products` knows are kept.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any

from engine.errors import ConfigError
from integrations.aws.pricing.incoming import all_incoming
from integrations.aws.pricing.offers import BadOffer, Offer, attributes_of, day_of, folded, made, priced
from integrations.aws.pricing.products import PRODUCTS
from integrations.aws.pricing.query import endpoint_for
from integrations.aws.session import AwsSession
from integrations.prices.checks import Incoming

SOURCE = "AWS Price List offer file"
MOST_HEAD = 20
"""Lines before the header of a CSV file; five are usual."""
SERVICES = frozenset(product.service for product in PRODUCTS)
LIST, FILE = "pricing:ListPriceLists", "pricing:GetPriceListFileUrl"


@dataclass
class OfferFile:
    """One offer file."""

    name: str
    """For people: its path or address."""
    problems: list[str] = field(default_factory=list)
    """What could not be read in it."""

    def incoming(self, stream: BufferedReader) -> Iterator[Incoming]:
        """
        Yield the prices on demand in `stream`, as they come.

        Raises:
            ConfigError: where it is no offer file of a service that is known, or ends too early.
        """
        try:
            is_json = stream.peek(1)[:1] == b"{"
        except (OSError, EOFError) as error:
            raise self._bad(f"the file cannot be read: {error}") from error
        offers = self._json(stream) if is_json else self._csv(stream)
        yield from all_incoming(offers, f"{SOURCE} {self.name}", None, self.problems)

    def _bad(self, message: str) -> ConfigError:
        hint = "save `index.csv` or `index.json` of one service and region as AWS publishes it"
        return ConfigError.of("bad-prices", message, where=self.name, hint=hint)

    # --- CSV

    def _csv(self, stream: BufferedReader) -> Iterator[Offer | BadOffer]:
        text = TextIOWrapper(stream, encoding="utf-8", newline="")
        rows = csv.reader(text)
        try:
            head, names = self._header(rows)
            service, published = self._known(head.get("offercode", ""), head.get("publicationdate"))
            for row in rows:
                if len(row) != len(names):
                    raise self._bad(f"line {rows.line_num:,} is cut short")
                values = dict(zip(names, row, strict=True))
                if values.get("termtype") == "OnDemand" and values.get("startingrange", "") in ("", "0"):
                    yield _row(values, service, published)
        except (csv.Error, UnicodeDecodeError, EOFError, OSError) as error:
            raise self._bad(f"the file cannot be read: {error}") from error
        finally:
            text.detach()  # whoever opened the stream closes it

    def _header(self, rows: Iterator[list[str]]) -> tuple[dict[str, str], list[str]]:
        """Return what stands before the header, and the folded names in it."""
        head: dict[str, str] = {}
        for _, row in zip(range(MOST_HEAD), rows, strict=False):
            if row and folded(row[0]) == "sku" and len(row) > 2:
                return head, [folded(name) for name in row]
            if len(row) >= 2:
                head[folded(row[0])] = row[1]
        raise self._bad("the file is no offer file: it has no header with SKU first")

    # --- JSON

    def _json(self, stream: BufferedReader) -> Iterator[Offer | BadOffer]:
        """Yield the offers of a file that has all products first and all their terms after them."""
        import ijson

        code, day, products = "", "", dict[str, Any]()
        known: tuple[str, date] | None = None
        try:
            for prefix, event, value in (events := ijson.parse(stream)):
                if prefix == "offerCode":
                    code = str(value)
                elif prefix == "publicationDate":
                    day = str(value)
                elif prefix == "products" and event == "start_map":
                    known = self._known(code, day)
                    for sku, product in _entries(events, "products"):
                        attributes = attributes_of(product.get("attributes", {}))
                        if _wanted(code, attributes):
                            products[sku] = attributes
                elif known and prefix == "terms.OnDemand" and event == "start_map":
                    for sku, terms in _entries(events, "terms.OnDemand"):
                        if sku in products:
                            yield _offer(known[0], products[sku], terms, known[1])
        except (ijson.JSONError, UnicodeDecodeError, EOFError, OSError) as error:
            raise self._bad(f"the file cannot be read: {error}") from error
        if not known:
            raise self._bad("the file is no offer file: it has no products")

    def _known(self, service: str, published: object) -> tuple[str, date]:
        """Return the service and the day of publication, where both are told and the service is one of ours."""
        day = day_of(published)
        if service not in SERVICES:
            known = ", ".join(sorted(SERVICES))
            raise self._bad(f"prices of `{service or 'no service'}` are not read; there are {known}")
        if day is None:
            raise self._bad("the file does not say when it was published")
        return service, day


def _entries(events: Iterator[tuple[str, str, Any]], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the entries of the mapping that has just begun, each whole."""
    from ijson.common import ObjectBuilder

    key = ""
    for place, event, value in events:
        if place == prefix and event == "end_map":
            return
        if place == prefix and event == "map_key":
            key = str(value)
            continue
        builder, depth = ObjectBuilder(), 0
        while True:
            builder.event(event, value)
            depth += (event in ("start_map", "start_array")) - (event in ("end_map", "end_array"))
            if not depth:
                break
            place, event, value = next(events)  # noqa: PLW2901  # one value is many events
        yield key, builder.value if isinstance(builder.value, Mapping) else {}


def _wanted(service: str, attributes: Mapping[str, str]) -> bool:
    return any(product.service == service and product.sku_of(attributes) for product in PRODUCTS)


def _offer(service: str, attributes: Mapping[str, str], terms: Any, published: date | None) -> Offer | BadOffer:
    try:
        return made(service, attributes, terms, published)
    except BadOffer as bad:
        return bad


def _row(values: Mapping[str, str], service: str, published: date) -> Offer | BadOffer:
    tiered = values.get("endingrange", "") not in ("", "Inf")
    try:
        return priced(
            values.get("servicecode") or service,
            values,
            values.get("priceperunit"),
            values.get("unit"),
            values.get("currency", ""),
            published,
            tiered,
        )
    except BadOffer as bad:
        return bad


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Yield the file at `path`, unpacked where it ends in .gz; raise `ConfigError` where it cannot be opened."""
    try:
        file = path.open("rb")
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise ConfigError.of("bad-prices", message, where=str(path)) from error
    with file:
        yield BufferedReader(gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file


@contextmanager
def downloaded(session: AwsSession, service: str, region: str, today: date) -> Iterator[BufferedReader]:
    """
    Yield the current offer file of a service for a region, as it comes over the network.

    Raises:
        Exception: the SDK's or the network's; `LookupError` where AWS has no such file.
    """
    import urllib3

    client = session.client("pricing", endpoint_for(region))
    lists = client.list_price_lists(
        ServiceCode=service, RegionCode=region, CurrencyCode="USD", EffectiveDate=today.isoformat()
    )["PriceLists"]
    if not lists:
        raise LookupError(f"AWS has no price list of {service} for {region}")
    url = client.get_price_list_file_url(PriceListArn=lists[0]["PriceListArn"], FileFormat="csv")["Url"]
    with urllib3.PoolManager(timeout=60, retries=urllib3.Retry(3, backoff_factor=1)) as pool:
        response = pool.request("GET", url, preload_content=False)
        if response.status != 200:
            raise LookupError(f"the price list of {service} for {region} answers with status {response.status}")
        # Otherwise it closes itself under the reader that has its last bytes still to hand on.
        response.auto_close = False  # type: ignore[attr-defined]  # HTTPResponse has it, and this is one
        yield BufferedReader(response)
