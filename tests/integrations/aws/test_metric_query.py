"""Which periods are asked for, and which queries go into one call."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import Series
from engine.telemetry import Window, read_window
from integrations.aws.metric_query import (
    MAX_DATAPOINTS,
    MAX_QUERIES,
    Query,
    batches,
    frame_of,
    points_of,
    request_of,
    step_of,
)
from integrations.telemetry.frame import MAX_BUCKETS, Frame

NOW = datetime(2026, 11, 23, 12, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def _at(*clock, day=23):
    return int(datetime(2026, 11, day, *clock, tzinfo=UTC).timestamp())


def _queries(count, window=timedelta(hours=1), interval=60):
    frame = frame_of(window, interval, NOW)
    return [Query("NS", "m", (("A", str(i)),), "Maximum", frame.step, frame) for i in range(count)]


@pytest.mark.parametrize(
    ("window", "interval", "expected"),
    [
        (timedelta(hours=4), 60, 60),
        (DAY, 60, 60),
        (timedelta(hours=25), 60, 60),
        (timedelta(hours=26), 60, 300),
        (5 * DAY, 60, 300),
        (7 * DAY, 60, 600),
        (14 * DAY, 60, 900),
        (30 * DAY, 60, 1_800),
        (62 * DAY, 60, 3_600),
        (64 * DAY, 60, 7_200),
        (timedelta(hours=4), 300, 300),
        (5 * DAY, 300, 300),
        (7 * DAY, 300, 600),
        (timedelta(hours=2), 3_600, 3_600),
        (timedelta(hours=2), 420, 420),
    ],
)
def test_the_period_is_the_finest_that_keeps_a_series_short(window, interval, expected):
    """1,500 buckets of a minute are 25 hours; a period is a multiple of the source's interval."""
    assert expected == step_of(window, interval)


def test_the_period_follows_the_retention():
    """After 15 days there is nothing finer than 5 minutes, after 63 nothing finer than an hour."""
    for days in range(1, 500):
        step = step_of(days * DAY, 60)
        assert step >= (3_600 if days > 63 else 300 if days > 15 else 60), days


def test_a_frame_ends_at_the_last_full_bucket_and_asks_for_two_hours_more():
    """Four hours at one minute; the start is a multiple of five minutes, so that other periods share it."""
    frame = frame_of(timedelta(hours=4), 60, NOW)

    assert frame == Frame(_at(8), _at(12, 3), _at(14, 5), 60, 60)
    assert frame.buckets == 243


def test_metrics_of_one_window_share_start_and_end():
    """Otherwise a call for each interval would be needed."""
    minutes, fives = (frame_of(timedelta(hours=4), interval, NOW) for interval in (60, 300))

    assert (minutes.start, minutes.until) == (fives.start, fives.until)
    assert fives.end == _at(12)


@given(
    window=st.timedeltas(min_value=timedelta(minutes=5), max_value=timedelta(days=450)),
    interval=st.sampled_from([60, 300, 3_600]),
    offset=st.integers(0, 400_000),
)
def test_a_full_series_covers_its_window_whatever_the_moment(window, interval, offset):
    """The engine finds every sample it expects, at whole multiples of the period, and not too many."""
    now = NOW + timedelta(seconds=offset)
    frame = frame_of(window, interval, now)
    values = (1.0,) * frame.buckets
    samples = (frame.per_bucket,) * frame.buckets if frame.per_bucket > 1 else None
    start = datetime.fromtimestamp(frame.start, UTC)
    series = Series("m", "", start, frame.step, values, interval, "s", samples)

    reading = read_window(series, Window.ending(now, window, 100.0), "m")

    assert frame.start % frame.step == frame.end % frame.step == frame.step % interval == 0
    assert frame.start <= (now - window).timestamp()
    assert frame.end <= now.timestamp() < frame.end + frame.step
    assert now.timestamp() + 7_200 <= frame.until
    assert frame.buckets <= MAX_BUCKETS + max(frame.step, 300) // frame.step + 1
    if window >= 5 * timedelta(seconds=frame.step):
        assert reading.got == reading.expected


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1])])
def test_a_call_takes_500_queries(count, sizes):
    """The 501st goes into a call of its own. One hour is 64 points, which 500 queries may have."""
    assert sizes == [len(batch) for batch in batches(_queries(count))]


def test_a_call_fits_into_one_page():
    """A day has 1,443 buckets from a start at 12:00 to 12:03, and one more point may come: 69 such fit."""
    queries = _queries(150, DAY)

    assert points_of(queries[0]) == 1_444
    assert [len(batch) for batch in batches(queries)] == [69, 69, 12]


def test_queries_of_different_windows_go_into_different_calls():
    """A call has one start and one end."""
    queries = [*_queries(2), *_queries(2, DAY), *_queries(1)]

    assert batches(queries) == [[0, 1, 4], [2, 3]]


@given(st.lists(st.tuples(st.integers(1, 60), st.sampled_from([60, 300])), max_size=40))
def test_every_query_is_in_exactly_one_call_that_the_service_accepts(spec):
    """Whatever the mix of windows and intervals."""
    queries = [q for days, interval in spec for q in _queries(40, timedelta(hours=days), interval)]

    found = batches(queries)

    assert sorted(position for batch in found for position in batch) == list(range(len(queries)))
    for batch in found:
        assert 0 < len(batch) <= MAX_QUERIES
        assert sum(points_of(queries[position]) for position in batch) <= MAX_DATAPOINTS
        assert len({(queries[p].frame.start, queries[p].frame.until) for p in batch}) == 1


def test_a_request_names_its_queries_by_position():
    """Ids have to begin with a lower-case letter."""
    frame = frame_of(timedelta(hours=1), 60, NOW)
    request = request_of([Query("NS", "m", (("A", "1"), ("B", "2")), "Sum", 60, frame)])

    assert request == {
        "MetricDataQueries": [
            {
                "Id": "q0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "NS",
                        "MetricName": "m",
                        "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
        ],
        "StartTime": datetime(2026, 11, 23, 11, 0, tzinfo=UTC),
        "EndTime": datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
        "ScanBy": "TimestampAscending",
    }
