"""
Read CloudWatch: lists of metrics and data points, with every failure as a value.

`cloudwatch` calls it with clients; nothing else speaks to the service.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from engine.values import Reason, Unknown
from integrations.aws.metric_grid import bucketed
from integrations.aws.metric_query import Query, request_of
from integrations.aws.metric_sources import Dimensions, Listed
from integrations.telemetry.grid import Buckets

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "OptInRequired",
        "Forbidden",
    }
)
"""Error codes that say a permission is missing."""


Answered = TypeVar("Answered")


class Client(Protocol):
    """The part of a boto3 CloudWatch client that is used."""

    def list_metrics(self, **parameters: Any) -> Mapping[str, Any]: ...

    def get_metric_data(self, **parameters: Any) -> Mapping[str, Any]: ...


class Lists:
    """The lists of metrics of an account, each read once and kept, failures too."""

    def __init__(self, client_for: Callable[[str], Client]) -> None:
        self._client_for = client_for
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, Listed], threading.Lock] = {}
        self._kept: dict[tuple[str, Listed], tuple[Dimensions, ...] | Unknown] = {}

    def series(self, region: str, listed: Listed) -> tuple[Dimensions, ...] | Unknown:
        """Return the dimensions of all series of a metric, or why they are not known."""
        key = (region, listed)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._kept:
                self._kept[key] = attempt(lambda: _listed(self._client_for(region), listed), "cloudwatch:ListMetrics")
            return self._kept[key]


def _listed(client: Client, listed: Listed) -> tuple[Dimensions, ...] | Unknown:
    namespace, metric = listed
    found: dict[Dimensions, None] = {}
    parameters = {"Namespace": namespace, "MetricName": metric}
    for page in _pages(client.list_metrics, parameters):
        if isinstance(page, Unknown):
            return page
        for one in page.get("Metrics") or ():
            found[tuple(sorted((d["Name"], d["Value"]) for d in one.get("Dimensions") or ()))] = None
    return tuple(found)


def data_of(client: Client, queries: Sequence[Query]) -> list[Buckets | Unknown]:
    """Return the answer to each query of one batch; a query not answered in full is not answered."""
    points: list[tuple[list[object], list[object]]] = [([], []) for _ in queries]
    status: list[tuple[str, str]] = [("", "")] * len(queries)
    for page in _pages(client.get_metric_data, request_of(queries)):
        if isinstance(page, Unknown):
            return [page] * len(queries)
        complaint = _complaint(page.get("Messages"))
        if complaint:
            return [Unknown(Reason.SOURCE_ERROR, f"cloudwatch:GetMetricData: {complaint}")] * len(queries)
        for result in page.get("MetricDataResults") or ():
            position = _position(result.get("Id"), len(queries))
            if position is None:
                continue
            status[position] = (str(result.get("StatusCode") or ""), _complaint(result.get("Messages")))
            _keep(points[position], result)
    return [
        bucketed(*found, query) if code == "Complete" else _incomplete(code, complaint)
        for query, found, (code, complaint) in zip(queries, points, status, strict=True)
    ]


def _keep(points: tuple[list[object], list[object]], result: Mapping[str, Any]) -> None:
    """Add the points of one page; what has no partner is left out, so that later pages stay in step."""
    times, values = result.get("Timestamps") or (), result.get("Values") or ()
    pairs = min(len(times), len(values))
    points[0].extend(times[:pairs])
    points[1].extend(values[:pairs])


def _position(name: object, count: int) -> int | None:
    digits = str(name).removeprefix("q")
    return int(digits) if digits.isdigit() and int(digits) < count else None


def _complaint(messages: Sequence[Mapping[str, Any]] | None) -> str:
    return "; ".join(f"{m.get('Code')}: {m.get('Value')}" for m in messages or ())


def _incomplete(code: str, complaint: str) -> Unknown:
    match code:
        case "Forbidden":
            reason, what = Reason.DENIED, "access to the metric is forbidden"
        case "PartialData":
            reason, what = Reason.SOURCE_ERROR, "the answer ended before its last page"
        case "":
            reason, what = Reason.SOURCE_ERROR, "a query was not answered"
        case _:
            reason, what = Reason.SOURCE_ERROR, f"the service answered {code}"
    return Unknown(reason, f"cloudwatch:GetMetricData: {complaint or what}")


def _pages(
    call: Callable[..., Mapping[str, Any]], parameters: Mapping[str, Any]
) -> Iterator[Mapping[str, Any] | Unknown]:
    """Yield the pages of a call, and an Unknown in the place of the rest where they go round in circles."""
    seen: set[str] = set()
    token: str | None = None
    while True:
        page = call(**parameters, NextToken=token) if token else call(**parameters)
        yield page
        token = page.get("NextToken")
        if not token:
            return
        if token in seen:
            yield Unknown(Reason.SOURCE_ERROR, "cloudwatch sent the same page token twice")
            return
        seen.add(token)


def attempt(read: Callable[[], Answered], call: str) -> Answered | Unknown:
    """Return what `read` returns, or why the service did not answer `call`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return read()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code") or "no code")
        if code in DENIED:
            return Unknown(Reason.DENIED, f"{call} was denied ({code})")
        return Unknown(Reason.SOURCE_ERROR, f"{call} failed ({code})")
    except BotoCoreError as error:
        return Unknown(Reason.SOURCE_ERROR, f"{call} failed ({type(error).__name__})")
