"""
Checks that differ from a given one in a single thing: thresholds, windows and hours moved by one in the last place
that is written, demands, tags, accepted values, classes and limits dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.cases.rewrites import moved_lengths, moved_numbers
from engine.policy.checks import Check, Encryption, Idle, Quantity, Quota, QuotaLimits, RequiredTags, Schedule, TagRule
from engine.policy.translate import Location
from engine.units import format_money, format_percent

Texts = Callable[..., str]
"""The path of a scalar below the check to its text; empty where it is not written."""
IMPOSSIBLE = "\N{REPLACEMENT CHARACTER}"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One change to a check."""

    check: Check
    how: str
    """`for: 4h → 3h`."""
    path: Location
    """Of what was changed, below the check."""


def check_changes(check: Check, text: Texts) -> Iterator[CheckChange]:
    """Yield every change to `check`, each of them alone; none to a check that no source answers."""
    match check:
        case Idle():
            yield from _idle(check, text)
        case RequiredTags():
            yield from _required_tags(check)
        case Encryption():
            yield from _encryption(check)
        case Schedule():
            yield from _schedule(check)
        case Quota():
            yield from _quota(check, text)
        case _:
            return


def _changed(check: Any, **changes: Any) -> Any:
    return check.model_copy(update=changes)


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


# --- idle


def _idle(check: Idle, text: Texts) -> Iterator[CheckChange]:
    for how, window in moved_lengths(check.window, text("for")):
        if window > timedelta(0):
            yield CheckChange(_changed(check, window=window), f"for: {how}", ("for",))
    for name, threshold in check.below.items():
        path = ("below", name)
        for moved in _thresholds(threshold):
            how = f"below.{name}: {threshold.text} → {moved.text}"
            yield CheckChange(_changed(check, below={**check.below, name: moved}), how, path)
        if len(check.below) > 1:
            yield CheckChange(_changed(check, below=_without(check.below, name)), f"below.{name}: dropped", path)
    yield from _protections(check)
    if check.unseen:
        for how, unseen in moved_lengths(check.unseen, text("unseen")):
            yield CheckChange(_changed(check, unseen=unseen), f"unseen: {how}", ("unseen",))
    if text("coverage"):
        yield from _shares(check)
    for number, name in enumerate(check.classes):
        rest = tuple(other for other in check.classes if other != name)
        how = f"classes: {name} dropped" if rest else "classes: dropped"
        yield CheckChange(_changed(check, classes=rest), how, ("classes", number))
    if len(check.classes) > 1:
        yield CheckChange(_changed(check, classes=()), "classes: dropped", ("classes",))


def _protections(check: Idle) -> Iterator[CheckChange]:
    for name, limit in (check.protect_while or {}).items():
        path = ("protect_while", name)
        rest = _without(check.protect_while or {}, name)
        yield CheckChange(_changed(check, protect_while=rest), f"protect_while.{name}: dropped", path)
        for moved in _thresholds(limit):
            how = f"protect_while.{name}: {limit.text} → {moved.text}"
            yield CheckChange(_changed(check, protect_while={**rest, name: moved}), how, path)


def _shares(check: Idle) -> Iterator[CheckChange]:
    for percent in (check.coverage - 1, check.coverage + 1):
        if 0 < percent <= 100:
            how = f"coverage: {format_percent(check.coverage)} → {format_percent(percent)}"
            yield CheckChange(_changed(check, coverage=percent), how, ("coverage",))


def _thresholds(threshold: Quantity) -> Iterator[Quantity]:
    for text, number, factor in moved_numbers(threshold.text):
        value = float(number) if factor is None else threshold.value * float(factor)
        yield threshold.model_copy(update={"value": value, "text": text})


# --- required_tags


