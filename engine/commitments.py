"""
What is paid for whether it is used or not, and what ending something saves beside it.

The planner calls `net` with what each remediation would end. Commitments arrive as data; an edge reads them.

The rule. A Savings Plan or reservation floats: what is ended frees its coverage for other eligible use (AWS, Savings
Plans user guide, "Understanding how Savings Plans apply to your AWS usage"). The bill therefore falls only as far
as there is eligible use that is not covered yet; beyond that the commitment is paid for nothing. Where it is not
known how much that is, the whole price is an upper bound and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase

from engine.findings import Cost
from engine.model import Resource, Usage
from engine.ports import Item
from engine.prices import ANY_REGION
from engine.values import Unknown


@dataclass(frozen=True, slots=True)
class Commitment:
    """Something bought for a term, or a kind of it that could not be read."""

    title: str
    """For people: `Compute Savings Plan 3f2a…`, `2 reserved p4d.24xlarge`."""
    skus: tuple[str, ...]
    """What it applies to; `*` stands for anything."""
    region: str = ANY_REGION
    uncovered: Decimal | Unknown = Decimal(0)
    """Eligible use that it does not cover, in USD an hour on demand. Not looked at where there are `units`."""
    units: Decimal | None = None
    """So many units of the sku are reserved: what the estate uses beyond that is not covered."""

    def applies(self, sku: str, region: str) -> bool:
        """Return whether use of `sku` in `region` is eligible."""
        return self.region in (ANY_REGION, region) and any(fnmatchcase(sku, pattern) for pattern in self.skus)


@dataclass(frozen=True, slots=True)
class Part:
    """One charge that a remediation ends."""

    usage: Usage
    hourly: Decimal
    """USD, on demand, for the whole quantity and the hours in which it ends."""


@dataclass(frozen=True, slots=True)
class Ending:
    """All that one remediation of one finding ends."""

    uid: str
    """The resource; what two findings about it end ends once."""
    region: str
    savings: Cost
    """Before commitments."""
    parts: tuple[Part, ...]


@dataclass
class Used:
    """How much of each reserved sku the estate uses, counted while it streams by."""

    commitments: Sequence[Commitment]
    totals: dict[int, Decimal] = field(default_factory=dict)
    """Units by the commitment's position."""

    def watched(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield `items`, counting what they use."""
        for item in items:
            if self.commitments and isinstance(item, Resource):
                self.add(item)
            yield item

    def add(self, resource: Resource) -> None:
        """Count what `resource` uses."""
        if isinstance(resource.usage, Unknown):
            return
        for position, commitment in enumerate(self.commitments):
            if commitment.units is None:
                continue
            for part in resource.usage:
                if part.quantity.is_finite() and part.quantity > 0 and commitment.applies(part.sku, resource.region):
                    self.totals[position] = self.totals.get(position, Decimal(0)) + part.quantity


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a charge ends, for one commitment."""

    share: Decimal
    """0-1."""
    because: str
    sure: bool
    """False where the share is an upper bound."""


def net(endings: Mapping[str, Ending], commitments: Sequence[Commitment], used: Used) -> dict[str, Cost]:
    """
    Return, by the keys of `endings`, what each saves beside `commitments`.

    The largest endings come first. Each takes its whole price from what every commitment leaves uncovered, so that
    what one commitment leaves never depends on another: one more never raises any savings.
    """
    left = [_left(commitment, used.totals.get(position, Decimal(0))) for position, commitment in enumerate(commitments)]
    known: dict[tuple[str, Usage], list[Share]] = {}
    found = {}
    for key in sorted(endings, key=lambda key: (-endings[key].savings.hourly, key)):
        ending = endings[key]
        amount, reasons, exact = ending.savings.hourly, dict[str, None](), ending.savings.exact
        for part in ending.parts:
            place = (ending.uid, part.usage)
            if place not in known:
                known[place] = list(_take(part, ending.region, commitments, left))
            share = min((s.share for s in known[place]), default=Decimal(1))
            amount -= part.hourly * (1 - share)
            reasons |= dict.fromkeys(s.because for s in known[place] if s.share == share or (share and not s.sure))
            exact &= all(s.sure for s in known[place]) or not share
        beside = "; ".join((*reasons, *filter(None, (ending.savings.beside,))))
        basis = "; ".join((*reasons, ending.savings.basis))
        found[key] = Cost(max(amount, Decimal(0)), basis, exact, beside)
    return found


def _left(commitment: Commitment, used: Decimal) -> Decimal | Unknown:
    return commitment.uncovered if commitment.units is None else max(used - commitment.units, Decimal(0))


def _take(part: Part, region: str, commitments: Sequence[Commitment], left: list[Decimal | Unknown]) -> Iterable[Share]:
    """Yield the share of `part` that each commitment lets end, and take it from what that one leaves."""
    for position, commitment in enumerate(commitments):
        if not commitment.applies(part.usage.sku, region):
            continue
        rest = left[position]
        if isinstance(rest, Unknown):
            why = rest.detail or rest.reason.value
            yield Share(
                Decimal(1), f"at most its price: how far {commitment.title} covers it is not known ({why})", sure=False
            )
            continue
        wanted = part.hourly if commitment.units is None else part.usage.quantity
        given = min(wanted, max(rest, Decimal(0)))
        left[position] = rest - given
        share = given / wanted if wanted else Decimal(1)
        yield Share(share, _told(commitment, share), sure=commitment.units is not None)


def _told(commitment: Commitment, share: Decimal) -> str:
    if not share:
        return f"nothing: covered by {commitment.title}, which is paid for, used or not"
    if share < 1:
        return f"{share:.0%} of it: the rest is covered by {commitment.title}, which is paid for, used or not"
    if commitment.units is not None:
        return f"more are in use than {commitment.title} covers"
    return f"about its price: {commitment.title} moves on to use that it does not cover yet"
