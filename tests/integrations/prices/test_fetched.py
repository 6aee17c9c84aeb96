"""Files of fetched prices: written whole, read back exactly, checked anew."""

import json
from datetime import date
from decimal import Decimal

import pytest

from engine.errors import ConfigError
from engine.prices import Price
from integrations.prices.checks import Refused, Sound
from integrations.prices.fetched import read_fetched, write_fetched
from integrations.prices.load import bundled

TODAY = date(2026, 11, 25)
LISTED = bundled()
GIVEN = ("us-east-1", "AWS")
P5 = Price("aws.ec2.linux.on_demand:p5.48xlarge", Decimal("55.0400"), "hour", *GIVEN, TODAY, "list price")
DISK = Price("aws.ebs.gp3", Decimal("0.08"), "GiB-month", *GIVEN, date(2024, 1, 1), "list price", exact=False)
REFUSED = Refused("aws.eks.cluster", "us-east-1", "it is zero")


def test_there_and_back(tmp_path):
    """What is written is read, prices and refusals, whatever their age; the folder is made."""
    path = tmp_path / "new" / "prices.json"

    write_fetched(path, Sound((P5, DISK), (REFUSED,)))

    found = read_fetched(path, LISTED, TODAY)
    assert set(found.prices) == {P5, DISK}
    assert found.refused == (REFUSED,)
    assert [p.name for p in path.parent.iterdir()] == ["prices.json"]


def test_the_same_prices_are_the_same_file(tmp_path):
    """The order in which prices came does not matter, and each stands on a line of its own."""
    write_fetched(tmp_path / "a.json", Sound((P5, DISK), ()))
    write_fetched(tmp_path / "b.json", Sound((DISK, P5), ()))

    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.json").read_text(encoding="utf-8")
    assert sum('"sku"' in line for line in text.splitlines()) == 2


def test_what_was_changed_by_hand(tmp_path):
    """A price that cannot be true is refused when the file is read, and the others stay."""
    path = tmp_path / "prices.json"
    write_fetched(path, Sound((P5, DISK), ()))
    path.write_text(path.read_text(encoding="utf-8").replace("55.0400", "5504"), encoding="utf-8")

    found = read_fetched(path, LISTED, TODAY)

    assert found.prices == (DISK,)
    assert found.refused == (Refused(P5.sku, "us-east-1", "$5504 for one hour cannot be"),)


def changed(**values) -> str:
    row = {
        "sku": "a", "region": "b", "price": "1", "per": "hour", "date": "2026-01-01", "source": "c", "basis": "d",
        "exact": True,
    }  # fmt: skip
    whole = {"format": "bursar prices", "version": 1, "prices": [{**row, **values}], "refused": []}
    return json.dumps(whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"format": "bursar prices", "version": 2, "prices": [], "refused": []}',
        '{"format": "other", "version": 1, "prices": [], "refused": []}',
        '{"format": "bursar prices", "version": 1}',
        '{"format": "bursar prices", "version": 1, "prices": [1], "refused": []}',
        '{"format": "bursar prices", "version": 1, "prices": [], "refused": [{}]}',
        changed(price=1.5),
        changed(price="x"),
        changed(date="soon"),
        changed(exact="yes"),
        changed(sku=None),
    ],
)
def test_files_that_are_something_else(tmp_path, text):
    """Anything else is refused as a whole: whose prices those are is not known."""
    (tmp_path / "prices.json").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"bad-prices"):
        read_fetched(tmp_path / "prices.json", LISTED, TODAY)


def test_a_file_that_is_not_there(tmp_path):
    """A file that was named and is not there is an error."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_fetched(tmp_path / "gone.json", LISTED, TODAY)
