"""
Pairs of policies that stop at one hour and start at another to one `schedule` of working hours.

Custodian acts in the one hour that is named, on resources whose tag opts in or does not opt out; a `schedule`
is violated at any time outside working hours. Nothing here starts anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from integrations.custodian.condition import Condition, Test, every, negation, pattern, some, written
from integrations.custodian.literal import shown
from integrations.custodian.model import Filter, Note, Original, Refused
from integrations.custodian.operand import tag

Hour: TypeAlias = tuple[int, Filter]
"""Position and content of a filter."""
OFF, ON = "offhour", "onhour"
TAG = "maid_offhours"
KEYS = frozenset({"type", "tag", "default_tz", "weekends", "opt-out", "offhour", "onhour", "weekends-only"})
DEFAULTS: Mapping[str, int] = {OFF: 19, ON: 7}
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
OWN_HOURS = r"""(?i)=|u3d|^'*"*off"*'*$"""
"""Values of the tag that name hours of their own, or opt out; `u3d` is how Custodian lets an `=` be written."""
ZONES: Mapping[str, str] = {
    "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles", "pst": "America/Los_Angeles",
    "ast": "America/Phoenix", "at": "America/Phoenix",
    "est": "America/New_York", "edt": "America/New_York", "et": "America/New_York",
    "cst": "America/Chicago", "cdt": "America/Chicago", "ct": "America/Chicago",
    "mst": "America/Denver", "mdt": "America/Denver", "mt": "America/Denver",
    "gmt": "Etc/GMT", "gt": "Etc/GMT", "bst": "Europe/London", "ist": "Europe/Dublin", "cet": "Europe/Berlin",
    "it": "Asia/Kolkata", "jst": "Asia/Tokyo", "kst": "Asia/Seoul", "sgt": "Asia/Singapore",
    "aet": "Australia/Sydney", "brt": "America/Sao_Paulo", "nzst": "Pacific/Auckland", "utc": "Etc/UTC",
}  # fmt: skip
"""Custodian's short names of time zones."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One `offhour` or `onhour` filter, with what stands beside it."""

    kind: str
    hour: int
    zone: str
    tag: str
    weekends: bool
    opt_out: bool
    others: tuple[str, ...]
    """The other filters of the policy, as text."""
    resource: str

    def fits(self, other: Hours) -> bool:
        """Return whether both are about the same resources and days."""
        mine = (self.zone, self.tag.lower(), self.weekends, self.opt_out, self.others, self.resource)
        return mine == (other.zone, other.tag.lower(), other.weekends, other.opt_out, other.others, other.resource)


def hours_filter(original: Original) -> Hour | None:
    """Return the position and content of the policy's `offhour` or `onhour` filter; None where it has none."""
    filters = original.data.get("filters")
    for number, item in enumerate(filters if isinstance(filters, list) else ()):
        whole = {"type": item} if isinstance(item, str) else item
        if isinstance(whole, dict) and whole.get("type") in (OFF, ON):
            return number, whole
    return None


def hours_of(original: Original) -> Hours:
    """
    Return what the `offhour` or `onhour` filter of a policy says.

    Raises:
        Refused: where working hours cannot say it.
    """
    found = hours_filter(original)
    assert found is not None
    number, item = found
    try:
        return _hours(item, number, original)
    except Refused as refused:
        raise refused.under("filters", number) from refused


def _hours(item: Filter, number: int, original: Original) -> Hours:
    kind = str(item["type"])
    for key in item:
        if key in ("skip-days", "skip-days-from"):
            raise Refused(f"on its `{key}` Custodian leaves alone what runs; a holiday is a day on which nothing runs")
        if key not in KEYS:
            raise Refused(f"`{key}` of the filter `{kind}` has no equal", (key,))
    if item.get("weekends-only"):
        raise Refused("`weekends-only` lets work go on through the nights, which hours of days cannot say")
    if "default_tz" not in item or kind not in item:
        raise Refused(f"Custodian refuses the filter `{kind}` without `default_tz` and `{kind}`")
    hour = item[kind]
    if isinstance(hour, bool) or not isinstance(hour, int) or not 0 <= hour <= 23:
        raise Refused(f"{shown(hour)} is no hour", (kind,))
    others = [str(part) for position, part in enumerate(original.data["filters"]) if position != number]
    zone = str(item["default_tz"])
    return Hours(
        kind,
        hour,
        ZONES.get(zone.lower(), zone),
        str(item.get("tag", TAG)),
        bool(item.get("weekends", True)),
        bool(item.get("opt-out", False)),
        tuple(others),
        str(original.data.get("resource")),
    )


def partner(wanted: Hours, originals: Iterable[Original]) -> Original | None:
    """Return the policy that ends what `wanted` begins, among `originals`."""
    for original in originals:
        if hours_filter(original) is None:
            continue
        try:
            found = hours_of(original)
        except Refused:
            continue
        if found.kind != wanted.kind and found.fits(wanted):
            return original
    return None


def schedule_check(
    original: Original, others: Condition, originals: Iterable[Original]
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """
    Return `where` and `schedule` for a policy that stops at an hour, and what they do otherwise.

    `others` is what its other filters ask.

    Raises:
        Refused: where no policy says when the day begins, or this one only starts what another stops.
    """
    own = hours_of(original)
    found = hours_filter(original)
    assert found is not None
    number = found[0]
    other = partner(own, originals)
    if own.kind == ON:
        raise Refused(_of_starting(other), ("filters", number))
    if other is None:
        reason = "no policy with `onhour`, and otherwise the same filters, says when working hours begin"
        raise Refused(reason, ("filters", number))
    start = hours_of(other).hour
    if start == own.hour or (start > own.hour and own.weekends):
        raise Refused("working hours that go on over a weekend cannot be said", ("filters", number))
    where = every([_chosen(own), others])
    days = WORKDAYS if own.weekends else (*WORKDAYS, "sat", "sun")
    schedule = {"days": list(days), "hours": f"{start:02}:00-{own.hour:02}:00", "zone": own.zone}
    line = original.line(("filters", number))
    notes = (
        Note(f"what runs outside working hours is found at any time, not only at {own.hour:02}:00", line),
        Note(f"resources whose tag `{own.tag}` names hours of its own are left out", line),
    )
    return {"where": written(where), "schedule": schedule}, notes


def _of_starting(other: Original | None) -> str:
    if other is None:
        return "nothing is started here"
    return f"nothing is started here; its hour is the start of the working hours of `{other.name}`"


def _chosen(hours: Hours) -> Condition:
    """Return whether the tag of a resource leaves it to the hours of the policy."""
    value = tag(hours.tag)
    default = negation(Test(f"{value.path}.matches({pattern(OWN_HOURS)})", compares=False))
    if not hours.opt_out:
        return every([Test(f"has({value.path})", compares=False), default])
    # Custodian reads the key in any case; a key in another case may opt out, and its value cannot be asked for.
    none = negation(Test(f'tags.exists(key, key.lowerAscii() == "{hours.tag.lower()}")', compares=False))
    return some([none, every([Test(f"has({value.path})", compares=False), default])])
