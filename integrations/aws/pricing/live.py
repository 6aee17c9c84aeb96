"""
The prices of what a run comes upon, asked for while its resources stream by, each once.

What AWS does not answer, or answers with a price that cannot be true, stays without a price here and has a note:
the next layer of the price book answers, and the note is part of its basis.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.prices import Price, PriceLayer
from integrations.aws.pricing.products import product_of
from integrations.aws.pricing.query import CALL, PriceQuery
from integrations.aws.pricing.spot import CALL as SPOT_CALL
from integrations.aws.pricing.spot import SKU as SPOT
from integrations.aws.pricing.spot import spot_prices
from integrations.aws.refusals import is_refusal, told
from integrations.prices.checks import Incoming, Refused, Sound, sound

NAME = "AWS prices"
AT_ONCE = 8
"""Calls at the same time."""
MOST_FAILURES = 3
"""After so many failures of a call, or a single refusal, it is not made again in this run."""

Place = tuple[str, str]
"""Sku and region."""


@dataclass
class LivePrices:
    """What AWS says now, as a layer of a price book that fills as the run goes on."""

    query: PriceQuery
    now: datetime
    reference: PriceLayer
    """The list prices to hold answers against."""
    kept: Mapping[Place, Price] = field(default_factory=dict)
    """Prices of earlier runs; spot prices among them are not taken for those of now."""
    max_age: timedelta = timedelta(0)
    """A kept price that is younger is not asked for again."""
    prices: dict[Place, Price] = field(default_factory=dict)
    notes: dict[Place, str] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """What failed and how often, for people."""
    _seen: set[Place] = field(default_factory=set)
    _failed: Counter[str] = field(default_factory=Counter)
    _given_up: dict[str, str] = field(default_factory=dict)
    """Calls that are not made again, with the reason."""

    @property
    def layer(self) -> PriceLayer:
        """The layer; it holds what was wanted so far, and what is wanted later."""
        return PriceLayer(NAME, self.prices, notes=self.notes)

    @property
    def sound(self) -> Sound:
        """What was read in this run and passed, and what did not."""
        return Sound(tuple(self.prices.values()), tuple(self.refused))

    def want(self, places: Iterable[Place]) -> None:
        """Have the prices of `places` in the layer, or a note why one is not; returns when that is so."""
        new = {place for place in places if place not in self._seen and place[1]}
        # A spot price is held against the price on demand.
        new |= {(sku.replace(".spot:", ".on_demand:"), r) for sku, r in new if SPOT.fullmatch(sku)} - self._seen
        self._seen |= new
        spot: dict[str, list[str]] = defaultdict(list)
        listed: list[Place] = []
        for sku, region in sorted(new):
            young = self.kept.get((sku, region))
            if SPOT.fullmatch(sku):
                spot[region].append(sku)
            elif young is not None and self.now.date() - young.date <= self.max_age:
                self.prices[sku, region] = young
            elif product_of(sku) is not None:
                listed.append((sku, region))
        if spot or listed:
            self._take(self._ask(spot, listed))

    def _ask(self, spot: Mapping[str, list[str]], listed: list[Place]) -> list[Incoming]:
        """Return all answers; a place without one has its note."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = [
                *(pool.submit(self._one, CALL, [place], self._listed(place)) for place in listed),
                *(
                    pool.submit(self._one, SPOT_CALL, [(sku, region) for sku in skus], self._spot(skus, region))
                    for region, skus in spot.items()
                ),
            ]
            return [price for future in asked for price in future.result()]

    def _listed(self, place: Place) -> Callable[[], list[Incoming]]:
        return lambda: self.query.of_sku(*place)

    def _spot(self, skus: list[str], region: str) -> Callable[[], list[Incoming]]:
        return lambda: spot_prices(self.query.session, region, skus, self.now)

    def _one(self, call: str, places: list[Place], ask: Callable[[], list[Incoming]]) -> list[Incoming]:
        """Return the answers to one question; where there is none, each of its places has a note."""
        if call in self._given_up:
            self._note(places, f"not asked again after {self._given_up[call]}")
            return []
        try:
            found = ask()
        except Exception as error:  # noqa: BLE001  (whatever went wrong, the next layer answers and says so)
            why = told(error, call)
            self._failed[call] += 1
            if is_refusal(error) or self._failed[call] >= MOST_FAILURES:
                self._given_up[call] = why
            self._note(places, why)
            return []
        answered = {(one.price.sku, one.price.region) for one in found}
        for place in places:
            if place not in answered:
                self.notes[place] = "AWS lists no price for it"
        return found

    def _note(self, places: list[Place], why: str) -> None:
        self.notes.update(dict.fromkeys(places, why))
        self.failures[why] += len(places)

    def _take(self, found: list[Incoming]) -> None:
        checked = sound(found, self.reference, self.now.date())
        self.prices.update({(price.sku, price.region): price for price in checked.prices})
        self.refused += checked.refused
        for refused in checked.refused:
            self.notes[refused.sku, refused.region] = f"refused, {refused.reason}"
