"""Offer files as AWS publishes them: read as a stream, and noticed where they are cut or something else."""

import gzip
import io
import json
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest

from engine.errors import ConfigError
from integrations.aws.pricing.bulk import OfferFile, opened
from integrations.aws.pricing.fetching import Fetching
from tests.integrations.aws.pricing.price_server import LINUX, machine

HEAD = """\
"FormatVersion","v1.0"
"Disclaimer","This pricing list is for informational purposes only."
"Publication Date","2026-11-20T17:00:00Z"
"Version","20261120170000"
"OfferCode","AmazonEC2"
"""
NAMES = (
    '"SKU","TermType","StartingRange","EndingRange","Unit","PricePerUnit","Currency","serviceCode","Instance Type",'
    '"Operating System","Tenancy","CapacityStatus","Pre Installed S/W","License Model","MarketOption","Region Code",'
    '"usageType","GPU","Volume API Name"\n'
)
P5 = "aws.ec2.linux.on_demand:p5.48xlarge"


def row(type_="p5.48xlarge", price="55.0400000000", **changes) -> str:
    given = {
        "sku": "A", "term": "OnDemand", "start": "0", "end": "Inf", "unit": "Hrs", "price": price, "currency": "USD",
        "service": "AmazonEC2", "type": type_, "system": "Linux", "tenancy": "Shared", "capacity": "Used",
        "software": "NA", "license": "No License required", "market": "OnDemand", "region": "us-east-1",
        "usage": f"BoxUsage:{type_}", "gpu": "8", "volume": "",
    } | changes  # fmt: skip
    return ",".join(f'"{value}"' for value in given.values()) + "\n"


def offers(*products, **changes) -> bytes:
    whole = {
        "formatVersion": "v1.0",
        "offerCode": "AmazonEC2",
        "publicationDate": "2026-11-20T17:00:00Z",
        "products": {f"S{n}": {"sku": f"S{n}", **item["product"]} for n, item in enumerate(products)},
        "terms": {"OnDemand": {f"S{n}": item["terms"]["OnDemand"] for n, item in enumerate(products)}},
    }
    return json.dumps({**whole, **changes}).encode()


def read(text: str | bytes, problems=None):
    data = text.encode() if isinstance(text, str) else text
    return list(
        OfferFile("offers", problems if problems is not None else []).incoming(io.BufferedReader(io.BytesIO(data)))
    )


@pytest.mark.parametrize("text", [HEAD + NAMES + row(), offers(machine("p5.48xlarge", "55.04", gpu="8"))])
def test_both_forms(text):
    """CSV and JSON say the same; the price is of the day the file was published."""
    (found,) = read(text)

    assert (found.price.sku, found.price.amount, found.price.region) == (P5, Decimal("55.04"), "us-east-1")
    assert (found.price.date, found.published) == (date(2026, 11, 20), date(2026, 11, 20))
    assert found.price.basis == "list price, on demand, Linux, shared tenancy"
    assert found.price.source == "AWS Price List offer file offers"
    assert found.accelerators == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"term": "Reserved"},
        {"tenancy": "Host"},
        {"capacity": "UnusedCapacityReservation"},
        {"software": "SQL Ent"},
        {"license": "Bring your own license"},
        {"market": "CapacityBlock"},
        {"type": "", "usage": "EBS:SnapshotUsage"},
        {"start": "10000"},
    ],
)
def test_rows_of_something_else(changes):
    """Neighbours of a machine on demand are not taken for it."""
    assert read(HEAD + NAMES + row(**changes)) == []


def test_disks_and_tiers():
    """Disks come from the same file; the first tier is marked."""
    text = HEAD + NAMES + row("", "0.065", unit="IOPS-Mo", end="32000", usage="EBS:VolumeP-IOPS.io2", volume="io2")

    (found,) = read(text)

    assert (found.price.sku, found.price.unit, found.price.exact) == ("aws.ebs.io2.iops", "IOPS-month", False)