def _required_tags(check: RequiredTags) -> Iterator[CheckChange]:
    for key, rule in check.tags.items():
        path: Location = ("tags", key)
        yield CheckChange(_changed(check, tags=_without(check.tags, key)), f"tags.{key}: dropped", path)
        for how, changed in _rules(rule):
            yield CheckChange(_changed(check, tags={**check.tags, key: changed}), f"tags.{key}.{how}", path)


def _rules(rule: TagRule) -> Iterator[tuple[str, TagRule]]:
    for name in ("values", "synonyms"):
        words: tuple[str, ...] = getattr(rule, name)
        for word in words:
            rest = tuple(other for other in words if other != word)
            yield f"{name}: {word} dropped", _changed(rule, **{name: rest})
    if rule.pattern:
        yield "pattern: dropped", _changed(rule, pattern="")
    if len(rule.values) > 1:
        yield "values: dropped", _changed(rule, values=())
    case = "insensitive" if rule.case == "exact" else "exact"
    yield f"case: {rule.case} → {case}", _changed(rule, case=case)


# --- encryption and schedule


def _encryption(check: Encryption) -> Iterator[CheckChange]:
    for name in type(check).model_fields:
        if getattr(check, name):
            yield CheckChange(_changed(check, **{name: None}), f"{name}: dropped", (name,))


def _schedule(check: Schedule) -> Iterator[CheckChange]:
    for number, day in enumerate(check.days):
        rest = tuple(other for other in check.days if other != day)
        yield CheckChange(_changed(check, days=rest), f"days: {day} dropped", ("days", number))
    for by in (-MINUTE, MINUTE):
        if check.start != time(0) or by > timedelta(0):
            yield _hours(check, (_moved(check.start, by), check.end))
        if check.end != time(0) or by < timedelta(0):
            yield _hours(check, (check.start, _moved(check.end, by)))
    for number, date in enumerate(check.holidays):
        holidays = tuple(other for other in check.holidays if other != date)
        yield CheckChange(_changed(check, holidays=holidays), f"holidays: {date} dropped", ("holidays", number))
    if check.zone != "UTC":
        yield CheckChange(_changed(check, zone="UTC"), f"zone: {check.zone} → UTC", ("zone",))


def _moved(at: time, by: timedelta) -> time:
    return (datetime(2000, 1, 2, at.hour, at.minute, tzinfo=UTC) + by).time()


def _hours(check: Schedule, hours: tuple[time, time]) -> CheckChange:
    before, after = _span(check.hours), _span(hours)
    return CheckChange(_changed(check, hours=hours), f"hours: {before} → {after}", ("hours",))


def _span(hours: tuple[time, time]) -> str:
    start, end = hours
    return f"{start:%H:%M}-{'24:00' if end == time(0) else f'{end:%H:%M}'}"


# --- quota


def _quota(check: Quota, text: Texts) -> Iterator[CheckChange]:
    for path, how, limits in _limits(check.limits, ("limits",), text):
        yield CheckChange(_changed(check, limits=limits), how, path)
    for group, own in check.overrides.items():
        rest = _without(check.overrides, group)
        yield CheckChange(_changed(check, overrides=rest), f"overrides.{group}: dropped", ("overrides", group))
        for path, how, limits in _limits(own, ("overrides", group), text):
            yield CheckChange(_changed(check, overrides={**check.overrides, group: limits}), how, path)


def _limits(limits: QuotaLimits, path: Location, text: Texts) -> Iterator[tuple[Location, str, QuotaLimits]]:
    for name in type(limits).model_fields:
        limit = getattr(limits, name)
        if limit is None:
            continue
        at = (*path, name)
        where = ".".join(str(step) for step in at)
        yield at, f"{where}: dropped", _changed(limits, **{name: None})
        written = text(*at) or (format_money(limit, "h") if name == "spend_rate" else str(limit))
        for shown, moved, _ in moved_numbers(written):
            value = int(moved) if name == "resources" else Decimal(moved)
            yield at, f"{where}: {written} → {shown}", _changed(limits, **{name: value})
