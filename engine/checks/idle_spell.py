"""How long something has been idle, as far as telemetry reaches, and what that cost in money and energy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.checks.idle_look import Look
from engine.findings import Idleness
from engine.kinds import Metric
from engine.model import Series, read_field
from engine.prices import MONTH_HOURS
from engine.telemetry import LEAST_WATTS, Window, metric_windows
from engine.values import Reason, Unknown

HOUR = timedelta(hours=1)
FAR = 1.5
"""Times the window of a policy from which on idleness is worth telling where there is little room."""


@dataclass(frozen=True, slots=True)
class _Spell:
    """Since when one series shows no work."""

    since: datetime
    exact: bool
    """True where it ends with work; False where it ends with a sample that is missing."""


def idleness_of(look: Look) -> Idleness:
    """
    Return how long an idle resource has been idle, and what that came to.

    Cost is price an hour times hours, at today's price. A month has 730 hours.
    """
    spell = max(_spells(look), key=lambda s: (s.since, s.exact), default=_Spell(look.window.start, exact=False))
    hourly = look.context.hourly_cost(look.resource)
    hours = Decimal(int((look.context.now - spell.since).total_seconds())) / 3600
    return Idleness(
        since=spell.since,
        exact=spell.exact,
        cost=hourly if isinstance(hourly, Unknown) else hourly * hours,
        monthly=hourly if isinstance(hourly, Unknown) else hourly * MONTH_HOURS,
        energy=energy_of(look, Window(spell.since, look.context.now)),
        energy_window=energy_of(look, look.window),
        telling=spell.exact or look.context.now - spell.since > FAR * look.check.window,
    )


def energy_of(look: Look, window: Window) -> float | Unknown:
    """
    Return the kWh that all accelerators drew in `window`, at most.

    The sum over devices of mean watts times hours, over 1,000 (1 kWh = 3.6e9 mJ, as NVIDIA counts its energy counter).
    A sample is the highest power of its bucket, so it is no less than what was drawn.
    """
    metric = next((m for m in look.kind.metrics if m.signal == "power" and not m.derived_from), None)
    if metric is None:
        return Unknown(Reason.NOT_COLLECTED, "its kind sends no power", "gpu.power")
    now, watts = look.context.now, look.context.watts
    readings = metric_windows(look.resource, look.kind, metric, window, now=now, watts=watts)
    total = 0.0
    for reading in readings.values():
        if isinstance(reading, Unknown):
            return reading
        total += reading.mean
    if not readings:
        return Unknown(Reason.MISSING, "it has no accelerator", metric.name)
    return total * ((window.end - window.start) / HOUR) / 1000


def _spells(look: Look) -> Iterator[_Spell]:
    """Yield since when each series that the policy compares has been at rest, up to the beginning of the window."""
    for name, limit in look.check.below.items():
        metric = look.kind.metric_by_name[name]
        if metric.event_driven:
            continue
        source = look.kind.metric_by_name.get(metric.derived_from, metric)
        threshold = _as_sent(look, metric, limit.value)
        if threshold is None:
            continue
        for series in look.resource.metrics.get(source.name, ()):
            yield _spell(series, threshold, look.window, LEAST_WATTS if source.unit == "watt" else 0)


def _as_sent(look: Look, metric: Metric, threshold: float) -> float | None:
    """Return the threshold in the unit of what is sent; of what is counted, any of it is work."""
    if metric.reduce == "sum":
        return 1e-9
    if not metric.derived_from:
        return threshold
    group = look.kind.field_by_name["accelerator.model"].group
    rest = look.context.watts.get(str(read_field(look.resource, "accelerator.model", group, look.context.now)))
    return None if rest is None else rest * (1 + threshold / 100)


def _spell(series: Series, threshold: float, window: Window, least: float) -> _Spell:
    """Return since when `series` was below `threshold` without a missing sample; the window itself is known to be."""
    step = timedelta(seconds=series.step)
    before = (window.start - series.start) // step
    for index in range(min(before, len(series.values)) - 1, -1, -1):
        value = series.values[index]
        seen = value is not None and value >= least
        if not seen or (value is not None and value >= threshold):
            return _Spell(min(series.start + (index + 1) * step, window.start), exact=seen)
    return _Spell(min(series.start, window.start), exact=False)
