"""A plan as JSON Lines: the summary first, then one thing a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

from bursar.render import encode
from engine.plan import Plan


def render(plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001  (a terminal changes nothing)
    """Write one object a line, each with its `type`."""
    out.writelines(
        json.dumps({"type": kind, **value}, ensure_ascii=True, allow_nan=False) + "\n" for kind, value in _things(plan)
    )


def _things(plan: Plan) -> Iterator[tuple[str, encode.Json]]:
    yield "summary", {"bursar.plan": encode.VERSION, **encode.summary_of(plan)}
    yield from (("finding", encode.finding_of(f)) for f in plan.findings)
    yield from (("step", encode.step_of(s)) for s in plan.steps)
    yield from (("hold", encode.hold_of(h)) for h in plan.holds)
    yield from (("withheld", encode.withheld_of(w)) for w in plan.withheld)
    yield from (("undecided", encode.verdict_of(v)) for v in plan.undecided)
    yield from (("exempt", encode.verdict_of(v)) for v in plan.exempt)
    yield from (("scope", encode.scope_of(s)) for s in plan.scopes)
    yield from (("policy", encode.tally_of(t)) for t in plan.tallies)
