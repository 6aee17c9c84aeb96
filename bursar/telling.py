"""Who is told of warnings and questions: the log, always, and the webhook where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from bursar.render.money import monthly
from bursar.render.text import visible
from engine.findings import Cost
from engine.state.ledger import Json
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from integrations.notify.webhook import Webhook


@dataclass(frozen=True)
class Telling:
    """
    The `Teller` of a run.

    With a webhook, only what the webhook took counts as delivered: the log alone may be read by nobody.
    """

    log: TextIO
    webhook: Webhook | None = None

    def warn(self, tasks: Sequence[Task], now: datetime) -> frozenset[str]:
        """Warn of findings; return the ids of those whose warning was delivered."""
        delivered: set[str] = set()
        for policy, own in _by_policy(tasks):
            content: dict[str, Json] = {
                "kind": "warning",
                "policy": policy,
                "at": now.isoformat(),
                "findings": [*map(_facts, own)],
            }
            failed = self.webhook.send(content) if self.webhook else ""
            for task in own:
                self._line("warning", task, failed)
            if not failed:
                delivered |= {task.finding.id for task in own}
        return frozenset(delivered)

    def ask(self, approval: ApprovalRecord, task: Task) -> bool:
        """Ask for an approval; return whether the question was delivered."""
        content: dict[str, Json] = {
            "kind": "question",
            "approval": approval.id,
            "policy": approval.policy,
            "channel": approval.channel,
            "approvers": list(approval.approvers),
            "expires": approval.expires.isoformat(),
            "steps": list(approval.steps),
            "finding": _facts(task),
        }
        failed = self.webhook.send(content) if self.webhook else ""
        self._line(f"question {approval.id}", task, failed)
        return not failed

    def _line(self, kind: str, task: Task, failed: str) -> None:
        finding = task.finding
        what = ", ".join(step.title for step in task.steps) or "nothing is done about it"
        parts = [
            f"{kind}: {finding.verdict.policy}: {finding.subject.name} ({finding.subject.id})",
            finding.verdict.summary,
            f"{monthly(finding.cost)} a month",
            what,
        ]
        if failed:
            parts.append(f"NOT DELIVERED: {failed}")
        self.log.write(visible("; ".join(parts)) + "\n")


def _by_policy(tasks: Sequence[Task]) -> Iterator[tuple[str, list[Task]]]:
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
