"""Warnings and summaries for a channel: one message with a thread, however many findings there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bursar.receivers import by_policy
from bursar.render.money import amount, monthly, total
from bursar.render.text import counted
from bursar.summary import Outcome, Summary
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from engine.units import format_duration
from integrations.slack.blocks import context, header, packed, paragraph
from integrations.slack.text import Block, clipped, code, said

SINGLE = 8
"""Findings that stand in the message itself; with more there is a thread."""
POLICIES = 12
"""Policies that the head of a thread counts one by one."""
PAGES = 10
"""Messages of one thread: about 400 findings. The next run tells of what is left."""

CODES = "The code at the end of a line is what `bursar snooze` and `bursar exempt` take."


@dataclass(frozen=True, slots=True)
class Page:
    """One message, and the ids of the findings that it tells of."""

    blocks: list[Block]
    findings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Digest:
    """A head, and the thread under it."""

    text: str
    head: Page
    thread: tuple[Page, ...] = ()


def digest_of(tasks: Sequence[Task], owners: Mapping[str, str], now: datetime) -> Digest:
    """Return the digest of warnings; `owners` are Slack's ids by what owner tags say."""
    sum_, exact, _ = total(task.finding.cost for task in tasks)
    costs = f", {amount(sum_, exact=exact)} a month" if sum_ else ""
    text = f"Bursar warns of {counted(len(tasks), 'finding')}{costs}"
    lines = [(task.finding.id, _warning(task, owners, now)) for task in tasks]
    if len(tasks) <= SINGLE:
        pages = list(_pages(lines))
        first = Page([header(text), *pages[0].blocks, context(CODES)], pages[0].findings)
        return Digest(text, first, tuple(pages[1:]))
    head = [header(text), paragraph(_counts(tasks)), context(f"Each of them is in the thread. {CODES}")]
    return Digest(text, Page(head, frozenset()), tuple(_pages(lines))[:PAGES])


def _pages(lines: Sequence[tuple[str, str]]) -> Iterator[Page]:
    """Yield messages that hold `lines` whole."""
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and len(packed(line for _, line in lines[start : end + 1])) == 1:
            end += 1
        chosen = lines[start:end]
        yield Page(packed(line for _, line in chosen)[0], frozenset(id_ for id_, _ in chosen))
        start = end


def _counts(tasks: Sequence[Task]) -> Iterator[str]:
    found = sorted(by_policy(tasks), key=lambda pair: -len(pair[1]))
    for policy, own in found[:POLICIES]:
        sum_, exact, unknown = total(task.finding.cost for task in own)
        more = f", {unknown} of unknown price" if unknown else ""
        yield f"• {code(policy)}: {counted(len(own), 'finding')}, {amount(sum_, exact=exact)} a month{more}"
    if len(found) > POLICIES:
        yield f"… and {len(found) - POLICIES} more policies"


def _warning(task: Task, owners: Mapping[str, str], now: datetime) -> str:
    finding = task.finding
    subject = finding.subject
    owner = owners.get(subject.owner, "")
    who = f" <@{owner}>" if owner else f" (owner {code(subject.owner, 60)})" if subject.owner else ""
    what = said("; ".join(step.title for step in task.steps), 200) or "nothing is done about it"
    when = ""
    if task.steps:
        grace = task.steps[0].grace
        when = f" not before {now + grace:%Y-%m-%d %H:%M} UTC ({format_duration(grace)})" if grace else " next"
    return (
        f"• {code(subject.name or subject.id, 80)}{who}: {code(finding.verdict.policy, 80)}, "
        f"{said(finding.verdict.summary, 200)}. {monthly(finding.cost)} a month. {what}{when} {code(finding.id[:8])}"
    )


def heading_of(asked: Sequence[ApprovalRecord]) -> tuple[str, list[Block]]:
    """Return the head of a thread of questions."""
    known = [one.shown.savings for one in asked if one.shown.savings is not None]
    saved = f", {amount(sum(known, Decimal(0)))} a month" if known else ""
    text = f"{counted(len(asked), 'more question')} in this thread{saved}"
    lines = [f"• {code(one.id)} {said('; '.join(one.steps), 80)}: {code(_name(one), 60)}" for one in asked]
    return text, [header(text), *(packed(lines)[0] if lines else [])]


def _name(approval: ApprovalRecord) -> str:
    return approval.subject.name or approval.subject.id


def summary_blocks(summary: Summary) -> list[Block]:
    """Return the message about a run."""
    lines = [*map(_outcome, summary.outcomes), *(f":warning: {said(one, 400)}" for one in summary.troubles)]
    lines += [f":white_check_mark: over: {said(one, 400)}" for one in summary.over]
    pages = packed(_bounded(lines, 40))
    return [header(clipped(summary.title, 140)), *pages[0][:10], context(f"run {code(summary.run)}")]


def _bounded(lines: Sequence[str], most: int) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"… and {len(lines) - most} more"


def _outcome(one: Outcome) -> str:
    mark = ":x:" if one.failed else ":heavy_check_mark:"
    undo = f"  `bursar undo {one.undo}`" if one.undo else ""
    return f"{mark} {code(one.name, 80)} {said(one.what, 300)}{undo}"
