"""
Price files to price layers: the dated catalogue that is shipped, and the user's own prices.

The front doors call it and hand the layers to `engine.prices.PriceBook`, the user's first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from engine.policy.scalars import Date, Percent, Text, Word, from_text
from engine.prices import ANY_REGION, UNITS, Discount, Price, PriceLayer
from engine.units import UnitError, parse_money
from integrations.prices.documents import read_document


def bundled() -> PriceLayer:
    """Return the list prices that are shipped."""
    found = _bundled_json("aws.json")
    prices = [price for table in found["tables"] for price in _table(table)]
    return PriceLayer.of(found["name"], prices, reference_region=found["reference_region"])


def gpu_idle_watts() -> Mapping[str, float]:
    """Return, by GPU model, the upper bound of the power at rest with a context held, in watts."""
    return {row["model"]: float(row["watts"]) for row in _bundled_json("gpu_power.json")["models"]}


def _bundled_json(name: str) -> Any:
    return json.loads(files("integrations.prices").joinpath(name).read_text(encoding="utf-8"))


def _table(table: Mapping[str, Any]) -> list[Price]:
    return [
        Price(
            sku=table["prefix"] + name,
            amount=Decimal(amount),
            unit=table["unit"],
            region=table["region"],
            source=table["source"],
            date=date.fromisoformat(table["date"]),
            basis=table["basis"],
            exact=not table.get("stands_in", False),
        )
        for name, amount in table["prices"].items()
    ]


# --- the user's own ------------------------------------------------------------------------------

STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _amount(text: str) -> Decimal:
    """Return an amount in USD written with or without its sign: `$12.50`, `0.08`."""
    money = parse_money(text if "$" in text or "USD" in text else f"${text}")
    if money.period:
        raise UnitError(f"`{text}` has a period", "the period stands under `per`")
    return money.amount


def _unit(text: str) -> str:
    if text not in UNITS:
        raise UnitError(f"`{text}` is not a unit", f"write one of {', '.join(f'`{u}`' for u in sorted(UNITS))}")
    return text


class OwnPrice(BaseModel):
    """One price of the user's."""

    model_config = STRICT

    sku: Text
    price: Annotated[Decimal, from_text(_amount)]
    per: Annotated[str, from_text(_unit)] = "hour"
    region: Word = ANY_REGION


class OwnDiscount(BaseModel):
    """A discount on list prices."""

    model_config = STRICT

    prefix: Text
    percent: Percent
    basis: str = ""


class PriceDocument(BaseModel):
    """A price file."""

    model_config = STRICT

    date: Date
    source: Text
    prices: tuple[OwnPrice, ...] = ()
    discounts: tuple[OwnDiscount, ...] = Field(())


def read_overrides(path: Path) -> PriceLayer:
    """
    Return the prices of the file at `path`.

    Raises:
        ConfigError: with every problem of the file.
    """
    return _layer(read_document(path, PriceDocument, "bad-prices"), path.name)


def _layer(document: PriceDocument, name: str) -> PriceLayer:
    prices = [
        Price(p.sku, p.price, p.per, p.region, document.source, document.date, "own price") for p in document.prices
    ]
    discounts = tuple(Discount(d.prefix, d.percent, d.basis) for d in document.discounts)
    return PriceLayer.of(name, prices, discounts=discounts)
