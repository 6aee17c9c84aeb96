"""`/healthz`, `/readyz`, `/metrics`: for machines."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import JSONResponse, Response

from bursar.server.desk import Asked, Desk
from engine.errors import BursarError

INTERVALS = 3
"""After so many intervals of the schedule without a run the last one is not fresh any more."""


def healthy() -> Response:
    """Say that the process answers: no reason to start it anew."""
    return JSONResponse({"status": "ok"})


def ready(desk: Desk) -> Response:
    """
    Say whether the store can be reached, and whether the last run is fresh; nothing that is not for everybody.

    An old run does not make the page unready: that is when people want to look at it. Metrics are there to alert on.
    """
    try:
        with desk.pool.store() as store:
            store.head()
        reached = True
    except BursarError:
        reached = False
    well = reached and desk.keeper.view is not None
    body = {
        "status": "ok" if well else "not ready",
        "store": "ok" if reached else "unreachable",
        "run": freshness(desk),
    }
    return JSONResponse(body, 200 if well else 503)


def freshness(desk: Desk) -> str:
    """Return `fresh`, `stale` or `unknown`: nothing says how old a run may be, or there is no view yet."""
    view = desk.keeper.view
    allowed = desk.settings.stale_after
    if allowed is None and desk.schedule is not None and desk.schedule.every is not None:
        allowed = desk.schedule.every * INTERVALS
    if view is None or allowed is None:
        return "unknown"
    last = view.last_run
    if last is None or last.finished is None:
        # A new installation is given the same time for its first run.
        return "unknown" if desk.clock() - desk.started < allowed + timedelta(minutes=1) else "stale"
    return "fresh" if desk.clock() - last.finished <= allowed else "stale"


def metrics(asked: Asked) -> Response:
    """Return what Prometheus reads."""
    return Response(asked.desk.meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
