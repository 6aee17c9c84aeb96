"""Price files to layers."""

from datetime import date
from decimal import Decimal

import pytest

from bursar.demo.estate import machines, volumes
from bursar.demo.estate_services import endpoints, notebooks
from engine.errors import ConfigError
from engine.model import Usage
from engine.prices import ANY_REGION, Discount, Price, PriceBook
from integrations.prices.load import bundled, gpu_idle_watts, read_overrides

OWN = """\
date: 2026-11-01
source: contract 4711
prices:
  - {sku: "aws.ec2.linux.on_demand:p5.48xlarge", price: $38.50, region: us-east-1}
  - {sku: aws.ebs.gp3, price: 0.072, per: GiB-month}
discounts:
  - {prefix: aws.ec2., percent: 12%, basis: enterprise agreement}
"""


def problems(folder, text) -> list[str]:
    (folder / "prices.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_overrides(folder / "prices.yaml")
    return [str(problem).partition("prices.yaml")[2] for problem in caught.value.problems]


def hour(sku: str) -> tuple[Usage, ...]:
    return (Usage(sku, Decimal(1), "hour"),)


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        ("p5.48xlarge", "55.04"),
        ("p4d.24xlarge", "21.957642"),
        ("g5.xlarge", "1.006"),
        ("g5.12xlarge", "5.672"),
        ("g6.xlarge", "0.8048"),
        ("g6f.large", "0.202"),
        ("g4dn.xlarge", "0.526"),
    ],
)
def test_list_prices(kind, price):
    """List prices are those of the published table of 2026-01-19 for us-east-1."""
    found = bundled().exactly(f"aws.ec2.linux.on_demand:{kind}", "us-east-1")
    assert (found.amount, found.unit, found.date) == (Decimal(price), "hour", date(2026, 1, 19))
    assert found.source


def test_every_list_price_is_complete():
    """Every price has a positive amount, a known unit, a date, a source and a basis."""
    for found in bundled().prices.values():
        assert found.amount > 0, found.sku
        assert found.unit in {"hour", "month", "GiB-month", "IOPS-month", "MiBps-month"}, found.sku
        assert found.source, found.sku
        assert found.basis, found.sku
        assert date(2025, 1, 1) < found.date <= date(2026, 12, 31), found.sku


def test_the_demo_can_be_priced():
    """Whatever the demo's company runs on demand has a price; what has none is known and deliberate."""
    book = PriceBook((bundled(),))
    skus = {f"aws.ec2.linux.on_demand:{m.type}" for m in machines() if not m.spot}
    skus |= {f"aws.sagemaker.hosting:{e.type}" for e in endpoints() if e.type}
    skus |= {f"aws.sagemaker.notebook:{n.type}" for n in notebooks()}
    unpriced = {sku for sku in skus if not hasattr(book.quote(sku, "us-east-1"), "amount")}
    assert unpriced == {"aws.sagemaker.hosting:ml.p4d.24xlarge", "aws.sagemaker.notebook:ml.p3.2xlarge"}
    assert [v.type for v in volumes() if not hasattr(book.quote(f"aws.ebs.{v.type}", "us-west-2"), "amount")] == []


def test_resting_power():
    """Every bound is a positive wattage below what the board may draw at all."""
    watts = gpu_idle_watts()
    assert watts["A10G"] == 65
    assert {"A100", "H100", "T4", "L4", "V100", "H200"} <= set(watts)
    assert all(0 < value < 1000 for value in watts.values())


def test_own_prices(tmp_path):
    """Prices and discounts are read exactly; a price without a region holds everywhere."""
    (tmp_path / "prices.yaml").write_text(OWN, encoding="utf-8")
    layer = read_overrides(tmp_path / "prices.yaml")
    sku = "aws.ec2.linux.on_demand:p5.48xlarge"
    given = ("contract 4711", date(2026, 11, 1), "own price")
    assert layer.prices == {
        (sku, "us-east-1"): Price(sku, Decimal("38.50"), "hour", "us-east-1", *given),
        ("aws.ebs.gp3", ANY_REGION): Price("aws.ebs.gp3", Decimal("0.072"), "GiB-month", ANY_REGION, *given),
    }
    assert layer.discounts == (Discount("aws.ec2.", Decimal(12), "enterprise agreement"),)


def test_own_prices_win_and_discounts_take_off_the_list(tmp_path):
    """What is paid is used as it is; the list price of everything else is less the discount."""
    (tmp_path / "prices.yaml").write_text(OWN, encoding="utf-8")
    book = PriceBook((read_overrides(tmp_path / "prices.yaml"), bundled()))
    assert book.cost_of(hour("aws.ec2.linux.on_demand:p5.48xlarge"), "us-east-1").hourly == Decimal("38.50")
    assert book.cost_of(hour("aws.ec2.linux.on_demand:g5.xlarge"), "us-east-1").hourly == Decimal("0.88528")


def test_all_mistakes_at_once(tmp_path):
    """Unknown keys, wrong units, negative amounts and percentages are told together, each at its place."""
    text = """\
date: November
source: contract
price: []
prices:
  - {sku: a, price: -5}
  - {sku: b, price: NaN}
  - {sku: c, price: 5, per: day}
  - {sku: d, price: €5}
  - {sku: "", price: 5}
discounts:
  - {prefix: a, percent: 120%}
"""
    found = problems(tmp_path, text)
    assert [line.split("  ")[0] for line in found] == [
        ":1:7", ":3:1", ":5:21", ":6:21", ":7:29", ":8:21", ":9:11", ":11:26",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "a: &x b\nc: *x", "[" * 5000])
def test_files_that_are_no_prices(tmp_path, text):
    """Anything else is refused."""
    assert problems(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path):
    """A price file that was asked for and does not exist is an error, never list prices in silence."""
    with pytest.raises(ConfigError):
        read_overrides(tmp_path / "gone.yaml")
