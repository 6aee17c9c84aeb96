"""What a run did, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from bursar.exit_status import UNREADABLE
from bursar.render.console import console_on, screen_width, wants_color
from bursar.render.encode import cost_of, scope_of, subject_of, time_of
from bursar.render.money import amount, monthly, total
from bursar.render.text import counted, visible
from bursar.summary import WORDS as NEWS
from engine.acting.agenda import Blocked
from engine.acting.ports import ACTED, Result, Stale, StepOutcome
from engine.acting.run import Report
from engine.acting.undo_asked import Answered
from engine.acting.undoing import Undone
from engine.findings import Finding, Outcome, Verdict
from engine.plan import Plan
from engine.state.reconcile import Change, Task
from engine.state.records import ApprovalRecord, Status

if TYPE_CHECKING:
    from rich.console import Console

ROWS = 12
"""Lines of one part that are shown."""
NAMES = 4
"""Resources that are named where there are many."""
WORDS = {**NEWS, Result.SETTLED: "held already"}
NOT_DONE = frozenset({Result.STALE, Result.REFUSED, Result.RETRYABLE, Result.FAILED})


def render_report(report: Report, out: TextIO, *, width: int | None, color: bool) -> None:
    """Write what the run did, the most important last."""
    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    _summary(console, report)
    _settled(console, report)
    _part(console, "NEW", "findings of this run", _new(report))
    _part(console, "OVER", "findings that are no more", _over(report.changes))
    _part(console, "WARNED", "nothing is done before its grace is over", map(_warned, report.warned))
    _part(console, "ASKED", "waiting for an approval", (_asked(*pair) for pair in report.asked))
    _part(console, "NOT TOLD", "nobody was reached; the next run says it again", map(_untold, report.untold))
    _part(console, "HELD", "", _held(report.blocked))
    _part(console, "REFUSED", "not as it was planned", map(_stale, report.stale))
    _part(console, "UNDONE", "as somebody asked", map(_answered, report.undone))
    _part(console, "NOT DONE", "", (_outcome(one) for one in report.outcomes if one.result in NOT_DONE))
    _part(console, "DONE", "", (_outcome(one) for one in report.outcomes if one.result not in NOT_DONE))
    _line(console)
    _line(console, closing_of(report), "bold")
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def closing_of(report: Report) -> str:
    """Return the last line: what was changed in the world."""
    acted = [outcome for outcome in report.outcomes if outcome.result in ACTED]
    undone = sum(one.undone is not None and one.undone.result in ACTED for one in report.undone)
    if not acted:
        return f"{counted(undone, 'step')} undone." if undone else "Nothing was changed in your cloud."
    sum_, exact, unknown = total(outcome.step.savings for outcome in acted)
    more = f", and {unknown} without a known price" if unknown else ""
    saved = f"; they save {amount(sum_, exact=exact)} a month{more}" if sum_ or unknown else ""
    return f"{counted(len(acted), 'step')} carried out{saved}. `bursar undo {report.run.id}` undoes what can be undone."


def _summary(console: Console, report: Report) -> None:
    plan = report.plan
    _line(console, f"run {report.run.id}: {visible(plan.estate)}, {plan.taken_at:%Y-%m-%d %H:%M} UTC", "bold")
    _line(console, _looked_at(plan))
    for trip in report.trips:
        _line(console, f"held by {trip.breaker}: {visible(trip.why)}", "yellow")
    if report.trips:
        _line(console, f"  `bursar accept {report.trips[0].breaker}` lets it pass, once you know why", "dim")
    for gap in plan.gaps:
        _line(console, f"not read: {visible(str(gap.scope))} ({visible(gap.detail or gap.status.value)})", "yellow")
    for line in _unjudged(plan.undecided):
        _line(console, f"not read: {line}", "yellow")


def _unjudged(undecided: Sequence[Verdict]) -> Iterator[str]:
    """Yield what kept from judging, though the scope was read, each once with whom it is about."""
    found: dict[str, dict[str, None]] = {}
    for verdict in undecided:
        causes = [u.detail or u.path or u.reason.value for u in verdict.unknowns if u.reason in UNREADABLE]
        if verdict.outcome is Outcome.ERROR:
            causes = [verdict.summary]
        for cause in causes[:1]:
            found.setdefault(cause, {})[verdict.subject.name or verdict.subject.id] = None
    for cause, names in found.items():
        shown = ", ".join(visible(name) for name in list(names)[:NAMES])
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        yield f"{shown}{more} ({visible(cause)})"


def _looked_at(plan: Plan) -> str:
    if not plan.tallies:
        return f"{counted(plan.resources, 'resource')} of a plan, read anew"
    return (
        f"{counted(plan.resources, 'resource')}, {counted(len(plan.tallies), 'policy', 'policies')}: "
        f"{counted(len(plan.findings), 'finding')}, {len(plan.undecided):,} undecided"
    )


def _settled(console: Console, report: Report) -> None:
    lines = []
    for settled in report.settled:
        seen = settled.effect.value if settled.effect else f"not known: {settled.reason}"
        lines.append(f"{visible(settled.action.subject.name)}: {settled.action.remediation}: {visible(seen)}")
    _part(console, "SETTLED", "what an earlier run left open", lines)


def _part(console: Console, title: str, note: str, lines: Iterable[str]) -> None:
    from rich.text import Text

    shown = list(lines)
    if not shown:
        return
    _line(console)
    console.print(Text.assemble((title, "bold"), (f"  {note}" if note else "", "dim")))
    for line in shown[:ROWS]:
        _line(console, f"  {line}")
    if len(shown) > ROWS:
        _line(console, f"  … and {len(shown) - ROWS:,} more", "dim")


def _line(console: Console, text: str = "", style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True)


def _new(report: Report) -> Iterator[str]:
    fresh = {
        change.held.record.id
        for change in report.changes
        if change.held.record.status is Status.OPEN and change.held.record.opened == change.held.record.since
    }
    for finding in report.plan.findings:
        if finding.id in fresh:
            yield f"{_name(finding)}  {monthly(finding.cost)}/mo  {visible(finding.verdict.summary)}"


def _over(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        record = change.held.record
        if record.status in (Status.RESOLVED, Status.EXEMPT):
            yield f"{visible(record.policy)}: {visible(record.subject.name)}  {visible(record.reason)}"


def _warned(task: Task) -> str:
    steps = ", ".join(step.title for step in task.steps) or "reported only"
    grace = max((step.grace for step in task.steps), default=None)
    wait = f", not before {_span(grace.total_seconds())} from now" if grace else ""
    return f"{_name(task.finding)}  {visible(steps)}{wait}"


def _span(seconds: float) -> str:
    from datetime import timedelta

    from engine.units import format_duration

    return format_duration(timedelta(seconds=seconds))


def _asked(task: Task, approval: ApprovalRecord) -> str:
    who = ", ".join(approval.approvers)
    return (
        f"{approval.id}  {_name(task.finding)}  {', '.join(approval.steps)}; "
        f"{visible(who)} in {visible(approval.channel)} by {approval.expires:%Y-%m-%d %H:%M} UTC"
    )


def _held(blocked: Sequence[Blocked]) -> Iterator[str]:
    """Yield each reason once, with what it holds."""
    found: dict[str, list[Finding]] = {}
    for one in blocked:
        found.setdefault(one.reason, []).append(one.task.finding)
    for reason, findings in found.items():
        names = ", ".join(visible(finding.subject.name) for finding in findings[:NAMES])
        more = f" and {len(findings) - NAMES} more" if len(findings) > NAMES else ""
        yield f"{visible(reason)}: {names}{more}"


def _outcome(outcome: StepOutcome) -> str:
    step = outcome.step
    why = f": {visible(outcome.reason)}" if outcome.reason else ""
    undo = f"  bursar undo {outcome.action}" if outcome.result in ACTED and step.reversible else ""
    saved = f"  {monthly(step.savings)}/mo" if outcome.result in ACTED else ""
    name = f"{visible(step.policy)}: {visible(step.subject.name)}"
    return f"{name}  {visible(step.title)}: {WORDS[outcome.result]}{why}{saved}{undo}"


def _answered(answered: Answered) -> str:
    asked = answered.asked
    if answered.undone is None:
        return visible(f"{asked.action}: NOT undone: {asked.outcome}")
    return f"{undone_line(answered.undone)}, as {visible(asked.by)} asked"


def _stale(stale: Stale) -> str:
    step = stale.step
    return f"{visible(step.policy)}: {visible(step.subject.name)}  {step.remediation}: {visible(stale.reason)}"


def _untold(task: Task) -> str:
    return f"{_name(task.finding)}  the log says why"


def _name(finding: Finding) -> str:
    return f"{visible(finding.verdict.policy)}: {visible(finding.subject.name)}"


# --- JSON ----------------------------------------------------------------------------------------


def render_report_json(report: Report, out: TextIO) -> None:
    """Write what the run did as one JSON document."""
    json.dump(report_of(report), out, indent=2, ensure_ascii=True, allow_nan=False)
    out.write("\n")


def report_of(report: Report) -> dict[str, Any]:
    """Return a run as plain values."""
    run = report.run
    return {
        "bursar.run": 1,
        "id": run.id,
        "status": run.status,
        "began": time_of(run.began),
        "finished": None if run.finished is None else time_of(run.finished),
        "estate": report.plan.estate,
        "findings": len(report.plan.findings),
        "undecided": len(report.plan.undecided),
        "changes": [
            {"finding": c.held.record.id, "policy": c.held.record.policy, "status": c.held.record.status.value,
             "reason": c.held.record.reason, "subject": subject_of(c.held.record.subject)}
            for c in report.changes
        ],
        "warned": [task.finding.id for task in report.warned],
        "asked": [{"finding": task.finding.id, "approval": approval.id} for task, approval in report.asked],
        "untold": [task.finding.id for task in report.untold],
        "outcomes": [_outcome_of(outcome) for outcome in report.outcomes],
        "undone": [
            {"action": one.asked.action, "by": one.asked.by, "status": one.asked.status, "reason": one.asked.outcome}
            for one in report.undone
        ],
        "blocked": [{"finding": b.task.finding.id, "reason": b.reason} for b in report.blocked],
        "stale": [{"step": s.step.id, "reason": s.reason} for s in report.stale],
        "trips": [{"breaker": t.breaker, "why": t.why, "policy": t.policy, "account": t.account} for t in report.trips],
        "settled": [
            {"action": s.action.id, "effect": s.effect.value if s.effect else None, "reason": s.reason}
            for s in report.settled
        ],
        "gaps": [scope_of(gap) for gap in report.plan.gaps],
    }  # fmt: skip


def _outcome_of(outcome: StepOutcome) -> dict[str, Any]:
    return {
        "step": outcome.step.id,
        "policy": outcome.step.policy,
        "remediation": outcome.step.remediation,
        "subject": subject_of(outcome.step.subject),
        "result": outcome.result.value,
        "reason": outcome.reason,
        "action": outcome.action,
        "savings": cost_of(outcome.step.savings),
    }


def show_report(report: Report, format_: str, out: TextIO) -> None:
    """Write what the run did as `table` or `json`."""
    if format_ == "json":
        render_report_json(report, out)
    else:
        render_report(report, out, width=screen_width(out), color=wants_color(out))


def undone_line(undone: Undone) -> str:
    """Return what became of the undoing of one act, as a line."""
    record = undone.action
    word = {Result.DONE: "undone", Result.PENDING: "being undone"}.get(undone.result, f"NOT undone: {undone.reason}")
    return visible(f"{record.id}  {record.subject.name}: {record.remediation}: {word}")
