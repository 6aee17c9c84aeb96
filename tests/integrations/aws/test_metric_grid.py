"""Points become buckets, sample counts stay honest, and two series of one device are joined or kept apart."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from engine.kinds import Metric
from integrations.aws.metric_grid import bucketed, epoch
from integrations.aws.metric_query import Query
from integrations.telemetry.frame import Frame
from integrations.telemetry.grid import merged, sample_counts, scaled, series_of

START = 1_700_000_100
METRIC = Metric("gpu.utilization", "percent", 60, "compute", "")


def _frame(buckets=4, step=60):
    end = START + buckets * step
    return Frame(START, end, end + 7_200, step, 60)


def _bucketed(points, statistic="Maximum", **frame):
    frame = _frame(**frame)
    query = Query("NS", "m", (), statistic, frame.step, frame)
    return bucketed([START + time for time, _ in points], [value for _, value in points], query)


def _series(*values, device="0", samples=None):
    series = series_of(METRIC, device, _frame(len(values)), values, "s")
    if samples is None:
        return series
    return type(series)(
        series.metric, device, series.start, series.step, values, series.interval, series.source, samples
    )


def test_buckets_without_a_point_are_empty():
    """The grid ends where the window ends, however little was sent."""
    assert _bucketed([(60, 5.0)]) == (None, 5.0, None, None)
    assert _bucketed([]) == (None, None, None, None)


def test_points_between_the_grid_lines_belong_to_the_bucket_they_are_in():
    """Points before the start are left out."""
    assert _bucketed([(-1, 9.0), (59, 1.0), (61, 2.0), (119, 3.0)]) == (1.0, 3.0, None, None)


def test_points_that_share_a_bucket_are_combined_by_the_statistic():
    """Sums add up, maxima do not."""
    points = [(0, 1.0), (30, 4.0)]

    assert _bucketed(points, "Maximum")[0] == 4.0
    assert _bucketed(points, "Minimum")[0] == 1.0
    assert _bucketed(points, "Sum")[0] == 5.0
    assert _bucketed(points, "SampleCount")[0] == 5.0


def test_a_point_sent_twice_counts_once():
    """As when a page is repeated; the higher value wins where they differ."""
    assert _bucketed([(0, 2.0), (0, 2.0), (60, 1.0), (60, 3.0)], "Sum") == (2.0, 3.0, None, None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "5"])
def test_what_is_no_number_is_no_sample(value):
    """And does not hide a number of the same minute."""
    assert _bucketed([(0, value), (60, value), (60, 7.0)]) == (None, 7.0, None, None)


def test_points_of_the_future_lengthen_the_grid():
    """The engine has to see that a clock is wrong."""
    assert _bucketed([(0, 1.0), (360, 2.0)]) == (1.0, None, None, None, None, None, 2.0)


def test_a_period_coarser_than_the_frame_has_its_own_buckets():
    """The memory of a device is asked for by the hour."""
    query = Query("NS", "m", (), "Maximum", 3_600, _frame(90))

    assert bucketed([START, START + 3_600], [10.0, 11.0], query) == (10.0, 11.0)


def test_times_are_dates_or_epoch_seconds():
    """Whatever the client makes of them; a date without a zone is UTC, as AWS means it."""
    assert epoch(datetime(1970, 1, 1, 1, tzinfo=UTC)) == 3_600
    assert epoch(datetime(1970, 1, 1, 1)) == 3_600  # noqa: DTZ001  the case in question
    assert epoch(3_600) == 3_600
    assert epoch(True) is None
    assert epoch("1970-01-01") is None


def test_scaling_leaves_gaps():
    """A gap is not zero."""
    assert scaled((400.0, None, 0.0), 0.25) == (100.0, None, 0.0)


def test_counts_are_those_of_the_buckets_with_a_value():
    """Five samples are due in five minutes; a bucket without a value holds none, whatever its count says."""
    assert sample_counts((1.0, 1.0, None, 1.0), (5.0, 2.0, 4.0), 5) == (5, 2, 0, 0)


def test_a_source_that_sends_more_often_does_not_fill_gaps():
    """At one sample in ten seconds 30 are due in five minutes: six of them are one minute, not five."""
    assert sample_counts((1.0, 1.0, 1.0), (30.0, 6.0, 5.0), 5) == (5, 1, 0)


def test_a_sample_more_by_jitter_changes_nothing():
    """Six samples in five minutes happen to an agent that sends every minute."""
    assert sample_counts((1.0, 1.0), (6.0, 4.0), 5) == (6, 4)


def test_a_device_that_goes_on_under_other_dimensions_is_one_series():
    """As after a change of the agent's configuration. The minute of the restart may have both."""
    joined = merged([_series(1.0, 2.0, None, None), _series(None, 3.0, 4.0, 5.0)])

    assert [s.values for s in joined] == [(1.0, 3.0, 4.0, 5.0)]


def test_a_roll_up_of_the_same_samples_is_one_series():
    """Aggregation dimensions repeat each sample under fewer dimensions."""
    joined = merged([_series(1.0, 2.0, 3.0), _series(1.0, 2.0, None)])

    assert [s.values for s in joined] == [(1.0, 2.0, 3.0)]


def test_series_of_one_device_that_contradict_each_other_stay_apart():
    """Two machines with one id: the engine says so instead of believing one of them."""
    both = (_series(1.0, 2.0, 3.0), _series(1.0, 0.0, 0.0))

    assert merged(both) == both


def test_series_of_different_devices_are_never_joined():
    """However alike they are."""
    both = (_series(0.0, 0.0, device="0"), _series(0.0, 0.0, device="1"))

    assert merged(both) == both


def test_joined_series_keep_the_better_count_and_the_longer_grid():
    """A sample dated after the window stays visible."""
    (joined,) = merged([_series(1.0, None, samples=(5, 0)), _series(None, 2.0, 9.0, samples=(0, 4, 1))])

    assert joined.values == (1.0, 2.0, 9.0)
    assert joined.samples == (5, 4, 1)


def test_a_series_starts_where_its_frame_does():
    """With the metric's name and the source's interval."""
    series = _series(1.0, device="3")

    assert (series.metric, series.device, series.interval, series.step) == ("gpu.utilization", "3", 60, 60)
    assert series.start == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC) + timedelta(seconds=100)
