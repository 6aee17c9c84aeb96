"""
Answer CloudWatch's reading operations from a `MetricStore`, with the limits of the real service.

The emulation calls these functions with parsed parameters; what they return goes out through moto's
serializers. Periods begin at multiples of the period since the epoch; `StartTime` is rounded down to
one, `EndTime` is exclusive. Metric math and percentiles are refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bursar.demo.series import STATISTICS, Bucket, Key, MetricStore

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
LIST_PAGE = 500
STATISTICS_LIMIT = 1_440
HOUR, DAY = 3_600, 86_400
LISTED_FOR = 14 * DAY
RETENTION = ((60, 3 * HOUR), (300, 15 * DAY), (3_600, 63 * DAY))
"""Data of periods finer than the first number of seconds is kept for the second number of seconds."""
LONGEST = 455 * DAY


class Refused(Exception):  # noqa: N818  the service's word for what follows is its code
    """A request that CloudWatch would turn down."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Query:
    """One `MetricStat` query after validation."""

    id: str
    label: str
    key: Key
    period: int
    statistic: str
    unit: str
    returned: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What one query yields: epoch seconds and values, in the order asked for."""

    id: str
    label: str
    status: str
    times: Sequence[int]
    values: Sequence[float]


def metric_data(
    store: MetricStore, region: str, now: int, params: Mapping[str, Any]
) -> tuple[list[Result], str | None]:
    """Return one page of GetMetricData and the token of the next."""
    queries = _queries(params.get("MetricDataQueries") or ())
    start, end = _window(params)
    limit = params.get("MaxDatapoints")
    limit = MAX_DATAPOINTS if limit is None else int(limit)
    if not 1 <= limit <= MAX_DATAPOINTS:
        raise Refused("ValidationError", f"The parameter MaxDatapoints must be between 1 and {MAX_DATAPOINTS}.")
    newest_first = (params.get("ScanBy") or "TimestampDescending") == "TimestampDescending"
    skip = _token(params.get("NextToken"))
    page: list[Result] = []
    passed = 0
    for query in queries:
        if not query.returned:
            continue
        times, values = _answer(store, region, now, query, start, end)
        if newest_first:
            times.reverse()
            values.reverse()
        low = max(0, skip - passed)
        high = min(len(times), skip + limit - passed)
        passed += len(times)
        if low < high or (not times and not skip):
            status = "Complete" if high == len(times) else "PartialData"
            page.append(Result(query.id, query.label, status, times[low:high], values[low:high]))
    return page, str(skip + limit) if passed > skip + limit else None


def metric_statistics(store: MetricStore, region: str, now: int, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the data points of GetMetricStatistics, oldest first."""
    start, end = _window(params)
    period = _period(params.get("Period"))
    names = [_statistic(name) for name in params.get("Statistics") or ()]
    if not names:
        raise Refused("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
    if (end - start) // period > STATISTICS_LIMIT:
        raise Refused(
            "InvalidParameterCombination",
            f"You have requested up to {(end - start) // period} datapoints, which exceeds the limit of"
            f" {STATISTICS_LIMIT}.",
        )
    key = _key(params)
    unit = params.get("Unit") or ""
    series = store.get(region, key)
    return [
        {
            "Timestamp": datetime.fromtimestamp(time, UTC),
            "Unit": series.unit if series else "None",
            **{name: bucket.statistic(name) for name in names},
        }
        for time, bucket in _buckets(store, region, now, key, (start, end, period), unit).items()
    ]


def list_metrics(
    store: MetricStore, region: str, now: int, params: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page of ListMetrics and the token of the next: only what had data in the last two weeks."""
    namespace, name = params.get("Namespace"), params.get("MetricName")
    asked = [(d["Name"], d.get("Value")) for d in params.get("Dimensions") or ()]
    active = params.get("RecentlyActive")
    if active not in (None, "PT3H"):
        raise Refused("InvalidParameterValue", "The parameter RecentlyActive must be PT3H.")
    oldest = now - (3 * HOUR if active else LISTED_FOR)
    found = [
        key
        for key, series in store.items(region)
        if series.last >= oldest
        and namespace in (None, key.namespace)
        and name in (None, key.name)
        and _has_dimensions(key, asked)
    ]
    skip = _token(params.get("NextToken"))
    page = [
        {
            "Namespace": key.namespace,
            "MetricName": key.name,
            "Dimensions": [{"Name": n, "Value": v} for n, v in key.dimensions],
        }
        for key in found[skip : skip + LIST_PAGE]
    ]
    return page, str(skip + LIST_PAGE) if len(found) > skip + LIST_PAGE else None


def _has_dimensions(key: Key, asked: Sequence[tuple[str, str | None]]) -> bool:
    held = dict(key.dimensions)
    return all(name in held and value in (None, held[name]) for name, value in asked)


def _answer(
    store: MetricStore, region: str, now: int, query: Query, start: int, end: int
) -> tuple[list[int], list[float]]:
    buckets = _buckets(store, region, now, query.key, (start, end, query.period), query.unit)
    return list(buckets), [bucket.statistic(query.statistic) for bucket in buckets.values()]


def _buckets(
    store: MetricStore, region: str, now: int, key: Key, window: tuple[int, int, int], unit: str
) -> dict[int, Bucket]:
    start, end, period = window
    series = store.get(region, key)
    if series is None or (unit and unit != series.unit):
        return {}
    kept = next((kept for finer, kept in RETENTION if period < finer), LONGEST)
    return series.buckets(max(start - start % period, now - kept), end, period)


def _queries(raw: Sequence[Mapping[str, Any]]) -> list[Query]:
    if not raw:
        raise Refused("ValidationError", "The parameter MetricDataQueries is required.")
    if len(raw) > MAX_QUERIES:
        raise Refused(
            "ValidationError",
            f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.",
        )
    ids = [query["Id"] for query in raw]
    if len(set(ids)) < len(ids):
        raise Refused("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
    return [_query(query, index) for index, query in enumerate(raw, 1)]


def _query(raw: Mapping[str, Any], index: int) -> Query:
    stat = raw.get("MetricStat")
    if stat is None:
        member = f"MetricDataQueries.member.{index}"
        if raw.get("Expression"):
            raise Refused("ValidationError", f"The emulated service evaluates no expressions: {member}.Expression.")
        raise Refused("ValidationError", f"The parameter {member}.MetricStat is required.\n")
    if not raw["Id"][:1].islower():
        raise Refused("ValidationError", f"The value {raw['Id']} for parameter id is not matching the pattern.")
    metric = stat["Metric"]
    return Query(
        id=raw["Id"],
        label=raw.get("Label") or metric["MetricName"],
        key=_key(metric),
        period=_period(stat.get("Period")),
        statistic=_statistic(stat["Stat"]),
        unit=stat.get("Unit") or "",
        returned=raw.get("ReturnData") is not False,
    )


def _key(metric: Mapping[str, Any]) -> Key:
    dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions") or ()}
    return Key.of(metric["Namespace"], metric["MetricName"], dimensions)


def _period(raw: Any) -> int:
    period = int(raw or 0)
    if period in (1, 5, 10, 20, 30) or (period > 0 and period % 60 == 0):
        return period
    raise Refused(
        "ValidationError",
        f"The value {raw} for parameter Period is not 1, 5, 10, 20, 30 or a multiple of 60.",
    )


def _statistic(name: str) -> str:
    if name in STATISTICS:
        return name
    raise Refused("ValidationError", f"The value {name} for parameter Stat is not supported.")


def _window(params: Mapping[str, Any]) -> tuple[int, int]:
    start, end = int(params["StartTime"].timestamp()), int(params["EndTime"].timestamp())
    if start > end:
        raise Refused("ValidationError", "The parameter EndTime must be greater than StartTime.")
    if start == end:
        raise Refused("ValidationError", "The parameter StartTime must not equal parameter EndTime.")
    return start, end


def _token(raw: str | None) -> int:
    if not raw:
        return 0
    if raw.isdigit():
        return int(raw)
    raise Refused("InvalidParameterValue", "Request parameter NextToken is invalid")
