"""
Answer the data operations of CloudWatch from the metric store, through moto's own serializers.

`Emulation.install` calls `patch_metrics` once in the server's process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import CloudWatchException
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from bursar.demo.cloudwatch import Refused, list_metrics, metric_data, metric_statistics
from bursar.demo.series import Key, MetricStore, Point


def patch_metrics(store: MetricStore, clock: Callable[[], int]) -> None:
    """Patch moto in this process; `clock` gives the epoch seconds that retention counts from."""

    def get_metric_data(self: Any) -> object:
        results, token = _ask(metric_data, store, clock(), self)
        if self.headers.get("Content-Type", "").startswith("application/x-amz-json"):
            return _as_json(self, results, token)
        rows = [
            {
                "Id": r.id,
                "Label": r.label,
                "StatusCode": r.status,
                "Timestamps": [datetime.fromtimestamp(t, UTC) for t in r.times],
                "Values": r.values,
            }
            for r in results
        ]
        return ActionResult({"MetricDataResults": rows, "NextToken": token})

    def get_metric_statistics(self: Any) -> ActionResult:
        points = _ask(metric_statistics, store, clock(), self)
        return ActionResult({"Label": self._get_param("MetricName"), "Datapoints": points})

    def list_(self: Any) -> ActionResult:
        metrics, token = _ask(list_metrics, store, clock(), self)
        return ActionResult({"Metrics": metrics, "NextToken": token})

    def put_metric_data(self: Any) -> EmptyResult:
        for datum in self._get_param("MetricData", []):
            key = Key.of(
                self._get_param("Namespace"),
                datum["MetricName"],
                {d["Name"]: d["Value"] for d in datum.get("Dimensions", ())},
            )
            store.put(self.region, key, _points(datum, clock()), datum.get("Unit") or "None")
        return EmptyResult()

    for name, answer in (
        ("get_metric_data", get_metric_data),
        ("get_metric_statistics", get_metric_statistics),
        ("list_metrics", list_),
        ("put_metric_data", put_metric_data),
    ):
        setattr(CloudWatchResponse, name, answer)


def _ask(answer: Callable[..., Any], store: MetricStore, now: int, response: Any) -> Any:
    try:
        return answer(store, response.region, now, response._get_params())
    except Refused as e:
        raise CloudWatchException(e.code, e.message) from None


def _as_json(response: Any, results: list[Any], token: str | None) -> tuple[int, dict[str, str], bytes]:
    """Write the answer out directly: moto's serializer takes ten times as long over a million points."""
    rows = [
        {
            "Id": r.id,
            "Label": r.label,
            "StatusCode": r.status,
            "Timestamps": list(r.times),
            "Values": list(r.values),
        }
        for r in results
    ]
    content: dict[str, Any] = {"MetricDataResults": rows, "Messages": []}
    if token:
        content["NextToken"] = token
    return 200, {"Content-Type": response.headers["Content-Type"]}, json.dumps(content).encode()


def _points(datum: Mapping[str, Any], now: int) -> list[Point]:
    at = int(datum["Timestamp"].timestamp()) if datum.get("Timestamp") else now
    if stats := datum.get("StatisticValues"):
        count, total, low, high = (float(stats[k]) for k in ("SampleCount", "Sum", "Minimum", "Maximum"))
        return [Point(at, count, total, low, high)]
    values = [float(v) for v in datum.get("Values") or [datum.get("Value", 0)]]
    counts = [float(c) for c in datum.get("Counts") or [1] * len(values)]
    return [Point(at, c, c * v, v, v) for v, c in zip(values, counts, strict=True)]
