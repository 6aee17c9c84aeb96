"""A plan as one JSON document."""

from __future__ import annotations

import json
from typing import TextIO

from bursar.render.encode import plan_of
from engine.plan import Plan


def render(plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001  (a terminal changes nothing)
    """Write the plan as JSON. Half characters, which JSON cannot hold, are escaped."""
    # One long text: `json.dump` writes each bracket by itself, which takes several times as long.
    out.write(json.dumps(plan_of(plan), indent=2, ensure_ascii=True, allow_nan=False) + "\n")
