"""An estate whose resources come with their prices: each sku's is there before the first resource that needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.model import Needs, Resource, ScopeReport
from engine.ports import Estate, Item
from engine.values import Unknown

CHUNK = 500
"""Resources whose prices are asked for together."""


class Wanted(Protocol):
    """Whoever gets the prices."""

    def want(self, places: Iterable[tuple[str, str]]) -> None:
        """Have the prices of these skus and regions, or a note why one is not there."""


@dataclass(frozen=True)
class PricedEstate:
    """`estate`, with the prices of what it holds."""

    estate: Estate
    prices: Wanted

    @property
    def name(self) -> str:
        return self.estate.name

    @property
    def taken_at(self) -> datetime:
        return self.estate.taken_at

    def stream(self, needs: Needs) -> Iterator[Item]:
        """Yield what the estate yields; raises what it raises."""
        chunk: list[Item] = []
        for item in self.estate.stream(needs):
            chunk.append(item)
            if isinstance(item, ScopeReport) or len(chunk) >= CHUNK:
                self.prices.want(skus_of(chunk))
                yield from chunk
                chunk = []
        self.prices.want(skus_of(chunk))
        yield from chunk


def skus_of(items: Iterable[Item]) -> set[tuple[str, str]]:
    """Return the skus that the resources among `items` are charged for, with their regions."""
    return {
        (part.sku, item.region)
        for item in items
        if isinstance(item, Resource) and not isinstance(item.usage, Unknown)
        for part in item.usage
    }
