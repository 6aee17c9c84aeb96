"""
One policy under many settings of its window and thresholds, and which of them to take.

A setting is chosen on the first part of the recording and checked on the second, which it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import product

from engine.backtest.model import Clock, Conduct, Outcome
from engine.backtest.prepare import Prepared, Setting
from engine.backtest.replay import assess, replay
from engine.errors import ConfigError, did_you_mean
from engine.policy.checks import Idle, Quantity
from engine.policy.model import Policy
from engine.units import UnitError, parse_duration

FOR = "for"
BELOW = "below."
LEVEL = 0.9
"""Of the interval of regret."""


def settings_of(policies: Sequence[Policy], axes: Mapping[str, Sequence[str]]) -> tuple[Setting, ...]:
    """
    Return the settings that `axes` span: every value of each with every value of the others.

    Raises:
        ConfigError: where an axis is none of the policies' `idle` checks, or a value does not fit.
    """
    idle = [policy for policy in policies if isinstance(policy.check, Idle)]
    if axes and not idle:
        raise ConfigError.of("usage", "no policy has an `idle` check to sweep over", where="--sweep")
    known = [FOR, *dict.fromkeys(BELOW + name for p in idle if isinstance(p.check, Idle) for name in p.check.below)]
    for axis in axes:
        if axis not in known:
            hint = did_you_mean(axis, known) or f"there are {', '.join(known)}"
            raise ConfigError.of("usage", f"`{axis}` is not part of the policies", where="--sweep", hint=hint)
    return tuple(
        Setting(values, tuple(_changed(policy, dict(values)) for policy in policies))
        for values in (tuple(zip(axes, chosen, strict=True)) for chosen in product(*axes.values()))
    )


def _changed(policy: Policy, values: Mapping[str, str]) -> Policy:
    if not isinstance(policy.check, Idle):
        return policy
    check, below = policy.check, dict(policy.check.below)
    try:
        for axis, text in values.items():
            name = axis.removeprefix(BELOW)
            if name in below:
                below[name] = _like(below[name], text)
        window = parse_duration(values[FOR]) if FOR in values else check.window
    except (UnitError, ValueError) as error:
        raise ConfigError.of("usage", f"{error}", where="--sweep") from error
    return replace(policy, check=check.model_copy(update={"window": window, "below": below}))


def _like(threshold: Quantity, text: str) -> Quantity:
    found = Quantity.model_validate(text)
    if found.unit != threshold.unit:
        raise UnitError(f"`{text}` is not of the kind of `{threshold.text}`")
    return found


@dataclass(frozen=True)
class Row:
    """One setting and what came of it."""

    setting: Setting
    outcome: Outcome


class Trust(StrEnum):
    """What the second part of a recording says of a choice made on the first."""

    CONFIRMED = "confirmed"
    """Regret is below the bound there, with certainty."""
    LIKELY = "likely"
    """It is below the bound, and there were too few acts to be certain."""
    REFUTED = "refuted"
    """It is above the bound."""
    UNTRIED = "untried"
    """Nothing happened there of which the end is known."""


@dataclass(frozen=True)
class Recommendation:
    """Which setting to take, and why."""

    bound: float
    """Share of acts, 0 to 1, that may turn out wrong."""
    split: datetime
    fitted: tuple[Row, ...]
    """Every setting on the first part."""
    best: Row | None
    """On the first part; None where no setting with acts stays within the bound."""
    checked: Outcome | None = None
    """The same setting on the second part."""
    interval: tuple[float, float] | None = None
    """Regret on the second part, by a Wilson interval of `LEVEL`."""
    trust: Trust = Trust.UNTRIED


def play(
    prepared: Prepared, settings: Sequence[Setting], clock: Clock, conduct: Conduct, horizon: timedelta
) -> tuple[Row, ...]:
    """Return what each setting comes to over the whole recording."""
    return tuple(
        Row(setting, assess(replay(parts, prepared.fleet, clock, conduct), prepared.fleet, clock, horizon))
        for setting, parts in zip(settings, prepared.parts, strict=True)
    )


def recommend(
    prepared: Prepared,
    settings: Sequence[Setting],
    clock: Clock,
    conduct: Conduct,
    horizon: timedelta,
    *,
    bound: float,
    first: float = 0.6,
) -> Recommendation:
    """
    Return the setting that saves most on the `first` share of the recording with regret within `bound`.

    The first part is judged by what was recorded of it alone: no act in it is known to be right by what came later.
    """
    cut = max(1, round(len(clock.ends) * first))
    end, runs = int(clock.ends[cut - 1]) + clock.every, range(cut)
    fleet = prepared.fleet
    fitted = tuple(
        Row(setting, assess(replay(parts, fleet, clock, conduct, runs), fleet, clock, horizon, end))
        for setting, parts in zip(settings, prepared.parts, strict=True)
    )
    allowed = [n for n, row in enumerate(fitted) if row.outcome.regret is not None and row.outcome.regret <= bound]
    split = clock.grid.moment(min(end, clock.grid.buckets))
    if not allowed:
        return Recommendation(bound, split, fitted, None)
    best = max(allowed, key=lambda n: worth(fitted[n].outcome))
    later = range(cut, len(clock.ends))
    checked = assess(replay(prepared.parts[best], fleet, clock, conduct, later), fleet, clock, horizon)
    interval = _interval(checked)
    return Recommendation(bound, split, fitted, fitted[best], checked, interval, _trust(checked, interval, bound))


def worth(outcome: Outcome) -> tuple[Decimal, float, float]:
    """Return what settings are compared by: dollars where they are known, then hours, then little displaced work."""
    return (outcome.dollars, outcome.saved, -outcome.displaced)


def _interval(outcome: Outcome) -> tuple[float, float] | None:
    """Return the interval of the true regret; None where no act's end is known."""
    if not outcome.observed:
        return None
    from scipy.stats import binomtest

    found = binomtest(outcome.regretted, outcome.observed).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def _trust(outcome: Outcome, interval: tuple[float, float] | None, bound: float) -> Trust:
    if interval is None or outcome.regret is None:
        return Trust.UNTRIED
    if outcome.regret > bound:
        return Trust.REFUTED
    return Trust.CONFIRMED if interval[1] <= bound else Trust.LIKELY
