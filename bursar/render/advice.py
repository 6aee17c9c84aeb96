"""A recommendation in sentences: what to set, what it was chosen by, and how far it may be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from bursar.backtesting import Backtest
from bursar.render.money import amount
from bursar.render.text import counted
from engine.backtest.model import Outcome
from engine.backtest.sweep import LEVEL, Recommendation, Row, Trust, worth
from engine.units import format_duration

TRUST = {
    Trust.CONFIRMED: "The bound holds there with certainty.",
    Trust.LIKELY: "The bound holds there, and there were too few acts to be certain: record longer.",
    Trust.REFUTED: "The bound does not hold there: the setting fits the first part alone. Do not rely on it.",
    Trust.UNTRIED: "Nothing was done there of which the end is known, so it is untried: record longer.",
}


def sentences(done: Backtest) -> Iterator[str]:
    """Yield the sentences about the recommendation of `done`."""
    found = done.recommendation
    if found is None:
        return
    if found.best is None:
        yield from _none(found)
        return
    chosen, horizon = found.best, format_duration(done.ask.horizon)
    fitted, settings = chosen.outcome, counted(len(found.fitted), "setting")
    yield f"Take {_named(chosen) or 'the policies as they are'}."
    yield (
        f"Up to {found.split:%m-%d %H:%M} it saves the most of {settings} with regret of at most "
        f"{found.bound:.0%}: {_worth(fitted)} by {fitted.acts:,} acts, of which {fitted.regretted:,} "
        f"of {fitted.observed:,} were followed by work within {horizon}."
    )
    yield from _runner_up(found, chosen)
    checked = found.checked
    if checked is not None and found.interval is not None and checked.regret is not None:
        low, high = found.interval
        yield (
            f"After that, on what it had not seen, it saves {_worth(checked)} by {checked.acts:,} acts; "
            f"{checked.regretted:,} of {checked.observed:,} are wrong, {checked.regret:.1%} "
            f"(with {LEVEL:.0%} confidence between {low:.1%} and {high:.1%})."
        )
    yield TRUST[found.trust]


def _none(found: Recommendation) -> Iterator[str]:
    known = [row for row in found.fitted if row.outcome.regret is not None]
    if not known:
        yield "No setting can be recommended: none did anything of which the end is known."
        return
    least = min(known, key=lambda row: (row.outcome.regret or 0.0, [-part for part in worth(row.outcome)]))
    yield (
        f"No setting can be recommended: the least regret up to {found.split:%m-%d %H:%M} is "
        f"{least.outcome.regret:.1%}, with {_named(least)}, and at most {found.bound:.0%} is asked for."
    )
    yield "Longer windows, a second signal such as power, or a condition on what the machines are for would lower it."


def _runner_up(found: Recommendation, chosen: Row) -> Iterator[str]:
    """Say what more could be saved by accepting more regret."""
    bolder = [row for row in found.fitted if worth(row.outcome)[:2] > worth(chosen.outcome)[:2]]
    if bolder:
        most = min(bolder, key=lambda row: row.outcome.regret or 0.0)
        yield (
            f"The next bolder choice, {_named(most)}, would save {_worth(most.outcome)} with a regret of "
            f"{most.outcome.regret or 0.0:.1%}."
        )


def _named(row: Row) -> str:
    return " and ".join(
        f"{name.removeprefix('below.')} {'below ' if name != 'for' else ''}{value}"
        for name, value in row.setting.values
    )


def _worth(outcome: Outcome) -> str:
    hours = f"{outcome.saved:,.0f} h"
    return f"{hours} ({amount(outcome.dollars)})" if outcome.dollars else hours
