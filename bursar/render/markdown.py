"""
A plan as Markdown, for the comment or summary of a pull request.

Whatever comes from a cloud is escaped: it can neither break the table nor mention people nor load pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from bursar.render.money import NOTHING, monthly
from bursar.render.table import cause_of, conditions_of, examples_of, savings_of
from bursar.render.text import clipped, counted, visible
from engine.findings import Finding, Verdict
from engine.plan import Plan

MOST = 60_000
"""Characters; GitHub refuses comments of more than 65,536."""
LONGEST = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def render(plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001  (a terminal changes nothing)
    """Write the plan, cut at a whole line where it would be too long."""
    size = 0
    left = 0
    for block in _blocks(plan):
        if left or size + len(block) > MOST:
            left += 1
            continue
        out.write(block)
        size += len(block)
    if left:
        out.write(f"\n… {counted(left, 'more line')} did not fit; `-f json` has everything.\n")


def safe(text: str, longest: int = LONGEST) -> str:
    """Return `text` as Markdown that says just that, on one line and without mentions."""
    escaped = _SPECIAL.sub(r"\\\1", clipped(visible(text), longest))
    return escaped.replace("@", "@\u200b").replace("://", ":\u200b//").replace("www.", "www\u200b.")


def _blocks(plan: Plan) -> Iterator[str]:
    yield "### Bursar\n\n"
    yield (
        f"{safe(plan.estate)}, {plan.taken_at:%Y-%m-%d %H:%M} UTC: {counted(plan.resources, 'resource')}, "
        f"**{counted(len(plan.findings), 'finding')}**, {len(plan.undecided):,} undecided. Nothing was changed.\n"
    )
    saved = savings_of(plan)
    if saved:
        yield f"\n**{saved.replace('below', 'planned')}.**\n"
    if plan.gaps:
        yield "\n**Not everything could be read:**\n\n"
        for report in plan.gaps:
            yield f"- {report.status.value} {safe(str(report.scope))}: {safe(report.detail)}\n"
    if plan.findings:
        yield "\n| severity | policy | resource | seen | cost/mo | saves/mo |\n"
        yield "| --- | --- | --- | --- | ---: | ---: |\n"
        yield from (_row(finding) for finding in plan.findings)
    yield from _steps(plan)
    yield from _undecided(plan)


def _row(finding: Finding) -> str:
    subject = finding.subject
    saves = monthly(finding.savings) if finding.remediate else NOTHING
    cells = (
        finding.severity.value,
        safe(finding.verdict.policy),
        safe(subject.name, 80),
        safe(finding.verdict.summary),
        safe(monthly(finding.cost)),
        safe(saves),
    )
    return "| " + " | ".join(cells) + " |\n"


def _steps(plan: Plan) -> Iterator[str]:
    if not plan.steps:
        return
    yield f"\n<details><summary>{counted(len(plan.steps), 'planned step')}</summary>\n\n"
    for step in plan.steps:
        yield f"- {safe(step.title)}: {safe(step.subject.name, 80)} ({safe(conditions_of(step), 400)})\n"
    for hold in plan.holds:
        limit = f"{safe(hold.limit)} is {safe(hold.allowed)}, this would be {safe(hold.wanted)}"
        yield f"- **held**: {safe(hold.policy)}: {limit}\n"
    for withheld in plan.withheld:
        yield f"- withheld: {safe(withheld.subject.name, 80)}: {safe(withheld.reason)}\n"
    yield "\n</details>\n"


def _undecided(plan: Plan) -> Iterator[str]:
    if not plan.undecided:
        return
    by_cause: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in plan.undecided:
        by_cause.setdefault((verdict.policy, cause_of(verdict)), []).append(verdict)
    yield f"\n<details><summary>{len(plan.undecided):,} undecided, and why</summary>\n\n"
    for (policy, cause), found in by_cause.items():
        yield f"- {safe(policy)}: {safe(examples_of(v.subject.name for v in found), 300)}: {safe(cause)}\n"
    yield "\n</details>\n"
