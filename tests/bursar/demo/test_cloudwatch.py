from datetime import UTC, datetime, timedelta

import pytest

from bursar.demo.cloudwatch import Refused, list_metrics, metric_data, metric_statistics
from bursar.demo.series import Grid, Key, MetricStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REGION = "us-east-1"
DAY = 86_400


def _at(moment):
    return int(moment.timestamp())


def _store(**series):
    """One series a name under `NS` with the dimension `A`: a pair of start and values a minute."""
    store = MetricStore()
    for name, (start, values) in series.items():
        store.load(REGION, Key.of("NS", name, {"A": "1"}), Grid.of(_at(start), 60, values))
    return store


def _query(id_, name, period=60, stat="Average", **more):
    metric = {"Namespace": "NS", "MetricName": name, "Dimensions": [{"Name": "A", "Value": "1"}]}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def _ask(store, queries, hours=1, **more):
    params = {"MetricDataQueries": queries, "StartTime": NOW - timedelta(hours=hours), "EndTime": NOW, **more}
    return metric_data(store, REGION, _at(NOW), params)


def _refusal(store, queries, **more):
    with pytest.raises(Refused) as caught:
        _ask(store, queries, **more)
    return caught.value.code, caught.value.message


def test_the_newest_values_come_first_unless_asked_otherwise():
    """`ScanBy` turns the order round."""
    store = _store(m=(NOW - timedelta(minutes=2), [1.0, 2.0]))

    (newest,), _ = _ask(store, [_query("a", "m")])
    (oldest,), _ = _ask(store, [_query("a", "m")], ScanBy="TimestampAscending")

    assert newest.values == [2.0, 1.0]
    assert oldest.values == [1.0, 2.0]


@pytest.mark.parametrize(
    ("stat", "expected"),
    [("Average", 3.0), ("Sum", 12.0), ("Minimum", 1.0), ("Maximum", 6.0), ("SampleCount", 4.0)],
)
def test_each_statistic_is_computed_over_the_values_that_are_there(stat, expected):
    """1, 2, a gap, 3 and 6 in one period of five minutes."""
    store = _store(m=(NOW - timedelta(minutes=5), [1.0, 2.0, None, 3.0, 6.0]))

    (result,), _ = _ask(store, [_query("a", "m", 300, stat)])

    assert (result.times, result.values) == ([_at(NOW) - 300], [expected])


def test_an_unknown_series_is_an_empty_result_and_no_error():
    """CloudWatch does not say whether a metric exists."""
    (result,), token = _ask(_store(), [_query("a", "nothing")])

    assert (result.id, result.status, list(result.values), token) == ("a", "Complete", [], None)


def test_dimensions_must_be_named_in_full():
    """A query with fewer dimensions than the series has finds nothing."""
    store = _store(m=(NOW - timedelta(minutes=1), [1.0]))
    query = _query("a", "m")
    query["MetricStat"]["Metric"]["Dimensions"] = []

    (result,), _ = _ask(store, [query])

    assert result.values == []


def test_pages_together_hold_every_value_once():
    """Three series of four values in pages of five: 4+1, 3+2, 2; a cut series says that it is partial."""
    start = NOW - timedelta(minutes=4)
    store = _store(a=(start, [1, 2, 3, 4]), b=(start, [5, 6, 7, 8]), c=(start, [9, 10, 11, 12]))
    queries = [_query(n, n) for n in "abc"]
    pages, token = [], None
    while True:
        page, token = _ask(store, queries, MaxDatapoints=5, NextToken=token, ScanBy="TimestampAscending")
        pages.append([(r.id, r.status, list(r.values)) for r in page])
        if token is None:
            break

    assert pages == [
        [("a", "Complete", [1, 2, 3, 4]), ("b", "PartialData", [5])],
        [("b", "Complete", [6, 7, 8]), ("c", "PartialData", [9, 10])],
        [("c", "Complete", [11, 12])],
    ]


def test_more_than_500_queries_are_refused():
    """The limit of the real service; 500 pass."""
    assert _ask(_store(), [_query(f"q{i}", "m") for i in range(500)])[1] is None
    assert _refusal(_store(), [_query(f"q{i}", "m") for i in range(501)]) == (
        "ValidationError",
        "The collection MetricDataQueries must not have a size greater than 500.",
    )


