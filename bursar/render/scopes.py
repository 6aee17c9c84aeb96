"""What a scan read, scope by scope."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from bursar.render.text import counted, visible
from engine.model import Asked, ScopeReport

CENT = Decimal("0.01")


def render_scopes(file: Path, resources: int, reports: Sequence[ScopeReport], out: TextIO) -> None:
    """Write one line a scope, then where the recording is."""
    for report in sorted(reports, key=lambda r: r.scope):
        scope = report.scope
        detail = f"  {visible(report.detail)}" if report.detail else ""
        place = f"{scope.account:<13} {scope.region:<15} {scope.kind:<24}"
        out.write(f"{visible(place)} {report.status.value:<9} {report.resources:>7,}{detail}\n")
    out.write(f"{counted(resources, 'resource')} recorded in {visible(str(file))}\n")
    out.write(told(sum((report.asked for report in reports), Asked())))


def told(asked: Asked) -> str:
    """Return a line about what was asked of telemetry; nothing where nothing was."""
    if not asked.metrics:
        return ""
    return f"{counted(asked.metrics, 'metric')} asked of CloudWatch: {_about(asked.usd)} at list price\n"


def _about(usd: Decimal) -> str:
    return f"about ${usd:,.2f}" if usd >= CENT else "less than a cent"
