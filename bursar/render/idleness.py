"""What an idle verdict says beside its evidence: since when, for how much, on what, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bursar.render.money import amount
from engine.findings import Basis, Idleness, Verdict
from engine.values import Unknown

NAMES = {"idle": "idle", "stuck": "stuck", "faulted": "broken"}


def summary_of(verdict: Verdict) -> str:
    """Return the summary of a verdict, with what its idleness has cost so far where that tells more than the window."""
    idleness = verdict.idleness
    if idleness is None or not idleness.telling or isinstance(idleness.cost, Unknown) or not idleness.cost:
        return verdict.summary
    least = "" if idleness.exact else "≥ "
    share = ", their share" if idleness.is_share else ""
    return f"{verdict.summary}; {least}{amount(idleness.cost)} so far{share}"


def lines_of(idleness: Idleness | None, basis: Basis) -> Iterator[tuple[str, str]]:
    """Yield each line with its name: `idle`, `stuck` or `broken`, `energy`, `read`, `unread` and `changes`."""
    if idleness is not None:
        longer = "" if idleness.exact else " or longer, as far as telemetry reaches"
        cost = f"{_dollars(idleness.cost)} so far, {_dollars(idleness.monthly)} a month if left{_whose(idleness)}"
        part = "{} of {} devices ".format(*idleness.devices) if idleness.devices else ""
        yield NAMES[idleness.state], f"{part}since {idleness.since:%Y-%m-%d %H:%M} UTC{longer}: {cost}"
        drawn = f"{_energy(idleness.energy)} since then, {_energy(idleness.energy_window)} in the window, at most"
        yield "energy", drawn
    if basis.read:
        yield "read", ", ".join(basis.read)
    by_reason: dict[str, list[str]] = {}
    for lacking in basis.unread:
        metric, _, why = lacking.partition(": ")
        by_reason.setdefault(why, []).append(metric)
    for why, metrics in by_reason.items():
        yield "unread", f"{', '.join(metrics)}: {why}"
    for change in basis.changes:
        yield "changes", change


def _whose(idleness: Idleness) -> str:
    """Return what the money is the cost of, where it is not that of something idle as a whole."""
    if idleness.devices is None:
        return ""
    return (
        "; their share of the cost, not what a stop would save"
        if idleness.is_share
        else "; what the whole machine costs"
    )


def _dollars(cost: Decimal | Unknown) -> str:
    return "a cost that is not known" if isinstance(cost, Unknown) else amount(cost) if cost else "nothing"


def _energy(kwh: float | Unknown) -> str:
    if isinstance(kwh, Unknown):
        return f"? kWh ({kwh.detail or kwh.reason.value})"
    return f"{kwh:,.2f} kWh" if kwh < 100 else f"{kwh:,.0f} kWh"
