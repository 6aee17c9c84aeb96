"""
A plan as Markdown, for the comment or summary of a pull request.

Whatever comes from a cloud is escaped: it can neither break the table nor mention people nor load pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from bursar.render.idleness import summary_of
from bursar.render.money import NOTHING, monthly
from bursar.render.table import at_stake_of, cause_of, conditions_of, examples_of, savings_of
from bursar.render.text import clipped, counted, visible, with_parameters
from engine.findings import Finding, Verdict
from engine.model import ScopeReport
from engine.plan import Plan

MOST = 60_000
"""Characters; GitHub refuses comments of more than 65,536."""
SHARE = 8_000
"""Characters that each later section is sure of, so that many findings do not push out what is not known."""
LAST = 400
"""Characters kept for the line that says what was left out."""
LONGEST = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_LINKED = re.compile(r"(@|#|\bGH-(?=\d)|\bwww(?=\.)|:(?=//))", re.IGNORECASE)
"""
What GitHub makes a mention or a link of. It looks at the text after Markdown is done with it, so a backslash
does not help: https://github.com/github/cmark-gfm/issues/181. An invisible space does.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A part that may be cut between its rows, and whose ends belong together."""

    one: str
    """What a row is, for the count of those left out: `finding`."""
    head: str
    rows: tuple[str, ...]
    tail: str = ""


def render(plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001  (a terminal changes nothing)
    """Write the plan, cut at whole rows where it would be too long."""
    summary = _summary(plan)
    out.write(summary)
    room = MOST - LAST - len(summary)
    sections = [section for section in _sections(plan) if section.rows]
    missing: list[str] = []
    for number, section in enumerate(sections):
        kept = SHARE * (len(sections) - number - 1)
        text, left = _fitted(section, room - kept)
        out.write(text)
        room -= len(text)
        if left:
            missing.append(counted(left, section.one))
    if missing:
        out.write(f"\n… {' and '.join(missing)} did not fit; `-f json` has everything.\n")


def _fitted(section: Section, room: int) -> tuple[str, int]:
    """Return as much of `section` as has room, and how many rows are left out."""
    room -= len(section.head) + len(section.tail)
    for number, row in enumerate(section.rows):
        room -= len(row)
        if room < 0:
            return section.head + "".join(section.rows[:number]) + section.tail, len(section.rows) - number
    return section.head + "".join(section.rows) + section.tail, 0


def safe(text: str, longest: int = LONGEST) -> str:
    """Return `text` as Markdown that says just that, on one line and without mentions."""
    return _LINKED.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", clipped(visible(text), longest)))


def _summary(plan: Plan) -> str:
    exempt = f", {len(plan.exempt):,} excused" if plan.exempt else ""
    saved = savings_of(plan)
    return (
        f"### Bursar\n\n{counted(plan.resources, 'resource')} of {safe(plan.estate)}, "
        f"{plan.taken_at:%Y-%m-%d %H:%M} UTC: **{counted(len(plan.findings), 'finding')}**, "
        f"{len(plan.undecided):,} undecided{exempt}. Nothing was changed.\n"
        + (f"\n**{safe(saved.replace('below', 'planned'))}.**\n" if saved else "")
    )


def _sections(plan: Plan) -> Iterator[Section]:
    yield Section("gap", "\n**Not everything could be read:**\n\n", tuple(map(_gap, plan.gaps)))
    yield Section(
        "finding",
        "\n| severity | policy | resource | seen | cost/mo | saves/mo |\n| --- | --- | --- | --- | ---: | ---: |\n",
        tuple(map(_row, plan.findings)),
    )
    steps = f"{counted(len(plan.steps), 'planned step')}"
    yield Section("line of the steps", *_folded(steps, tuple(_steps(plan))))
    undecided = f"{len(plan.undecided):,} undecided, and why"
    yield Section("reason", *_folded(undecided, tuple(_undecided(plan.undecided))))


def _folded(title: str, rows: tuple[str, ...]) -> tuple[str, tuple[str, ...], str]:
    return f"\n<details><summary>{title}</summary>\n\n", rows, "\n</details>\n"


def _gap(report: ScopeReport) -> str:
    return f"- {report.status.value} {safe(str(report.scope))}: {safe(report.detail)}\n"


def _row(finding: Finding) -> str:
    subject = finding.subject
    saves = monthly(finding.savings) if finding.remediate else NOTHING
    cells = (
        finding.severity.value,
        safe(finding.verdict.policy),
        safe(subject.name, 80),
        safe(summary_of(finding.verdict)),
        safe(monthly(finding.cost)),
        safe(saves),
    )
    return "| " + " | ".join(cells) + " |\n"


def _steps(plan: Plan) -> Iterator[str]:
    for hold in plan.holds:
        limit = f"{safe(hold.limit)} is {safe(hold.allowed)}, this would be {safe(hold.wanted)}"
        yield f"- **held**: {safe(hold.policy)}: {limit}\n"
    for step in plan.steps:
        title = safe(with_parameters(step.title, step.parameters))
        yield f"- {title}: {safe(step.subject.name, 80)} ({safe(conditions_of(step), 400)})\n"
    for withheld in plan.withheld:
        yield f"- withheld: {safe(withheld.subject.name, 80)}: {safe(withheld.reason)}\n"


def _undecided(verdicts: Sequence[Verdict]) -> Iterator[str]:
    by_cause: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        by_cause.setdefault((verdict.policy, cause_of(verdict)), []).append(verdict)
    for (policy, cause), found in by_cause.items():
        stake = at_stake_of(found)
        paid = f" ({safe(stake)} a month at stake)" if stake else ""
        yield f"- {safe(policy)}: {safe(examples_of(v.subject.name for v in found), 300)}: {safe(cause)}{paid}\n"
