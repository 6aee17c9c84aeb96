from hypothesis import given
from hypothesis import strategies as st

from bursar.demo.series import Bucket, Grid, Key, MetricStore, Point, Series

VALUES = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=50)


def _series(start, step, values):
    series = Series("None")
    series.add_grid(Grid.of(start, step, values))
    return series


def test_values_are_reduced_over_periods_that_begin_at_multiples_of_the_period():
    """Samples at 60, 120 … 360 fall into the periods 0-299 and 300-599; a gap counts for nothing."""
    series = _series(60, 60, [1.0, 2.0, None, 4.0, 50.0, 60.0])

    found = series.buckets(0, 600, 300)

    assert found == {0: Bucket(3.0, 7.0, 1.0, 4.0), 300: Bucket(2.0, 110.0, 50.0, 60.0)}


def test_a_window_includes_its_start_and_excludes_its_end():
    """Of samples at 0, 60, 120 and 180 the window from 60 to 180 holds two."""
    series = _series(0, 60, [1.0, 2.0, 3.0, 4.0])

    found = series.buckets(60, 180, 60)

    assert found == {60: Bucket(1.0, 2.0, 2.0, 2.0), 120: Bucket(1.0, 3.0, 3.0, 3.0)}


def test_a_window_before_or_after_all_values_is_empty():
    """Neither end of a grid wraps around to the other."""
    series = _series(6000, 60, [1.0, 2.0, 3.0])

    assert series.buckets(0, 600, 60) == {}
    assert series.buckets(60000, 60600, 60) == {}


def test_single_data_and_grids_add_up():
    """A published statistic set of 4 samples joins a grid value in one period."""
    series = _series(0, 60, [10.0])
    series.add_point(Point(59, 4.0, 8.0, 1.0, 3.0))

    assert series.buckets(0, 60, 60) == {0: Bucket(5.0, 18.0, 1.0, 10.0)}


def test_the_last_value_is_the_newest_one_that_is_there():
    """Trailing gaps do not keep a series alive."""
    assert _series(0, 60, [1.0, 2.0, None, None]).last == 60
    assert _series(0, 60, [None, None]).last == -1


def test_a_key_does_not_depend_on_the_order_of_dimensions():
    """The same dimensions in another order name the same series."""
    assert Key.of("NS", "m", {"B": "2", "A": "1"}) == Key.of("NS", "m", {"A": "1", "B": "2"})


def test_regions_do_not_share_series():
    """A series of one region is unknown in another."""
    store = MetricStore()
    key = Key.of("NS", "m", {})
    store.load("us-east-1", key, Grid.of(0, 60, [1.0]))

    assert store.get("us-west-2", key) is None


@given(VALUES, st.integers(0, 5000), st.sampled_from([1, 60, 300]), st.sampled_from([60, 300, 3600]))
def test_no_value_is_lost_or_counted_twice(values, start, step, period):
    """Whatever the grid and the period, the periods together hold every value once."""
    there = [v for v in values if v is not None]

    found = _series(start, step, values).buckets(0, 10**6, period).values()

    assert sum(b.count for b in found) == len(there)
    assert max((b.high for b in found), default=None) == max(there, default=None)
    assert min((b.low for b in found), default=None) == min(there, default=None)
