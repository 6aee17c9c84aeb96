"""
Who is told: the log, always; then the receivers, of which the first is the one that counts.

A warning or question that the first receiver did not take was not delivered, and the next run sends it again. The
others get copies; whether they took them is in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from bursar.receivers import Receiver
from bursar.render.money import monthly
from bursar.render.text import visible
from bursar.summary import remember_told, summary_of, told_before, troubles_of
from engine.acting.run import Report
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from engine.state.store import Store


@dataclass(frozen=True)
class Telling:
    """The `Teller` of a run. Without a receiver the log is all there is, and counts."""

    log: TextIO
    receivers: tuple[Receiver, ...] = ()

    def warn(self, tasks: Sequence[Task], now: datetime) -> frozenset[str]:
        """Warn of findings; return the ids of those whose warning was delivered."""
        refused: Mapping[str, str] = {}
        for number, receiver in enumerate(self.receivers):
            found = receiver.warn(tasks, now)
            if not number:
                refused = found
            elif found:
                self._copy(f"{len(found)} of {len(tasks)} warnings", next(iter(found.values())))
        for task in tasks:
            self._line("warning", task, refused.get(task.finding.id, ""))
        return frozenset(task.finding.id for task in tasks if task.finding.id not in refused)

    def ask(self, approval: ApprovalRecord, task: Task) -> bool:
        """Ask for an approval; return whether the question was delivered."""
        failed = self.receivers[0].ask(approval, task) if self.receivers else ""
        for receiver in () if failed else self.receivers[1:]:
            refused = receiver.ask(approval, task)
            if refused:
                self._copy(f"question {approval.id}", refused)
        self._line(f"question {approval.id}", task, failed)
        return not failed

    def finish(self, report: Report, store: Store, now: datetime) -> None:
        """Tell of the run, where something happened that people do not know yet."""
        summary = summary_of(report, told_before(store))
        if summary is None:
            return
        failed = ""
        for number, receiver in enumerate(self.receivers):
            refused = receiver.summarize(summary)
            if refused:
                self._copy("the summary of the run", refused)
                failed = failed if number else refused
        if not failed:
            remember_told(store, troubles_of(report), now)

    def _copy(self, what: str, failed: str) -> None:
        self.log.write(visible(f"not sent: {what}: {failed}") + "\n")

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
