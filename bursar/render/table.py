"""
A plan for people at a terminal: what it comes to, what was found, what would be done, what could not be decided.

Findings stand under their policies, the most expensive first. Everything that has no end is cut, with a
count of what was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from bursar.render.console import console_on
from bursar.render.idleness import summary_of
from bursar.render.money import NOT_KNOWN, NOTHING, amount, monthly, total
from bursar.render.text import clipped, counted, visible, with_parameters
from engine.findings import Cost, Finding, Outcome, Verdict
from engine.plan import Plan, Step
from engine.policy.model import Mode, Severity
from engine.units import format_duration
from engine.values import Unknown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

ROWS = 8
"""Findings of one policy that are shown."""
LONGEST_TITLE = 160
EXAMPLES = 4
"""Names that are shown of a group of resources."""
COLORS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def render(plan: Plan, out: TextIO, *, width: int | None, color: bool, rows: int = ROWS) -> None:
    """Write the plan, with up to `rows` findings of each policy."""
    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    _summary(console, plan)
    if plan.findings:
        _findings(console, plan, rows)
    if plan.steps or plan.withheld:
        _steps(console, plan)
    if plan.undecided:
        _undecided(console, plan.undecided)
    if plan.gaps:
        _gaps(console, plan)
    _line(console)
    _line(console, "Nothing was changed.", "bold")
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _line(console: Console, text: str = "", style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True)


def _indented(console: Console, text: str, style: str) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(text, style=style), (0, 0, 0, 6)))


def _heading(console: Console, title: str, note: str = "") -> None:
    from rich.text import Text

    _line(console)
    console.print(Text.assemble((title, "bold"), ("  " + note if note else "", "dim")))


# --- summary -------------------------------------------------------------------------------------


def _summary(console: Console, plan: Plan) -> None:
    _line(console, f"{visible(plan.estate)}, {plan.taken_at:%Y-%m-%d %H:%M} UTC", "bold")
    exempt = f", {len(plan.exempt):,} excused" if plan.exempt else ""
    _line(
        console,
        f"{counted(plan.resources, 'resource')}, {counted(len(plan.tallies), 'policy', 'policies')}: "
        f"{counted(len(plan.findings), 'finding')}, {len(plan.undecided):,} undecided{exempt}",
    )
    if not plan.resources and not plan.gaps:
        _line(
            console, "nothing of their kinds is there; --region or `aws.regions` names other places to look", "yellow"
        )
    saved = savings_of(plan)
    if saved:
        _line(console, saved, "green")


def savings_of(plan: Plan) -> str:
    """Return what all planned steps together would save; of several steps on one resource the largest counts."""
    best: dict[str, Cost | Unknown] = {}
    for step in plan.steps:
        known = best.get(step.subject.uid)
        larger = isinstance(step.savings, Cost) and (not isinstance(known, Cost) or step.savings.hourly > known.hourly)
        if known is None or larger:
            best[step.subject.uid] = step.savings
    sum_, exact, unknown = total(best.values())
    if not sum_ and not unknown:
        return ""
    more = f", and {unknown} without a known price" if unknown else ""
    return f"{amount(sum_, exact=exact)} a month could be saved by the steps below{more}"


# --- findings ------------------------------------------------------------------------------------


def _findings(console: Console, plan: Plan, rows: int) -> None:
    from rich.text import Text

    _heading(console, "FINDINGS", "by policy; cost and savings a month")
    by_policy: dict[str, list[Finding]] = {}
    for finding in plan.findings:
        by_policy.setdefault(finding.verdict.policy, []).append(finding)
    for policy, found in by_policy.items():
        first = found[0]
        _line(console)
        console.print(
            Text.assemble(
                (f"{first.severity.value:<9}", COLORS[first.severity]),
                (visible(policy), "bold"),
                (f"  {visible(first.description)}", "dim"),
            ),
            soft_wrap=True,
        )
        table = _table(console)
        for finding in found[:rows]:
            _add(table, finding)
        console.print(table)
        if len(found) > rows:
            _line(console, f"  … and {len(found) - rows:,} more; -f json or csv has all of them", "dim")


def _table(console: Console) -> Table:
    from rich.table import Table

    narrow = console.width < 100
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1), width=console.width)
    table.add_column(width=1)
    table.add_column(width=18 if narrow else 23, no_wrap=True, overflow="ellipsis")
    if not narrow:
        table.add_column(width=19, no_wrap=True, overflow="ellipsis", style="dim")
    table.add_column(ratio=1, overflow="fold")
    table.add_column(width=9, justify="right", no_wrap=True)
    table.add_column(width=9, justify="right", no_wrap=True, style="green")
    return table


def _add(table: Table, finding: Finding) -> None:
    from rich.text import Text

    subject = finding.subject
    doubtful = "" if finding.verdict.confidence.value == "high" else f" ({finding.verdict.confidence.value} confidence)"
    cells = [
        "",
        visible(subject.name),
        *([visible(where_of(finding))] if len(table.columns) == 6 else []),
        visible(summary_of(finding.verdict)) + doubtful,
        monthly(finding.cost),
        monthly(finding.savings) if finding.remediate else NOTHING,
    ]
    table.add_row(*(Text(cell) for cell in cells))


def where_of(finding: Finding) -> str:
    """Return what helps to find the resource: a short id, or its region."""
    subject = finding.subject
    short = subject.id if len(subject.id) <= 22 and subject.id != subject.name else ""
    return short or subject.region


# --- steps ---------------------------------------------------------------------------------------


def _steps(console: Console, plan: Plan) -> None:
    acting = plan.max_mode.rank >= Mode.APPROVE.rank
    note = "" if acting else f"max_mode is {plan.max_mode.value}: none would be carried out"
    _heading(console, "PLANNED STEPS", note)
    for policy, group in groupby(_by_policy(plan.steps), key=lambda step: step.policy):
        steps = list(group)
        _policy_steps(console, steps)
        for hold in plan.holds:
            if hold.policy == policy:
                _indented(console, f"held: {hold.limit} is {hold.allowed}, this would be {hold.wanted}", "yellow")
    for reason, names in _withheld(plan):
        _line(console, f"  withheld  {names}: {visible(reason)}", "dim")


def _by_policy(steps: Iterable[Step]) -> list[Step]:
    """Return the steps with those of one policy and remediation together, in order of their first."""
    order: dict[tuple[str, str], int] = {}
    for step in steps:
        order.setdefault((step.policy, step.remediation), len(order))
    return sorted(steps, key=lambda step: order[step.policy, step.remediation])


def _policy_steps(console: Console, steps: Sequence[Step]) -> None:
    from rich.text import Text

    for _, group in groupby(steps, key=lambda step: step.remediation):
        same = list(group)
        first = same[0]
        sum_, exact, unknown = total(step.savings for step in same)
        saves = f"{amount(sum_, exact=exact)}/mo" if sum_ else "saves nothing" if not unknown else "savings not known"
        names = examples_of(step.subject.name for step in same)
        _line(console)
        console.print(
            Text.assemble(
                ("  " + clipped(with_parameters(first.title, first.parameters), LONGEST_TITLE), "bold"),
                f": {names}",
                (f"  {saves}", "green" if sum_ else "dim"),
            ),
            soft_wrap=True,
        )
        _indented(console, conditions_of(first), "dim")
        for beside, steps_of in besides_of(same):
            _indented(console, f"{beside}: {steps_of}" if len(same) > 1 else beside, "yellow")


def conditions_of(step: Step) -> str:
    """Return how a step would come about: mode, grace, approval, undo."""
    parts = [f"policy {visible(step.policy)}", step.wanted.value]
    if step.approval and step.wanted is Mode.APPROVE:
        parts[-1] += f" by {visible(', '.join(step.approval.approvers))} in {visible(step.approval.channel)}"
    if step.grace:
        parts.append(f"after a warning and {format_duration(step.grace)}")
    parts.append(f"undo: {step.undo}" if step.reversible else "cannot be undone")
    return "; ".join(parts)


def besides_of(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """Yield what goes on to be paid beside steps, with the names of those steps."""
    found: dict[str, list[str]] = {}
    for step in steps:
        if isinstance(step.savings, Cost) and step.savings.beside:
            found.setdefault(step.savings.beside, []).append(step.subject.name)
    for beside, names in found.items():
        yield f"saves {visible(beside)}", examples_of(names)


def examples_of(names: Iterable[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = [clipped(visible(name), 40) for name in names]
    more = f" and {len(shown) - EXAMPLES} more" if len(shown) > EXAMPLES else ""
    return ", ".join(shown[:EXAMPLES]) + more


def _withheld(plan: Plan) -> Iterator[tuple[str, str]]:
    by_reason: dict[str, list[str]] = {}
    for withheld in plan.withheld:
        by_reason.setdefault(withheld.reason, []).append(withheld.subject.name)
    for reason, names in by_reason.items():
        yield reason, examples_of(dict.fromkeys(names))


# --- what is not known ---------------------------------------------------------------------------


def _undecided(console: Console, verdicts: Sequence[Verdict]) -> None:
    from rich.text import Text

    stakes = any(verdict.at_stake is not None for verdict in verdicts)
    note = "; what may be idle, with its cost a month" if stakes else ""
    _heading(console, "UNDECIDED", f"nothing is ever done about these{note}")
    by_cause: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        by_cause.setdefault((verdict.policy, cause_of(verdict)), []).append(verdict)
    table = _plain_table(console, amounts=stakes)
    for (policy, cause), found in by_cause.items():
        names = examples_of(v.subject.name for v in found)
        failed = found[0].outcome is Outcome.ERROR
        table.add_row(
            Text(visible(policy), style="red" if failed else ""),
            Text(names),
            Text(visible(cause), style="dim"),
            *([at_stake_of(found)] if stakes else []),
        )
    console.print(table)


def at_stake_of(verdicts: Iterable[Verdict]) -> str:
    """Return what the subjects cost a month together, of verdicts about idleness; nothing where there are none."""
    costs = [verdict.at_stake for verdict in verdicts if verdict.at_stake is not None]
    sum_, exact, unknown = total(costs)
    if not costs or (not sum_ and not unknown):
        return ""
    return amount(sum_, exact=exact and not unknown) if sum_ else NOT_KNOWN


def _plain_table(console: Console, *, amounts: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 2), width=console.width)
    table.add_column(width=27, overflow="fold")
    table.add_column(width=24, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    if amounts:
        table.add_column(width=10, justify="right", no_wrap=True)
    return table


def cause_of(verdict: Verdict) -> str:
    """Return why a verdict is undecided: its first unknown in words."""
    if verdict.outcome is Outcome.ERROR or not verdict.unknowns:
        return verdict.summary
    first = verdict.unknowns[0]
    reason = first.reason.value.replace("_", " ")
    return f"{reason}: {first.detail or first.path}"


def _gaps(console: Console, plan: Plan) -> None:
    _heading(console, "NOT READ", "findings there are neither new nor gone")
    for report in plan.gaps:
        scope = report.scope
        place = " ".join(part for part in (scope.account, scope.region, scope.kind) if part)
        _line(console, f"  {report.status.value:<9} {visible(place)}: {visible(report.detail)}", "red")
