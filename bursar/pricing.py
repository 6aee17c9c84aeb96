"""
Configuration to prices: the layers of the book, what AWS is asked for, and what is kept of that.

The order: the user's own prices, what AWS says now, what it said before, fetched files, the list that is shipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bursar.config import PriceSettings
from engine.commitments import Commitment
from engine.prices import PriceBook, PriceLayer
from integrations.aws.session import AwsSettings
from integrations.prices.checks import Refused, Sound
from integrations.prices.fetched import Fetched, read_fetched, write_fetched
from integrations.prices.load import bundled, read_overrides

if TYPE_CHECKING:
    from integrations.aws.pricing.live import LivePrices

KEPT = "AWS prices kept from before"


def price_book(settings: PriceSettings, now: datetime, live: tuple[PriceLayer, ...] = ()) -> PriceBook:
    """
    Return the price book of a run at `now`; `live` are layers that fill as it goes on.

    Raises:
        ConfigError: where a file of prices that is named cannot be used.
    """
    own = (read_overrides(settings.own),) if settings.own else ()
    listed = bundled()
    files = [
        PriceLayer.of(path.name, found.prices, notes=_notes(found.refused))
        for path in settings.fetched
        for found in [read_fetched(path, listed, now.date())]
    ]
    if settings.live:
        files.insert(0, PriceLayer.of(KEPT, _kept(settings, now).prices))
    return PriceBook((*own, *live, *files, listed), now.date(), settings.max_age)


def _notes(refused: Iterable[Refused]) -> dict[tuple[str, str], str]:
    return {(one.sku, one.region): f"refused, {one.reason}" for one in refused}


def _kept(settings: PriceSettings, now: datetime) -> Fetched:
    return read_fetched(settings.cache, bundled(), now.date()) if settings.cache.exists() else Fetched()


@dataclass
class RunPrices:
    """What a run knows of prices beside files."""

    live: LivePrices | None = None
    commitments: tuple[Commitment, ...] = ()
    problems: list[str] = field(default_factory=list)
    """What went wrong beside single prices, for people."""

    @property
    def layers(self) -> tuple[PriceLayer, ...]:
        return (self.live.layer,) if self.live is not None else ()

    def want(self, places: Iterable[tuple[str, str]]) -> None:
        """Ask AWS for these prices, where it is asked at all."""
        if self.live is not None:
            self.live.want(places)


@contextmanager
def run_prices(settings: PriceSettings, aws: AwsSettings, now: datetime) -> Iterator[RunPrices]:
    """
    Yield what the configuration wants to know of AWS's prices, and keep what was read for the next run.

    Raises:
        ConfigError: without credentials, and where the kept prices cannot be used.
    """
    from integrations.aws.pricing.commitments import commitments
    from integrations.aws.pricing.live import LivePrices
    from integrations.aws.pricing.query import PriceQuery
    from integrations.aws.read_only import refuse_what_changes
    from integrations.aws.session import open_session

    kept = {(p.sku, p.region): p for p in _kept(settings, now).prices} if settings.live else {}
    reading = replace(aws, listeners=(refuse_what_changes, *aws.listeners))
    with open_session(reading) as session:
        found = RunPrices(commitments=commitments(session, now.date()) if settings.commitments else ())
        if settings.live and settings.max_age is not None:
            query = PriceQuery(session, now.date())
            found.live = LivePrices(query, now, bundled(), kept, settings.max_age)
        yield found
        if found.live is not None and found.live.prices:
            everything = {**kept, **found.live.prices}
            try:
                write_fetched(settings.cache, Sound(tuple(everything.values()), ()))
            except OSError as error:
                found.problems.append(f"prices could not be kept in {settings.cache}: {error.strerror}")
