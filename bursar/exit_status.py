"""The exit status, as a pure function of the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.findings import Outcome
from engine.plan import Plan
from engine.policy.model import Mode, Severity
from engine.values import Reason

if TYPE_CHECKING:
    from engine.acting.run import Report

DONE, FOUND, USAGE, INCOMPLETE, HELD, FAILED = range(6)
UNREADABLE = frozenset({Reason.DENIED, Reason.SOURCE_ERROR})
"""Reasons that mean that a source failed, and not that there is nothing to read."""


def exit_status_of_run(report: Report) -> int:
    """Return the status of a run: 5 before 4 before 3."""
    if report.failed:
        return FAILED
    if report.held or report.trips:
        return HELD
    return exit_status(replace(report.plan, holds=()), None)


def exit_status(plan: Plan, fail_on: Severity | None) -> int:
    """
    Return the status of a plan: 4 before 3 before 1.

    A limit holds only what could act: where `max_mode` lets no step act, the plan shows the limit and
    nothing is refused.
    """
    if plan.holds and plan.max_mode.rank >= Mode.APPROVE.rank:
        return HELD
    if plan.gaps or any(
        verdict.outcome is Outcome.ERROR or any(u.reason in UNREADABLE for u in verdict.unknowns)
        for verdict in plan.undecided
    ):
        return INCOMPLETE
    if fail_on is not None and any(f.severity.rank >= fail_on.rank for f in plan.findings):
        return FOUND
    return DONE