@pytest.mark.parametrize(
    "spoil",
    [
        {"queries": []},
        {"queries": [_query("a", "m"), _query("a", "m")]},
        {"queries": [_query("Upper", "m")]},
        {"queries": [_query("a", "m", period=90)]},
        {"queries": [_query("a", "m", stat="p95")]},
        {"queries": [{"Id": "a", "Expression": "SUM(METRICS())"}]},
        {"queries": [_query("a", "m")], "MaxDatapoints": 100_801},
        {"queries": [_query("a", "m")], "StartTime": NOW},
        {"queries": [_query("a", "m")], "StartTime": NOW + timedelta(1)},
    ],
)
def test_what_the_service_refuses_is_a_validation_error(spoil):
    """No queries, doubled or bad ids, odd periods, what is not emulated, and empty windows."""
    assert _refusal(_store(), **spoil)[0] == "ValidationError"


def test_fine_periods_are_forgotten_after_fifteen_days():
    """Of data from 20 days ago nothing is left at one minute and everything at five."""
    store = _store(m=(NOW - timedelta(days=20), [1.0] * 5))

    (fine,), _ = _ask(store, [_query("a", "m", 60)], hours=24 * 21)
    (coarse,), _ = _ask(store, [_query("a", "m", 300, "SampleCount")], hours=24 * 21)

    assert fine.values == []
    assert coarse.values == [5.0]


def test_listing_shows_only_what_had_data_in_the_last_two_weeks():
    """A series that ended 15 days ago is gone from the list; one that ended 13 days ago is not."""
    store = _store(old=(NOW - timedelta(days=15), [1.0]), new=(NOW - timedelta(days=13), [1.0]))

    found, _ = list_metrics(store, REGION, _at(NOW), {"Namespace": "NS"})

    assert [m["MetricName"] for m in found] == ["new"]


def test_listing_recently_active_metrics_looks_back_three_hours():
    """`RecentlyActive` narrows the two weeks."""
    store = _store(late=(NOW - timedelta(hours=4), [1.0]), live=(NOW - timedelta(hours=2), [1.0]))

    found, _ = list_metrics(store, REGION, _at(NOW), {"RecentlyActive": "PT3H"})

    assert [m["MetricName"] for m in found] == ["live"]


@pytest.mark.parametrize(
    ("dimensions", "expected"),
    [
        ([{"Name": "A"}], 2),
        ([{"Name": "A", "Value": "1"}], 1),
        ([{"Name": "A", "Value": "1"}, {"Name": "B"}], 0),
        ([{"Name": "B"}], 1),
        ([], 2),
    ],
)
def test_listing_filters_by_the_dimensions_a_metric_must_have(dimensions, expected):
    """A name alone accepts any value; a metric may have further dimensions."""
    store = MetricStore()
    for held in ({"A": "1"}, {"A": "2", "B": "x"}):
        store.load(REGION, Key.of("NS", "m", held), Grid.of(_at(NOW) - 60, 60, [1.0]))

    found, _ = list_metrics(store, REGION, _at(NOW), {"Dimensions": dimensions})

    assert len(found) == expected


def test_listing_pages_by_500():
    """501 metrics make a page of 500 and one of 1."""
    store = MetricStore()
    for i in range(501):
        store.load(REGION, Key.of("NS", "m", {"A": f"{i:03}"}), Grid.of(_at(NOW) - 60, 60, [1.0]))

    first, token = list_metrics(store, REGION, _at(NOW), {})
    second, end = list_metrics(store, REGION, _at(NOW), {"NextToken": token})

    assert (len(first), len(second), end) == (500, 1, None)


def test_statistics_of_more_than_1440_periods_are_refused():
    """GetMetricStatistics has its own limit."""
    params = {
        "Namespace": "NS",
        "MetricName": "m",
        "Statistics": ["Average"],
        "Period": 60,
        "StartTime": NOW - timedelta(days=2),
        "EndTime": NOW,
    }
    with pytest.raises(Refused) as caught:
        metric_statistics(_store(), REGION, _at(NOW), params)

    assert caught.value.code == "InvalidParameterCombination"