@pytest.mark.parametrize("price", ["", "x", "1,2"])
def test_a_price_that_is_no_number(price):
    """Such a row is noted and leaves its neighbours."""
    problems: list[str] = []

    found = read(HEAD + NAMES + row("g5.xlarge", price) + row(), problems)

    assert [one.price.sku for one in found] == [P5]
    assert problems == [f"a price of `{price}`"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header with SKU first"),
        ("a,b\n" * 50, "no header with SKU first"),
        ("<html>", "no header with SKU first"),
        (HEAD.replace("AmazonEC2", "AmazonS3") + NAMES + row(), "prices of `AmazonS3` are not read"),
        (HEAD.replace("Publication Date", "x") + NAMES + row(), "does not say when it was published"),
        (HEAD + NAMES + row() + row()[:70], "line 8 is cut short"),
        (b"\xff\xfe" + HEAD.encode("utf-16-le"), "cannot be read"),
        ("{}", "it has no products"),
        ('{"offerCode": "AmazonEC2"}', "it has no products"),
        (offers(machine("p5.48xlarge", "55.04"))[:-40], "cannot be read"),
        (offers(offerCode="AmazonS3"), "prices of `AmazonS3` are not read"),
        (offers(publicationDate="soon"), "does not say when it was published"),
        ("{" + "[" * 100_000, "cannot be read"),
    ],
)
def test_files_that_are_something_else(text, message):
    """A file that is cut, of another service or no offer file at all is refused as a whole, with the reason."""
    with pytest.raises(ConfigError, match=message):
        read(text)


def test_packed(tmp_path):
    """A file that ends in .gz is unpacked as it is read; one that is cut is noticed."""
    whole = gzip.compress((HEAD + NAMES + row()).encode())
    (tmp_path / "o.csv.gz").write_bytes(whole)
    (tmp_path / "cut.csv.gz").write_bytes(whole[:-12])

    with opened(tmp_path / "o.csv.gz") as stream:
        assert len(list(OfferFile("o").incoming(stream))) == 1
    with pytest.raises(ConfigError, match="cannot be read"), opened(tmp_path / "cut.csv.gz") as stream:
        list(OfferFile("cut").incoming(stream))


def test_a_file_that_is_not_there(tmp_path):
    """A file that does not exist is an error that names it."""
    with pytest.raises(ConfigError, match=r"gone\.csv"), opened(tmp_path / "gone.csv"):
        pass


@pytest.mark.parametrize("form", ["csv", "json"])
def test_memory_does_not_grow_with_what_is_not_wanted(form):
    """Of products that are none of ours nothing is kept: 9 MB and more are read within 3 MB."""
    if form == "csv":
        data = (HEAD + NAMES + row(tenancy="Host") * 60_000 + row()).encode()
    else:
        other = {"product": {"attributes": {**LINUX, "tenancy": "Host", "instanceType": "p5.48xlarge"}}}
        none = machine("p5.48xlarge", "1")["terms"]
        data = offers(machine("p5.48xlarge", "55.04"), *[{**other, "terms": none}] * 24_000)
    assert len(data) > 9_000_000
    stream = io.BufferedReader(io.BytesIO(data))
    tracemalloc.start()
    found = sum(1 for _ in OfferFile("large").incoming(stream))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == 1
    assert peak < 3_000_000


def test_downloads(aws_prices, session, now):
    """The current file of a service and region is found through the API and read as it comes."""
    aws_prices.files["/offers.csv"] = (HEAD + NAMES + row()).encode()
    fetching = Fetching(now)

    (found,) = fetching.services(session, ["ec2", "ebs"], bulk=True)

    assert found.price.sku == P5
    assert aws_prices.calls["GetPriceListFileUrl"] == 1
    assert not fetching.failures


@pytest.mark.parametrize("operation", ["ListPriceLists", "GetPriceListFileUrl"])
def test_downloads_that_are_denied(aws_prices, session, now, operation):
    """What may not be read is told, and nothing else fails."""
    aws_prices.files["/offers.csv"] = b"x"
    aws_prices.refused[operation] = (400, "AccessDeniedException")
    fetching = Fetching(now)

    assert list(fetching.services(session, ["ec2"], bulk=True)) == []
    assert dict(fetching.failures) == {f"pricing:{operation} denied (AccessDeniedException)": 1}


def test_downloads_that_are_not_there(aws_prices, session, now):
    """A service without a list, and an address that answers with nothing, are failures."""
    fetching = Fetching(now)
    assert list(fetching.services(session, ["ec2"], bulk=True)) == []
    aws_prices.files["/other.csv"] = b"x"
    assert list(fetching.services(session, ["ec2"], bulk=True)) == []
    assert sum(fetching.failures.values()) == 2
