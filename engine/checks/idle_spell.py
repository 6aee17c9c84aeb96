"""How long something has been idle, stuck or broken, as far as telemetry reaches, and what that cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf

from engine.checks.idle_devices import FULL_USE, Device, DeviceState
from engine.checks.idle_look import Look
from engine.faults import fault_text
from engine.findings import Idleness
from engine.kinds import Metric
from engine.model import Series, read_field
from engine.prices import MONTH_HOURS
from engine.telemetry import LEAST_WATTS, Window, metric_windows
from engine.values import Reason, Unknown

HOUR = timedelta(hours=1)
FAR = 1.5
"""Times the window of a policy from which on idleness is worth telling where there is little room."""

PARTS = {"partly_idle": DeviceState.IDLE, "stuck": DeviceState.STUCK, "faulted": DeviceState.FAULTED}
"""The classes that are about some devices of a machine, with the state of those."""


@dataclass(frozen=True, slots=True)
class _Spell:
    """Since when one series is as it is."""

    since: datetime
    exact: bool
    """True where it begins after a sample that shows otherwise; False after one that is missing."""


def idleness_of(look: Look, classification: str, states: Mapping[str, Device]) -> Idleness:
    """
    Return how long a resource, or a part of it, has been idle, stuck or broken, and what that came to.

    Cost is price an hour times hours, at today's price. A month has 730 hours. Of idle devices beside others that
    work it is their share of the price; of what is stuck or broken it is all of it, whatever other devices do.
    """
    state = PARTS.get(classification)
    part = None if state is None else frozenset(name for name, one in states.items() if one.state is state)
    known = _Spell(look.window.start, exact=False)
    if state is DeviceState.FAULTED:
        spell = min(_faulty(look, part or frozenset()), key=lambda s: s.since, default=known)
    else:
        spell = max(_spells(look, part, state), key=lambda s: (s.since, s.exact), default=known)
    idle = part if state is DeviceState.IDLE else None
    hourly = look.context.hourly_cost(look.resource)
    if idle is not None and not isinstance(hourly, Unknown):
        hourly = hourly * len(idle) / len(states)
    hours = Decimal(int((look.context.now - spell.since).total_seconds())) / 3600
    return Idleness(
        since=spell.since,
        exact=spell.exact,
        cost=hourly if isinstance(hourly, Unknown) else hourly * hours,
        monthly=hourly if isinstance(hourly, Unknown) else hourly * MONTH_HOURS,
        energy=energy_of(look, Window(spell.since, look.context.now), idle),
        energy_window=energy_of(look, look.window, idle),
        telling=spell.exact or look.context.now - spell.since > FAR * look.check.window,
        devices=None if part is None else (len(part), len(states)),
        state=(state or DeviceState.IDLE).value,
    )


def energy_of(look: Look, window: Window, devices: frozenset[str] | None = None) -> float | Unknown:
    """
    Return the kWh that the accelerators, or those of `devices`, drew in `window`, at most.

    The sum over devices of mean watts times hours, over 1,000 (1 kWh = 3.6e9 mJ, as NVIDIA counts its energy counter).
    A sample is the highest power of its bucket, so it is no less than what was drawn.
    """
    metric = next((m for m in look.kind.metrics if m.signal == "power" and not m.derived_from), None)
    if metric is None:
        return Unknown(Reason.NOT_COLLECTED, "its kind sends no power", "gpu.power")
    now, watts = look.context.now, look.context.watts
    readings = metric_windows(look.resource, look.kind, metric, window, now=now, watts=watts)
    total = 0.0
    for device, reading in readings.items():
        if devices is not None and device not in devices:
            continue
        if isinstance(reading, Unknown):
            return reading
        total += reading.mean
    if not readings:
        return Unknown(Reason.MISSING, "it has no accelerator", metric.name)
    return total * ((window.end - window.start) / HOUR) / 1000


def _spells(look: Look, part: frozenset[str] | None, state: DeviceState | None) -> Iterator[_Spell]:
    """Yield since when each series that the policy compares has been as it is, up to the beginning of the window."""
    for name, limit in look.check.below.items():
        metric = look.kind.metric_by_name[name]
        stuck = state is DeviceState.STUCK
        if metric.event_driven or (stuck and metric.signal not in ("compute", "power")):
            continue
        source = look.kind.metric_by_name.get(metric.derived_from, metric)
        threshold = _as_sent(look, metric, limit.value)
        if threshold is None:
            continue
        span = (FULL_USE, inf) if stuck and metric.signal == "compute" else (0.0, threshold)
        for series in look.resource.metrics.get(source.name, ()):
            if part is None or not metric.devices or series.device in part:
                yield _spell(series, look.window, span, LEAST_WATTS if source.unit == "watt" else 0.0)


def _faulty(look: Look, part: frozenset[str]) -> Iterator[_Spell]:
    """Yield since when each device of `part` has said that it is broken."""
    names = [metric.name for metric in look.kind.metrics if metric.signal == "health"]
    for series in (one for name in names for one in look.resource.metrics.get(name, ()) if one.device in part):
        step = timedelta(seconds=series.step)
        broken = [n for n, value in enumerate(series.values) if value is not None and fault_text(value)]
        first = broken[-1] if broken else 0
        while first > 0 and (value := series.values[first - 1]) is not None and fault_text(value):
            first -= 1
        if broken:
            yield _Spell(series.start + first * step, exact=first > 0 and series.values[first - 1] is not None)


def _as_sent(look: Look, metric: Metric, threshold: float) -> float | None:
    """Return the threshold in the unit of what is sent; of what is counted, any of it is work."""
    if metric.reduce == "sum":
        return 1e-9
    if not metric.derived_from:
        return threshold
    group = look.kind.field_by_name["accelerator.model"].group
    rest = look.context.watts.get(str(read_field(look.resource, "accelerator.model", group, look.context.now)))
    return None if rest is None else rest * (1 + threshold / 100)


def _spell(series: Series, window: Window, span: tuple[float, float], least: float) -> _Spell:
    """
    Return since when `series` was in `span` without a missing sample; the window itself is known to be.

    What is below `least` cannot be measured and counts as missing.
    """
    step = timedelta(seconds=series.step)
    before = (window.start - series.start) // step
    for index in range(min(before, len(series.values)) - 1, -1, -1):
        value = series.values[index]
        seen = value is not None and value >= least
        if not seen or (value is not None and not span[0] <= value < span[1]):
            return _Spell(min(series.start + (index + 1) * step, window.start), exact=seen)
    return _Spell(min(series.start, window.start), exact=False)
