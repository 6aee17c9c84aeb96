"""
Usage to dollars: what a stock-keeping unit costs in a region, and where that price comes from.

A `PriceBook` is made once for a run from layers (the user's own prices first, list prices last); the
checks and the planner ask it. A price that is not known is `Unknown`, never zero and never a guess:
one unknown part makes the whole sum unknown, and the known part is only mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from engine.findings import Cost
from engine.model import Usage
from engine.values import Reason, Unknown

MONTH_HOURS = 730
"""8,760 hours a year over twelve months, as the providers' calculators count."""
ANY_REGION = "*"
"""The region of a price that holds everywhere."""
UNITS = frozenset({"hour", "month", "GiB-month", "IOPS-month", "MiBps-month"})
FREE = Cost(Decimal(0), "nothing is charged")
PATH = "cost"


@dataclass(frozen=True, slots=True)
class Price:
    """One row of a price list."""

    sku: str
    amount: Decimal
    """USD for one `unit`."""
    unit: str
    region: str
    """A region's name, or `ANY_REGION`."""
    source: str
    """Where the price was read: a file, a contract, a page."""
    date: date
    """The day the source is of, or was read on where it says none."""
    basis: str
    """What kind of price it is: `list price, on demand, Linux, shared tenancy`."""
    exact: bool = True
    """False where the price of a like product stands in."""


@dataclass(frozen=True, slots=True)
class Discount:
    """What is taken off the prices of the layers below, for every sku that starts with `prefix`."""

    prefix: str
    percent: Decimal
    """0-100."""
    basis: str = ""
    """Why: `enterprise agreement 2026`."""

    @property
    def text(self) -> str:
        why = f" ({self.basis})" if self.basis else ""
        return f"less {self.percent.normalize():f}%{why}"


