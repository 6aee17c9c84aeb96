"""Receivers without buttons: the webhook, which gets JSON, and whatever addresses apprise knows, which get lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bursar.render.approvals import policy_by
from bursar.render.money import monthly
from bursar.render.text import clipped, counted, visible
from bursar.summary import Summary, lines_of
from engine.findings import Cost
from engine.state.ledger import Json
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from integrations.notify.addresses import Addresses
from integrations.notify.webhook import Webhook

LINES = 30
"""Lines of one message."""


class Receiver(Protocol):
    """Where warnings, questions and summaries go. A refusal is a sentence, and never an exception."""

    def warn(self, tasks: Sequence[Task], now: datetime) -> Mapping[str, str]:
        """Warn of findings; return those that were not told of, by id, with the reason."""

    def ask(self, approval: ApprovalRecord, task: Task) -> str:
        """Ask for an approval; return why the question was not delivered, or nothing."""

    def summarize(self, summary: Summary) -> str:
        """Tell of a run; return why that was not delivered, or nothing."""


@dataclass(frozen=True)
class JsonReceiver:
    """A webhook that gets one document for each policy, question and run."""

    webhook: Webhook

    def warn(self, tasks: Sequence[Task], now: datetime) -> Mapping[str, str]:
        refused: dict[str, str] = {}
        for policy, own in by_policy(tasks):
            content: dict[str, Json] = {
                "kind": "warning",
                "policy": policy,
                "at": now.isoformat(),
                "findings": [*map(_facts, own)],
            }
            failed = self.webhook.send(content)
            if failed:
                refused |= {task.finding.id: failed for task in own}
        return refused

    def ask(self, approval: ApprovalRecord, task: Task) -> str:
        content: dict[str, Json] = {
            "kind": "question",
            "approval": approval.id,
            "policy": approval.policy,
            "channel": approval.channel,
            "approvers": list(approval.approvers),
            "authors": list(approval.authors),
            "author_unknown": approval.author_unknown,
            "expires": approval.expires.isoformat(),
            "steps": list(approval.steps),
            "lost": list(approval.shown.lost),
            "finding": _facts(task),
        }
        return self.webhook.send(content)

    def summarize(self, summary: Summary) -> str:
        content: dict[str, Json] = {
            "kind": "run",
            "run": summary.run,
            "title": summary.title,
            "outcomes": [
                {"name": o.name, "what": o.what, "failed": o.failed, "undo": o.undo} for o in summary.outcomes
            ],
            "held": list(summary.troubles),
            "over": list(summary.over),
        }
        return self.webhook.send(content)


@dataclass(frozen=True)
class LineReceiver:
    """Microsoft Teams, e-mail and the like: lines of text."""

    addresses: Addresses

    def warn(self, tasks: Sequence[Task], now: datetime) -> Mapping[str, str]:
        title = f"Bursar warns of {counted(len(tasks), 'finding')} ({now:%Y-%m-%d %H:%M} UTC)"
        named = tasks[:LINES]
        lines = [_line(task) for task in named]
        failed = self.addresses.send(title, "\n".join(lines))
        late = "the message is full; the next run tells of it"
        return {task.finding.id: failed or late for task in (tasks if failed else tasks[LINES:])}

    def ask(self, approval: ApprovalRecord, task: Task) -> str:
        lines = [
            _line(task),
            *(f"would be lost: {visible(one)}" for one in approval.shown.lost),
            *((f"policy {visible(policy_by(approval))}",) if policy_by(approval) else ()),
            f"decided by {visible(', '.join(approval.approvers))} until {approval.expires:%Y-%m-%d %H:%M} UTC",
            f"bursar approvals show {approval.id}",
        ]
        return self.addresses.send(f"Bursar asks for approval {approval.id}", "\n".join(lines))

    def summarize(self, summary: Summary) -> str:
        lines = [visible(line) for line in lines_of(summary)]
        return self.addresses.send(f"Bursar: {visible(summary.title)}", "\n".join(_bounded(lines)))


def _bounded(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:LINES]
    if len(lines) > LINES:
        yield f"… and {len(lines) - LINES} more"


def _line(task: Task) -> str:
    finding = task.finding
    parts = [
        f"{finding.verdict.policy}: {clipped(finding.subject.name or finding.subject.id, 120)}",
        finding.verdict.summary,
        f"{monthly(finding.cost)} a month",
        ", ".join(step.title for step in task.steps) or "nothing is done about it",
    ]
    return visible("; ".join(parts))


def by_policy(tasks: Sequence[Task]) -> Iterator[tuple[str, list[Task]]]:
    """Yield `tasks` by policy, in order of their names."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.finding.verdict.policy, []).append(task)
    yield from sorted(found.items())


def _facts(task: Task) -> dict[str, Json]:
    """Return what a receiver is told of one finding."""
    finding = task.finding
    cost, savings = finding.cost, finding.savings
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "description": finding.description,
        "summary": finding.verdict.summary,
        "resource": finding.subject.uid,
        "name": finding.subject.name,
        "owner": finding.subject.owner,
        "monthly_cost": str(cost.monthly) if isinstance(cost, Cost) else None,
        "monthly_savings": str(savings.monthly) if isinstance(savings, Cost) else None,
        "steps": [step.title for step in task.steps],
        "grace_seconds": int(task.steps[0].grace.total_seconds()) if task.steps else 0,
    }
