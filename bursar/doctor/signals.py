"""Telemetry and prices: what findings and dollars rest on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bursar.config import Config
from bursar.doctor.check import Check, State, failed
from bursar.pricing import price_book
from bursar.wiring import Choice, Setup, open_estate
from engine.errors import BursarError
from engine.model import KindNeeds, Needs, Resource, ScopeReport, ScopeStatus
from engine.policy.needs import needs_of
from integrations.telemetry.port import TELEMETRY

SIGNALS = frozenset({"gpu.utilization", "gpu.power"})
WINDOW = timedelta(hours=1)
SHOWN = 5
STALE = timedelta(days=120)
"""Age of list prices from which one should look whether there are newer ones."""


def check_telemetry(choice: Choice, setup: Setup, now: datetime) -> Iterator[Check]:
    """Yield what share of the running machines with GPUs sends what the policies ask about."""
    asked = {
        kind: KindNeeds(need.groups, dict.fromkeys(SIGNALS.intersection(need.metrics), WINDOW))
        for kind, need in needs_of(setup.policies).kinds.items()
        if SIGNALS.intersection(need.metrics)
    }
    if not asked:
        return
    try:
        with open_estate(choice, setup.config, now, priced=False) as (estate, _):
            items = list(estate.stream(Needs(asked)))
    except BursarError as error:
        yield failed("telemetry", "sources", error)
        return
    sources = [item for item in items if isinstance(item, ScopeReport) and item.scope.kind == TELEMETRY]
    yield from map(_source, sources)
    broken = any(report.status is not ScopeStatus.COMPLETE for report in sources)
    for kind, need in sorted(asked.items()):
        reports = [item for item in items if isinstance(item, ScopeReport) and item.scope.kind == kind]
        gaps = any(report.status is not ScopeStatus.COMPLETE for report in reports)
        machines = [i for i in items if isinstance(i, Resource) and i.kind == kind and _works(i)]
        found = _coverage(kind, sorted(need.metrics), machines, incomplete=gaps)
        yield replace(found, mend="first mend the source of telemetry above") if found.mend and broken else found


def _source(report: ScopeReport) -> Check:
    """Return whether a source of the configuration answered: without it its GPUs are unknown, not silent."""
    name = report.scope.account
    if report.status is ScopeStatus.COMPLETE:
        return Check("telemetry", name, State.WELL, report.detail or "answers")
    mend = "see that it runs, can be reached from here and takes these credentials: docs/how-to/gpu-telemetry.md"
    return Check("telemetry", name, State.UNREAD, report.detail or report.status.value, mend)


def _works(resource: Resource) -> bool:
    count = resource.fields.get("accelerator.count")
    return isinstance(count, int) and count > 0 and resource.fields.get("running") is not False


def _sends(resource: Resource, signal: str) -> bool:
    return any(value is not None for series in resource.metrics.get(signal, ()) for value in series.values)


def _coverage(kind: str, signals: list[str], machines: list[Resource], *, incomplete: bool) -> Check:
    if not machines:
        state = State.UNREAD if incomplete else State.WELL
        return Check("telemetry", kind, state, "no running machine with a GPU was seen")
    silent = [m for m in machines if not all(_sends(m, signal) for signal in signals)]
    sending = len(machines) - len(silent)
    says = f"{sending} of {len(machines)} with GPUs ({100 * sending // len(machines)}%) send {' and '.join(signals)}"
    if not silent:
        return Check("telemetry", kind, State.WELL, says)
    names = ", ".join(machine.name or machine.id for machine in silent[:SHOWN])
    more = f" and {len(silent) - SHOWN} more" if len(silent) > SHOWN else ""
    mend = "install an agent on them: docs/how-to/gpu-telemetry.md; until then nothing is ever done about them"
    state = State.UNREAD if len(silent) == len(machines) else State.NOTE
    return Check("telemetry", kind, state, f"{says}; not {names}{more}", mend)


def check_prices(config: Config, now: datetime) -> Iterator[Check]:
    """Yield how old the prices are."""
    try:
        book = price_book(config.prices, now)
    except BursarError as error:
        yield failed("prices", "files", error)
        return
    for layer in book.layers:
        dates = [price.date for price in layer.prices.values()]
        if not dates:
            continue
        age = now.date() - max(dates)
        old = age > (config.prices.max_age if config.prices.live and config.prices.max_age else STALE)
        says = f"{len(dates):,} prices, the newest of {max(dates)}, {age.days} days old"
        mend = "`bursar prices fetch`, or `prices: {live: true}`: docs/how-to/prices.md" if old else ""
        yield Check("prices", layer.name, State.NOTE if old else State.WELL, says, mend)