@dataclass(frozen=True)
class PriceLayer:
    """Prices of one origin."""

    name: str
    prices: Mapping[tuple[str, str], Price] = field(default_factory=dict)
    """By sku and region."""
    reference_region: str = ""
    """The region whose price stands in for regions without one; empty when none does."""
    discounts: tuple[Discount, ...] = ()
    """Apply to the layers below this one, never to its own prices: those are what is paid."""
    notes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Why the layer has no price for a sku in a region: it was refused, or could not be read."""

    @classmethod
    def of(
        cls,
        name: str,
        prices: Iterable[Price],
        *,
        reference_region: str = "",
        discounts: tuple[Discount, ...] = (),
        notes: Mapping[tuple[str, str], str] | None = None,
    ) -> PriceLayer:
        return cls(name, {(p.sku, p.region): p for p in prices}, reference_region, discounts, notes or {})

    def exactly(self, sku: str, region: str) -> Price | None:
        return self.prices.get((sku, region)) or self.prices.get((sku, ANY_REGION))

    def instead(self, sku: str) -> Price | None:
        """Return the price that stands in for regions without one."""
        return self.prices.get((sku, self.reference_region)) if self.reference_region else None

    def note(self, sku: str, region: str) -> str:
        """Return why there is no price, or nothing where the layer has nothing to say."""
        return self.notes.get((sku, region), "")


@dataclass(frozen=True, slots=True)
class Quote:
    """What one unit costs, after discounts."""

    amount: Decimal
    """USD for one `unit`."""
    unit: str
    basis: str
    """Kind, origin, date and discounts, for people."""
    exact: bool = True


@dataclass(frozen=True)
class PriceBook:
    """All prices of a run, the most trusted layer first."""

    layers: tuple[PriceLayer, ...] = ()
    today: date | None = None
    """The day of the run; None where no price is called old."""
    max_age: timedelta | None = None
    """A price older than that says so in its basis."""
    _quotes: dict[tuple[str, str], Quote | Unknown] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Answers so far. A fleet asks for few skus very often; the dict lives and dies with the book."""

    def quote(self, sku: str, region: str) -> Quote | Unknown:
        """Return the price of one unit of `sku` in `region`."""
        known = self._quotes.get((sku, region))
        if known is None:
            known = self._quotes[sku, region] = self._look_up(sku, region)
        return known

    def cost_of(
        self, usage: tuple[Usage, ...] | Unknown, region: str, roles: frozenset[str] | None = None
    ) -> Cost | Unknown:
        """Return what `usage` costs an hour in `region`; only the parts with one of `roles`, if given."""
        if roles is not None and not roles:
            return FREE
        if isinstance(usage, Unknown):
            return Unknown(usage.reason, usage.detail, PATH)
        wanted = usage if roles is None else tuple(u for u in usage if u.role in roles)
        if not wanted:
            return FREE
        charges = [self._charge(part, region) for part in wanted]
        missing = [c for c in charges if isinstance(c, Unknown)]
        known = [c for c in charges if isinstance(c, Cost)]
        hourly = sum((c.hourly for c in known), Decimal(0))
        if missing:
            return _incomplete(missing, known, hourly)
        basis = "; ".join(dict.fromkeys(c.basis for c in known))
        return Cost(hourly, basis, all(c.exact for c in known))

    def _look_up(self, sku: str, region: str) -> Quote | Unknown:
        for depth, layer in enumerate(self.layers):
            price = layer.exactly(sku, region)
            if price is not None:
                notes = self._notes(sku, region, self.layers[:depth])
                return self._quoted(price, depth, _where(price, region), price.exact, notes)
        for depth, layer in enumerate(self.layers):
            price = layer.instead(sku)
            if price is not None:
                where = f"{layer.reference_region} {price.basis}; none for {region or 'no region'}"
                return self._quoted(price, depth, where, exact=False, notes=self._notes(sku, region, self.layers))
        detail = f"no price for `{sku}` in {region or 'no region'}{self._notes(sku, region, self.layers)}"
        return Unknown(Reason.NOT_COLLECTED, detail, PATH)

    def _quoted(self, price: Price, depth: int, where: str, exact: bool, notes: str = "") -> Quote:
        discount = self._discount(price.sku, depth)
        origin = f"{self.layers[depth].name} of {price.date.isoformat()}{self._age(price)}"
        if discount is None:
            return Quote(price.amount, price.unit, f"{where} ({origin}){notes}", exact)
        amount = price.amount * (100 - discount.percent) / 100
        return Quote(amount, price.unit, f"{where} ({origin}), {discount.text}{notes}", exact)

    def _age(self, price: Price) -> str:
        """Return how old the price is, where that is older than it may be."""
        if self.today is None or self.max_age is None or self.today - price.date <= self.max_age:
            return ""
        return f", {(self.today - price.date).days:,} days old"

    @staticmethod
    def _notes(sku: str, region: str, layers: tuple[PriceLayer, ...]) -> str:
        """Return why `layers`, which come first, have no price."""
        return "".join(f"; {layer.name}: {note}" for layer in layers if (note := layer.note(sku, region)))

    def _discount(self, sku: str, depth: int) -> Discount | None:
        """Return the first layer's longest matching discount among the layers above `depth`."""
        for layer in self.layers[:depth]:
            matching = [d for d in layer.discounts if sku.startswith(d.prefix)]
            if matching:
                return max(matching, key=lambda d: len(d.prefix))
        return None

    def _charge(self, part: Usage, region: str) -> Cost | Unknown:
        quote = self.quote(part.sku, region)
        if isinstance(quote, Unknown):
            return quote
        if not part.quantity.is_finite():
            return Unknown(Reason.NAN, f"{part.quantity} units of `{part.sku}`", PATH)
        if part.quantity < 0:
            return Unknown(Reason.SOURCE_ERROR, f"{part.quantity} units of `{part.sku}`", PATH)
        if part.unit != quote.unit:
            detail = f"`{part.sku}` is used by the {part.unit} and priced by the {quote.unit}"
            return Unknown(Reason.WRONG_TYPE, detail, PATH)
        amount = quote.amount * part.quantity
        hourly = amount if part.unit == "hour" else amount / MONTH_HOURS
        return Cost(hourly, quote.basis, quote.exact)


def _where(price: Price, region: str) -> str:
    return price.basis if price.region == ANY_REGION else f"{region} {price.basis}"


def _incomplete(missing: list[Unknown], known: list[Cost], hourly: Decimal) -> Unknown:
    """Return why the sum is not known, with the part that is."""
    details = "; ".join(dict.fromkeys(u.detail for u in missing))
    rest = f"; the other parts cost ${hourly:,.4f}/h" if known else ""
    return Unknown(missing[0].reason, details + rest, PATH)
