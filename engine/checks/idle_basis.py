"""Which signals a verdict read, which it did not, and what would change it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from engine.checks.context import Judgement
from engine.checks.idle_devices import Observed
from engine.checks.idle_look import Look
from engine.findings import Basis
from engine.units import format_duration
from engine.values import Reason, Unknown


def basis_of(look: Look, judgement: Judgement, observed: Sequence[Observed]) -> Basis:
    """Return what `judgement` rests on; `observed` is what the policy compares and what was read beside."""
    known = [o for o in (*observed, *look.protecting()) if o.readings or not o.metric.optional]
    names = {o.metric.name for o in known}
    read = [o.metric.name for o in known if o.known]
    unread = [f"{o.metric.name}{_lacking(o)}" for o in known if len(o.known) < max(len(o.readings), 1)]
    for metric in look.kind.metrics:
        derived = {m.name for m in look.kind.metrics if m.derived_from == metric.name}
        if metric.name in names or metric.derived_from or derived & names:
            continue
        sent = metric.name in look.resource.metrics
        asked = metric.signal in ("memory", "health") or metric.optional
        if sent and asked:
            read.append(metric.name)
        else:
            unread.append(f"{metric.name}: {'nothing sends it' if asked else 'the policy does not ask for it'}")
    changes = dict.fromkeys(_changes(look, judgement, observed))
    return Basis(tuple(dict.fromkeys(read)), tuple(unread), tuple(changes))


def _lacking(observed: Observed) -> str:
    """Return how many devices are not known, and why: ` of 2 of 8 devices: stale`."""
    missing = Counter(r.reason for r in observed.readings.values() if isinstance(r, Unknown))
    total = len(observed.readings)
    reason = missing.most_common(1)[0][0] if missing else Reason.NOT_COLLECTED
    some = f" of {missing.total()} of {total} devices" if total > 1 else ""
    return f"{some}: {reason.value.replace('_', ' ')}"


def _changes(look: Look, judgement: Judgement, observed: Sequence[Observed]) -> Iterator[str]:
    length = format_duration(look.check.window)
    if isinstance(judgement.violated, Unknown):
        yield from (_needed(unknown) for unknown in judgement.unknowns)
        return
    if judgement.violated is False and not judgement.classification:
        last = _last_work(look, observed)
        when = f": at the earliest at {last + look.check.window:%Y-%m-%d %H:%M} UTC" if last else ""
        yield f"{length} without work{when}"
        return
    match judgement.classification:
        case "faulted":
            yield "a reset or another device, and a window without an error of the hardware"
        case "stuck":
            yield "one sample of use below 95%, or one of power above its threshold"
        case "partly_idle":
            yield "work on the devices that are idle, or none on the others"
        case _:
            yield from _of_idle(judgement, observed, length)


def _of_idle(judgement: Judgement, observed: Sequence[Observed], length: str) -> Iterator[str]:
    devices = ", on any device," if any(len(o.readings) > 1 for o in observed) else ""
    for o in (o for o in observed if o.known):
        what = "a total" if o.metric.reduce == "sum" else "one sample"
        yield f"{what} of {o.metric.name} at {o.threshold.text} or more{devices} within {length}"
    yield from judgement.basis.changes


def _needed(unknown: Unknown) -> str:
    """Return what would have to be known: `telemetry: gpu.power[3]`."""
    path = unknown.path or unknown.detail
    if unknown.reason is Reason.INSUFFICIENT_SAMPLES:
        return f"a window without a missing sample of {path}"
    return f"a known {path}" if path.startswith(("resource.", "tags")) else f"telemetry: {path}"


def _last_work(look: Look, observed: Sequence[Observed]) -> datetime | None:
    """Return when the last bucket ended in which a metric that is compared as sent was at its threshold."""
    found: list[datetime] = []
    for o in observed:
        if o.metric.derived_from or o.metric.reduce == "sum":
            continue
        for series in look.resource.metrics.get(o.metric.name, ()):
            step = timedelta(seconds=series.step)
            loud = [n for n, value in enumerate(series.values) if value is not None and value >= o.threshold.value]
            if loud:
                found.append(series.start + (loud[-1] + 1) * step)
    return max((at for at in found if at <= look.context.now), default=None)
