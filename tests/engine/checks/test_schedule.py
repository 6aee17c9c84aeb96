"""Working hours: zones, nights, holidays and daylight saving."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.checks.schedule import share_outside
from engine.policy.checks import Schedule
from engine.values import Reason, Unknown
from tests.engine.estates import DENIED, context, instance, judge, without

BERLIN = 'schedule: {days: [mon, tue, wed, thu, fri], hours: "08:00-20:00", zone: Europe/Berlin}'


def at(moment: str, check: str = BERLIN, **fields):
    """Return the judgement of a running machine at a moment in UTC."""
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return judge(f"resource: aws.ec2.instance\n    {check}", instance(fields=fields), context(now))


@pytest.mark.parametrize(
    ("moment", "violated"),
    [
        ("2026-03-04T07:00:00", False),  # a Wednesday, 08:00 in Berlin
        ("2026-03-04T06:59:59", True),
        ("2026-03-04T18:59:59", False),
        ("2026-03-04T19:00:00", True),  # the end is not part of it
        ("2026-03-07T11:00:00", True),  # Saturday
        ("2026-03-08T23:30:00", True),  # Monday in Berlin, at 00:30
        # Clocks go forward on 29 March and back on 25 October.
        ("2026-03-27T07:00:00", False),
        ("2026-03-27T06:30:00", True),
        ("2026-03-30T06:00:00", False),
        ("2026-03-30T18:00:00", True),
        ("2026-10-23T06:00:00", False),
        ("2026-10-26T06:59:00", True),
        ("2026-10-26T18:59:00", False),
    ],
)
def test_bounds_and_daylight_saving(moment, violated):
    """The start is part of the hours, the end is not, both by the clock on the wall."""
    assert at(moment).violated is violated


@pytest.mark.parametrize(
    ("moment", "violated"),
    [
        ("2026-03-06T20:59:00", True),  # Friday 21:59
        ("2026-03-06T21:00:00", False),  # Friday 22:00
        ("2026-03-07T04:59:00", False),  # Saturday 05:59, of Friday's span
        ("2026-03-07T05:00:00", True),
        ("2026-03-07T22:00:00", True),  # Saturday 23:00
        ("2026-03-09T03:00:00", True),  # Monday 04:00 would be Sunday's span
        ("2026-03-10T03:00:00", False),
    ],
)
def test_over_midnight(moment, violated):
    """A span over midnight belongs to the day it starts on."""
    assert at(moment, BERLIN.replace("08:00-20:00", "22:00-06:00")).violated is violated


@pytest.mark.parametrize(("moment", "violated"), [("2026-10-25T00:30:00", False), ("2026-10-25T01:30:00", False)])
def test_the_repeated_hour(moment, violated):
    """02:30 comes twice on that Sunday and is judged alike both times."""
    check = 'schedule: {days: [sun], hours: "02:00-03:00", zone: Europe/Berlin}'
    assert at(moment, check).violated is violated


@pytest.mark.parametrize(
    ("hours", "moment", "violated"),
    [
        ("00:00-24:00", "2026-03-04T23:00:00", False),  # Thursday 00:00 in Berlin
        ("00:00-24:00", "2026-03-06T22:59:59", False),  # the last second of Friday
        ("00:00-24:00", "2026-03-06T23:00:00", True),
        ("18:00-24:00", "2026-03-06T22:59:00", False),
        ("18:00-24:00", "2026-03-06T16:59:00", True),
        ("18:00-24:00", "2026-03-06T23:00:00", True),
    ],
)
def test_until_24(hours, moment, violated):
    """24:00 is the end of the same day."""
    assert at(moment, BERLIN.replace("08:00-20:00", hours)).violated is violated


def test_holidays():
    """A holiday is a day on which nothing works, by the local date; its night has begun the day before."""
    check = BERLIN.replace("}", ", holidays: [2026-12-25]}")
    assert at("2026-12-24T12:00:00", check).violated is False
    assert at("2026-12-25T12:00:00", check).violated is True
    night = check.replace("08:00-20:00", "22:00-06:00")
    assert at("2026-12-25T02:00:00", night).violated is False
    assert at("2026-12-25T22:00:00", night).violated is True


@pytest.mark.parametrize(
    ("zone", "violated"),
    [("UTC", False), ("Asia/Kolkata", True), ("America/New_York", False), ("Pacific/Auckland", True)],
)
def test_zones(zone, violated):
    """16:00 UTC is 21:30 in Kolkata, 11:00 in New York and 05:00 of Thursday in Auckland."""
    assert at("2026-03-04T16:00:00", BERLIN.replace("Europe/Berlin", zone)).violated is violated


def test_not_running():
    """What does not run may not run at any time."""
    found = at("2026-03-07T12:00:00", running=False)
    assert (found.violated, found.summary) == (False, "not running")


@pytest.mark.parametrize("running", [DENIED, Unknown(Reason.NULL), "true", 1], ids=str)
def test_not_known_whether_it_runs(running):
    """Outside the hours that is unknown; inside it does not matter."""
    found = at("2026-03-07T12:00:00", running=running)
    assert isinstance(found.violated, Unknown)
    assert found.unknowns == (found.violated,)
    assert found.summary == "it is not known whether it is running"
    assert at("2026-03-04T12:00:00", running=running).violated is False


def test_a_field_that_did_not_come():
    """Its absence is not `false`."""
    found = judge(f"resource: aws.ec2.instance\n    {BERLIN}", without(instance(), "running"), context(SATURDAY))
    assert isinstance(found.violated, Unknown)


SATURDAY = datetime(2026, 3, 7, 12, tzinfo=UTC)


def test_summary_and_evidence():
    """The local time and the hours are evidence."""
    found = at("2026-03-07T12:00:00")
    assert found.summary == "running at Sat 13:00 Europe/Berlin, outside mon-fri 08:00-20:00"
    assert [(e.path, e.value, e.expected) for e in found.evidence] == [
        ("resource.running", True, "not running outside working hours"),
        ("now", "Sat 2026-03-07 13:00 Europe/Berlin", "mon-fri 08:00-20:00"),
    ]


@pytest.mark.parametrize(
    ("days", "hours", "text"),
    [
        ("[mon, wed]", "08:00-20:00", "mon, wed 08:00-20:00"),
        ("[sat, sun]", "08:00-24:00", "sat, sun 08:00-24:00"),
        ("[wed, tue, mon]", "22:00-06:00", "mon-wed 22:00-06:00"),
        ("[mon, tue, thu]", "00:00-24:00", "mon, tue, thu 00:00-24:00"),
    ],
)
def test_hours_for_people(days, hours, text):
    """Days in a row are a span."""
    check = f'schedule: {{days: {days}, hours: "{hours}", zone: UTC}}'
    assert at("2026-03-08T07:00:00", check).evidence[1].expected == text


@pytest.mark.parametrize(
    ("days", "hours", "outside"),
    [
        (("mon", "tue", "wed", "thu", "fri"), "08:00-20:00", Decimal(108) / 168),
        (("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00", Decimal(0)),
        (("mon",), "22:00-06:00", Decimal(160) / 168),
        (("sat", "sat"), "00:00-12:00", Decimal(156) / 168),
    ],
)
def test_share_outside_working_hours(days, hours, outside):
    """A stop at night saves the nights and weekends, not the whole month."""
    check = Schedule.model_validate({"days": days, "hours": hours, "zone": "UTC"})
    assert share_outside(check) == outside
