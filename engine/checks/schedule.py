"""
`schedule`: what runs outside working hours.

Local time comes from `now` and an IANA zone, so daylight saving needs no rule of its own: a skipped
hour never occurs and a repeated one is judged alike both times.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

from engine.checks.context import Context, Judgement, ResourceCheck
from engine.findings import Evidence
from engine.model import Resource, read_field
from engine.policy.checks import Schedule
from engine.values import Reason, Truth, Unknown

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def compile_schedule(check: Schedule, context: Context) -> ResourceCheck:
    """Return the check for one policy."""
    local = context.now.astimezone(context.zones(check.zone))
    working = is_working_time(check, local)
    kinds = context.catalog.kinds

    def running(resource: Resource) -> Truth:
        group = kinds[resource.kind].field_by_name["running"].group
        value = read_field(resource, "running", group, context.now)
        if isinstance(value, bool | Unknown):
            return value
        return Unknown(Reason.WRONG_TYPE, repr(value), "resource.running")

    def decide(resource: Resource) -> Truth:
        return False if working else running(resource)

    def judge(resource: Resource) -> Judgement:
        answer = running(resource)
        violated = False if working else answer
        evidence = (
            Evidence("resource.running", answer, expected="not running outside working hours"),
            Evidence("now", f"{local:%a %Y-%m-%d %H:%M} {check.zone}", expected=describe(check)),
        )
        if working:
            summary = f"it is working time ({describe(check)})"
        elif violated is True:
            summary = f"running at {local:%a %H:%M} {check.zone}, outside {describe(check)}"
        elif violated is False:
            summary = "not running"
        else:
            summary = "it is not known whether it is running"
        unknowns = (violated,) if isinstance(violated, Unknown) else ()
        return Judgement(violated, summary, evidence, unknowns)

    return ResourceCheck(decide, judge)


def is_working_time(check: Schedule, local: datetime) -> bool:
    """
    Return whether the local time lies in the working hours.

    A span over midnight belongs to the day it starts on: `fri 22:00-06:00` covers Saturday 05:00.
    """
    clock = local.time()
    today = _works_on(check, local)
    if check.start < check.end or check.end == time(0):
        # 24:00 is kept as 00:00, the end of the same day.
        return today and check.start <= clock and (check.end == time(0) or clock < check.end)
    return (today and clock >= check.start) or (_works_on(check, local - timedelta(days=1)) and clock < check.end)


def _works_on(check: Schedule, day: datetime) -> bool:
    return DAYS[day.weekday()] in check.days and day.date() not in check.holidays


def describe(check: Schedule) -> str:
    """Return the working hours for a person: `mon-fri 08:00-20:00`."""
    days = [day for day in DAYS if day in check.days]
    first, last = DAYS.index(days[0]), DAYS.index(days[-1])
    named = f"{days[0]}-{days[-1]}" if len(days) > 2 and last - first + 1 == len(days) else ", ".join(days)
    end = "24:00" if check.end == time(0) else f"{check.end:%H:%M}"
    return f"{named} {check.start:%H:%M}-{end}"


WEEK = timedelta(days=7)


def share_outside(check: Schedule) -> Decimal:
    """Return the share of a week, 0 to 1, that lies outside the working hours; holidays are left out of it."""
    day = timedelta(days=1)
    start = timedelta(hours=check.start.hour, minutes=check.start.minute)
    end = timedelta(hours=check.end.hour, minutes=check.end.minute) or day
    working = len(set(check.days)) * (end - start if end > start else day - start + end)
    return 1 - Decimal(int(working.total_seconds())) / Decimal(int(WEEK.total_seconds()))
