"""How the controls of a framework stand: as a table for people, Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from typing import TextIO

from bursar.render.console import console_on
from bursar.render.csv_rows import defused
from bursar.render.markdown import safe
from bursar.render.text import counted, visible
from engine.compliance import ControlReport, Framework, Standing
from engine.findings import Outcome
from engine.plan import Plan

COLORS = {
    Standing.VIOLATED: "bold red",
    Standing.UNKNOWN: "yellow",
    Standing.PARTLY: "cyan",
    Standing.MET: "green",
    Standing.EMPTY: "dim",
    Standing.UNCOVERED: "dim",
}
COLUMNS = (Outcome.COMPLIANT, Outcome.VIOLATION, Outcome.UNKNOWN, Outcome.EXEMPT)
HEAD = ("Control", "Asks that", "Stands", "Compliant", "Violated", "Unknown", "Exempt", "Policies")


def render(
    framework: Framework,
    reports: Sequence[ControlReport],
    plan: Plan,
    format_: str,
    out: TextIO,
    *,
    width: int | None,
    color: bool,
) -> None:
    """Write `reports` in one of the formats `table`, `markdown`, `csv` and `json`."""
    match format_:
        case "json":
            out.write(json.dumps(_encoded(framework, reports, plan), indent=2, allow_nan=False) + "\n")
        case "csv":
            _csv(reports, out)
        case "markdown":
            _markdown(framework, reports, plan, out)
        case _:
            _table(framework, reports, plan, out, width=width, color=color)


def _cells(report: ControlReport) -> tuple[str, ...]:
    unknown = report.counts.get(Outcome.UNKNOWN, 0) + report.counts.get(Outcome.ERROR, 0)
    numbers = [unknown if one is Outcome.UNKNOWN else report.counts.get(one, 0) for one in COLUMNS]
    judged = [f"{number:,}" if report.policies else "" for number in numbers]
    return (report.control.id, report.control.asks, report.standing.value, *judged, ", ".join(report.policies))


def summary(reports: Sequence[ControlReport], plan: Plan) -> str:
    """Return what the report comes to, in a line."""
    standings = Counter(report.standing for report in reports)
    told = ", ".join(f"{standings[standing]} {standing.value}" for standing in Standing if standings[standing])
    gaps = f"; {counted(len(plan.gaps), 'scope')} could not be read whole" if plan.gaps else ""
    return f"{counted(len(reports), 'control')}: {told}; {counted(plan.resources, 'resource')} looked at{gaps}"


def _table(
    framework: Framework, reports: Sequence[ControlReport], plan: Plan, out: TextIO, *, width: int | None, color: bool
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    console.print(Text(framework.title, style="bold"))
    console.print(Text(framework.note, style="dim"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim")
    table.add_column("Control", no_wrap=True)
    table.add_column("Stands", no_wrap=True)
    for name in HEAD[3:7]:
        table.add_column(name, justify="right")
    table.add_column("Asks that … as these policies see it", overflow="fold", ratio=1)
    for report in reports:
        control, asks, standing, *numbers, _ = (visible(cell) for cell in _cells(report))
        told = Text(asks)
        for name in report.policies:
            told.append(f"\n  {visible(name)}", style="dim")
        table.add_row(Text(control), Text(standing, style=COLORS[report.standing]), *map(Text, numbers), told)
    console.print(table)
    console.print(Text(visible(summary(reports, plan)), style="bold"))
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _markdown(framework: Framework, reports: Sequence[ControlReport], plan: Plan, out: TextIO) -> None:
    out.write(f"## {safe(framework.title)}\n\n{safe(framework.note)}\n\n{safe(summary(reports, plan))}\n\n")
    out.write("| " + " | ".join(HEAD) + " |\n|---|---|---|--:|--:|--:|--:|---|\n")
    out.writelines("| " + " | ".join(safe(cell) for cell in _cells(report)) + " |\n" for report in reports)


def _csv(reports: Sequence[ControlReport], out: TextIO) -> None:
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(HEAD)
    for report in reports:
        rows.writerow([defused(cell) for cell in _cells(report)])


def _encoded(framework: Framework, reports: Sequence[ControlReport], plan: Plan) -> dict[str, object]:
    return {
        "framework": framework.name,
        "title": framework.title,
        "note": framework.note,
        "estate": plan.estate,
        "taken_at": plan.taken_at.isoformat(),
        "policies": plan.policies,
        "resources": plan.resources,
        "gaps": [{"scope": str(gap.scope), "status": gap.status.value, "detail": gap.detail} for gap in plan.gaps],
        "controls": [
            {
                "id": report.control.id,
                "asks": report.control.asks,
                "standing": report.standing.value,
                "policies": list(report.policies),
                "verdicts": {outcome.value: count for outcome, count in sorted(report.counts.items())},
                "gaps": report.gaps,
            }
            for report in reports
        ],
    }
