"""
The handler that EventBridge calls: a run, or a plan that changes nothing.

The event says which: `{"do": "plan"}` returns the plan, anything else is a run. What is loaded, and how far it may
go, is said by the configuration alone, and never by the event.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from bursar.lambdas.context import Deadline, LambdaContext

LARGEST = 5 * 1024 * 1024
"""Bytes of a plan that is returned; Lambda takes 6 MB with everything around it."""


def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """
    Run once and return what became of it, with the status that `bursar run` would have.

    Raises:
        BursarError: nothing could be done; Lambda counts it as an error, and the next run begins anew.
    """
    return plan() if isinstance(event, Mapping) and event.get("do") == "plan" else run(context)


def run(context: LambdaContext, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run once, with the policies of `only` alone where any are named."""
    from bursar.exit_status import HELD, exit_status_of_run
    from bursar.lambdas.metrics import metrics_line
    from bursar.lambdas.place import configured, needs_state
    from bursar.render.runs import show_report
    from bursar.running import open_site, run_at, utc_now

    with configured(only) as (choice, setup):
        needs_state(setup.config)
        actor = f"lambda:{context.function_name}"
        with open_site(choice, setup, log=sys.stdout, stopping=Deadline(context), actor=actor) as site:
            report = run_at(site, whole=not only)
    if report is None:
        print(metrics_line({"Skipped": 1}, context.function_name, utc_now()))
        return {"status": HELD, "reason": "another run is at work"}
    show_report(report, "table", sys.stdout)
    record = report.run
    figures = {"Runs": 1, "Findings": record.findings, "Acted": record.acted, "Failed": record.failed,
               "Held": len(record.held), "Gaps": len(record.gaps)}  # fmt: skip
    print(metrics_line(figures, context.function_name, utc_now()))
    return {
        "status": exit_status_of_run(report),
        "run": record.id,
        "findings": record.findings,
        "warned": record.warned,
        "asked": record.asked,
        "acted": record.acted,
        "failed": record.failed,
        "held": list(record.held),
        "gaps": list(record.gaps),
    }


def plan() -> dict[str, Any]:
    """Return the status and the plan that `bursar plan -f json` would give; nothing is remembered or changed."""
    import json

    from bursar.exit_status import exit_status
    from bursar.lambdas.place import configured
    from bursar.render.encode import plan_of
    from bursar.wiring import context_at, open_estate
    from engine.errors import ConfigError
    from engine.planning import plan_items
    from engine.policy.model import Severity
    from engine.policy.needs import needs_of

    with configured() as (choice, setup), open_estate(choice, setup.config) as (estate, now):
        items = estate.stream(needs_of(setup.policies))
        context = context_at(now, setup.config, estate)
        found = plan_items(setup.policies, items, estate.name, context, setup.installation)
    document = plan_of(found)
    if len(json.dumps(document)) > LARGEST:
        message, hint = "the plan is larger than what a function may return", "make it with `bursar plan -o FILE`"
        raise ConfigError.of("plan-too-large", message, where="plan", hint=hint)
    severity = setup.config.fail_on
    return {"status": exit_status(found, None if severity == "never" else Severity(severity)), "plan": document}
