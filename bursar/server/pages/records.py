"""Runs, savings, coverage: what was done and seen, in tables."""

from __future__ import annotations

from starlette.responses import Response

from bursar.server import charts
from bursar.server.desk import Asked
from engine.acting.savings import totals

RUNS = 100
ACTS = 200


def runs(asked: Asked) -> Response:
    """Return the last runs."""
    view = asked.view
    return asked.show("runs.html", runs=view.runs[:RUNS], all=len(view.runs), schedule=asked.desk.schedule)


def savings(asked: Asked) -> Response:
    """Return what acts saved, as it turned out."""
    view, now = asked.view, asked.desk.clock()
    latest = sorted(view.savings, key=lambda one: one.since, reverse=True)[:ACTS]
    return asked.show(
        "savings.html",
        totals=totals(view.savings, now),
        acts=[(one, one.hours(now), one.realised(now)) for one in latest],
        all=len(view.savings),
        saved=charts.line(charts.realised(view.savings, now)),
    )


def coverage(asked: Asked) -> Response:
    """Return what the last runs could read and decide, and what not."""
    view = asked.view
    figures = view.figures
    scopes = sorted(figures.scopes, key=lambda one: one.scope) if figures else []
    policies = sorted(figures.policies, key=lambda one: (-one.unknown, one.policy)) if figures else []
    return asked.show("coverage.html", figures=figures, scopes=scopes, policies=policies, last=view.last_run)
