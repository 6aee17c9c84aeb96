"""
Prices that were fetched, in a file: what `bursar prices fetch` writes and what a run keeps between runs.

JSON with one price a line, so that two of them can be compared. Whatever is read is checked anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from engine.errors import ConfigError, unreadable
from engine.prices import Price, PriceLayer
from integrations.prices.checks import Incoming, Refused, Sound, sound

FORMAT = "bursar prices"
VERSION = 1
HINT = "`bursar prices fetch` writes one anew"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a file holds."""

    prices: tuple[Price, ...] = ()
    refused: tuple[Refused, ...] = ()


def is_fetched(path: Path) -> bool:
    """Return whether the file's name says that it was fetched, and not written by hand."""
    return path.suffix == ".json"


def read_fetched(path: Path, reference: PriceLayer, today: date) -> Fetched:
    """
    Return the prices in the file at `path` that pass the checks, with those that did not.

    Raises:
        ConfigError: where the file cannot be read or is none of ours.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError.of(
            "bad-prices", f"the file cannot be read: {unreadable(error)}", where=str(path), hint=HINT
        ) from error
    if not isinstance(found, Mapping) or found.get("format") != FORMAT or found.get("version") != VERSION:
        message = "the file does not hold fetched prices, or those of another version"
        raise ConfigError.of("bad-prices", message, where=str(path), hint=HINT)
    try:
        rows = [_decoded(row) for row in found["prices"]]
        refused = tuple(Refused(*(str(row[key]) for key in ("sku", "region", "reason"))) for row in found["refused"])
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        message = f"a price in the file cannot be read ({type(error).__name__}: {error})"
        raise ConfigError.of("bad-prices", message, where=str(path), hint=HINT) from error
    checked = sound(rows, reference, today)
    return Fetched(checked.prices, (*checked.refused, *refused))


def write_fetched(path: Path, found: Sound) -> None:
    """Replace the file at `path`, all of it or nothing; raise `OSError` where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(_text(found), encoding="utf-8")
    beside.replace(path)


def _text(found: Sound) -> str:
    prices = [_encoded(price) for price in sorted(found.prices, key=lambda p: (p.sku, p.region))]
    refused = sorted(found.refused, key=lambda r: (r.sku, r.region, r.reason))
    told = [{"sku": r.sku, "region": r.region, "reason": r.reason} for r in refused]
    head = json.dumps({"format": FORMAT, "version": VERSION})[:-1]
    return f'{head},\n"prices": [{_lines(prices)}],\n"refused": [{_lines(told)}]}}\n'


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"\n{text}\n" if text else ""


def _encoded(price: Price) -> dict[str, Any]:
    return {
        "sku": price.sku,
        "region": price.region,
        "price": f"{price.amount:f}",
        "per": price.unit,
        "date": price.date.isoformat(),
        "source": price.source,
        "basis": price.basis,
        "exact": price.exact,
    }


def _decoded(row: Mapping[str, Any]) -> Incoming:
    """Return a row to be checked; raise where it has not the shape of one."""
    texts = [row[key] for key in ("sku", "region", "price", "per", "date", "source", "basis")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(row["exact"], bool):
        raise TypeError("a value of the wrong type")
    sku, region, amount, unit, day, source, basis = texts
    price = Price(sku, Decimal(amount), unit, region, source, date.fromisoformat(day), basis, row["exact"])
    # A file may keep prices for long: how old they are is told where they are used, and is no reason to refuse them.
    return Incoming(price, unit)
