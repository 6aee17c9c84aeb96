"""How long people take to decide, as a model."""

from datetime import UTC, datetime, timedelta
from statistics import median

from bursar.zones import zone
from engine.backtest.latency import Latency
from engine.policy.checks import Schedule

FRIDAY = datetime(2026, 3, 6, 16, 50, tzinfo=UTC)
OFFICE = Schedule.model_validate({"hours": "09:00-18:00", "zone": "Europe/Berlin"})


def test_a_fixed_time_is_added():
    """Without spread and hours every question takes the same."""
    assert Latency(timedelta(minutes=45)).decided(FRIDAY, "q", zone) == FRIDAY + timedelta(minutes=45)


def test_outside_working_hours_nobody_decides():
    """17:50 in Berlin on a Friday and half an hour more: Monday at nine, which is 08:00 UTC."""
    assert Latency(timedelta(minutes=30), 0, OFFICE).decided(FRIDAY, "q", zone) == datetime(2026, 3, 9, 8, tzinfo=UTC)


def test_a_question_asked_at_night_waits_for_the_morning_first():
    """Asked on Saturday, the half hour begins on Monday at nine."""
    asked = datetime(2026, 3, 7, 3, 1, tzinfo=UTC)
    found = Latency(timedelta(minutes=30), 0, OFFICE).decided(asked, "q", zone)
    assert datetime(2026, 3, 9, 8, 30, tzinfo=UTC) <= found < datetime(2026, 3, 9, 8, 35, tzinfo=UTC)


def test_spread_keeps_the_median_and_is_the_same_each_time():
    """Of a thousand questions half take less than the median, and the same question takes the same time again."""
    model = Latency(timedelta(minutes=30), 1.0)
    taken = [(model.decided(FRIDAY, f"q{n}", zone) - FRIDAY) / timedelta(minutes=1) for n in range(1000)]
    assert 27 < median(taken) < 33
    assert max(taken) > 200
    assert model.decided(FRIDAY, "q1", zone) == model.decided(FRIDAY, "q1", zone)
