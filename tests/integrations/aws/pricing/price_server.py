"""
A small AWS on loopback that knows prices: the Price List Query API, spot history, Savings Plans, reservations.

Products are answered as AWS does: JSON texts in pages, filtered by what was asked.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ARN = "arn:aws:pricing:::price-list/aws/AmazonEC2/USD/1/us-east-1"
PUBLISHED = "2026-11-20T17:00:00Z"
LINUX = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "licenseModel": "No License required",
    "marketoption": "OnDemand",
}


def product(service: str, amount: Any, unit: str = "Hrs", **attributes: str) -> dict[str, Any]:
    """Return one item of a price list, as an object."""
    currency = attributes.pop("currency", "USD")
    dimension = {"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": {currency: amount}}
    return {
        "product": {
            "productFamily": "x",
            "attributes": {"servicecode": service, "regionCode": "us-east-1", **attributes},
        },
        "serviceCode": service,
        "terms": {"OnDemand": {"a.b": {"effectiveDate": PUBLISHED, "priceDimensions": {"a.b.c": dimension}}}},
        "version": "1",
        "publicationDate": PUBLISHED,
    }


def machine(type_: str, amount: Any, unit: str = "Hrs", **attributes: str) -> dict[str, Any]:
    """Return an EC2 machine on demand."""
    return product(
        "AmazonEC2", amount, unit, instanceType=type_, usagetype=f"BoxUsage:{type_}", **{**LINUX, **attributes}
    )


@dataclass
class Prices:
    """What the server answers from."""

    products: list[Any] = field(default_factory=list)
    """Objects, or texts that are sent as they are whatever is asked."""
    page: int = 2
    spot: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Type, zone, price and time."""
    plans: list[dict[str, Any]] = field(default_factory=list)
    coverage: list[tuple[str, str, str]] = field(default_factory=list)
    """Of each day: what a plan covered, what was paid on demand, the total."""
    reserved: list[dict[str, str]] = field(default_factory=list)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By operation: the status and code that it answers with."""
    cut: bool = False
    """Whether pages of products lack their list."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What can be downloaded, by path."""
    answers: dict[str, str] = field(default_factory=dict)
    """XML by operation."""
    calls: Counter = field(default_factory=Counter)
    asked: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""


def handler_of(prices: Prices):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            found = prices.files.get(self.path)
            self.answer(200 if found is not None else 404, found or b"", "text/csv")

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.path.strip("/")
            if target:
                self.json(target, json.loads(body or "{}"))
            else:
                self.query(dict(urllib.parse.parse_qsl(body)))

        def json(self, operation, asked):
            prices.calls[operation] += 1
            prices.asked.append(asked)
            if operation in prices.refused:
                status, code = prices.refused[operation]
                self.answer(
                    status, json.dumps({"__type": code, "message": "no"}).encode(), "application/x-amz-json-1.1"
                )
                return
            made = {
                "GetProducts": products,
                "DescribeSavingsPlans": plans,
                "GetSavingsPlansCoverage": coverage,
                "ListPriceLists": lambda *_: {
                    "PriceLists": [{"PriceListArn": "arn:aws:pricing:::price-list/aws/AmazonEC2/USD/1/us-east-1"}]
                    if prices.files
                    else []
                },
                "GetPriceListFileUrl": lambda *_: {"Url": f"{prices.address}/offers.csv"},
            }[operation](prices, asked)
            self.answer(200, json.dumps(made).encode(), "application/json")

        def query(self, asked):
            operation = asked["Action"]
            prices.calls[operation] += 1
            prices.asked.append(asked)
            if operation in prices.refused:
                status, code = prices.refused[operation]
                text = f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
            else:
                status, text = 200, xml(prices, operation, asked)
            self.answer(status, text.encode(), "text/xml")

        def answer(self, status, data, kind):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def xml(prices, operation, asked):
    if operation == "DescribeSpotPriceHistory":
        return spot(prices, asked)
    if operation == "DescribeReservedInstances":
        return listed("DescribeReservedInstances", "reservedInstancesSet", prices.reserved)
    if operation == "GetCallerIdentity":
        account = "<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>"
        return f"<GetCallerIdentityResponse>{account}</GetCallerIdentityResponse>"
    return prices.answers.get(operation, f"<{operation}Response></{operation}Response>")


def products(prices, asked):
    if prices.cut:
        return {"FormatVersion": "aws_v1"}
    found = [item for item in prices.products if isinstance(item, str) or _fits(item, asked)]
    start = int(asked.get("NextToken", 0))
    items = [item if isinstance(item, str) else json.dumps(item) for item in found[start : start + prices.page]]
    more = {"NextToken": str(start + prices.page)} if start + prices.page < len(found) else {}
    return {"FormatVersion": "aws_v1", "PriceList": items, **more}


def _fits(item, asked):
    attributes = item.get("product", {}).get("attributes", {})
    if asked["ServiceCode"] != item.get("serviceCode"):
        return False
    for wanted in asked["Filters"]:
        has = attributes.get(wanted["Field"])
        fits = wanted["Value"] in (has or "") if wanted["Type"] == "CONTAINS" else has == wanted["Value"]
        if has is not None and not fits:
            return False
    return True


def plans(prices, asked):
    start = int(asked.get("nextToken", 0))
    more = {"nextToken": str(start + 1)} if start + 1 < len(prices.plans) else {}
    return {"savingsPlans": prices.plans[start : start + 1], **more}


def coverage(prices, _asked):
    keys = ("SpendCoveredBySavingsPlans", "OnDemandCost", "TotalCost")
    return {"SavingsPlansCoverages": [{"Coverage": dict(zip(keys, day, strict=True))} for day in prices.coverage]}


def spot(prices, asked):
    types = {value for key, value in asked.items() if key.startswith("InstanceType.")}
    items = [
        {
            "instanceType": type_,
            "productDescription": "Linux/UNIX",
            "availabilityZone": zone,
            "spotPrice": price,
            "timestamp": at,
        }
        for type_, zone, price, at in prices.spot
        if type_ in types
    ]
    return listed("DescribeSpotPriceHistory", "spotPriceHistorySet", items)


def listed(operation, name, items):
    body = "".join("<item>" + "".join(f"<{k}>{v}</{k}>" for k, v in item.items()) + "</item>" for item in items)
    return f"<{operation}Response><{name}>{body}</{name}></{operation}Response>"


@contextmanager
def serving(prices: Prices):
    """Serve at a free port of loopback; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(prices))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    prices.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield prices.address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
