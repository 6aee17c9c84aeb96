"""Dollars for people: as exact as they are worth reading, and marked where they are not exact."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.findings import Cost
from engine.values import Unknown

NOT_KNOWN = "?"
NOTHING = "–"
NEAR = "≈"


def monthly(cost: Cost | Unknown) -> str:
    """Return the cost of a month: `$40,179`, `≈ $9.53`, `–` for nothing, `?` where it is not known."""
    if isinstance(cost, Unknown):
        return NOT_KNOWN
    return amount(cost.monthly, exact=cost.exact)


def amount(dollars: Decimal, *, exact: bool = True) -> str:
    """Return `dollars` in whole dollars from ten on, in cents below."""
    if not dollars:
        return NOTHING
    text = f"${dollars:,.0f}" if abs(dollars) >= 10 else f"${dollars:,.2f}"
    if Decimal(0) < abs(dollars) < Decimal("0.005"):
        text = "<$0.01"
    return text if exact else f"{NEAR} {text}"


def total(costs: Iterable[Cost | Unknown]) -> tuple[Decimal, bool, int]:
    """Return the known sum of a month, whether it is exact, and how many parts are not known."""
    sum_, exact, unknown = Decimal(0), True, 0
    for cost in costs:
        if isinstance(cost, Unknown):
            unknown += 1
        else:
            sum_ += cost.monthly
            exact = exact and cost.exact
    return sum_, exact, unknown
