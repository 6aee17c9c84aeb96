"""Warnings, questions and summaries in Slack, as a receiver of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bursar.slack.desk import Desk
from bursar.slack.digest import PAGES, Page, digest_of, heading_of, summary_blocks
from bursar.slack.errands import count_clicks
from bursar.slack.messages import catch_up, post_question, slack_id
from bursar.summary import Summary
from engine.errors import BursarError
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from engine.state.store import ConflictError
from integrations.slack.client import Posted, SlackError, SlackRefusedError
from integrations.slack.text import said

ALONE = 3
"""Questions of a run that stand in a channel by themselves; more of them go into one thread."""
QUESTIONS = 20
"""Questions of a run in one channel. The next run asks what is left: a hundred at once get a hundred unread yeses."""
OWNERS = 25
"""Owners that are looked up for one digest."""


@dataclass
class SlackReceiver:
    """Slack, for the length of one run. What could not be reached once is not tried again by the same run."""

    desk: Desk
    channels: Mapping[str, str] = field(default_factory=dict)
    """Where policies that say so have their warnings, by their names."""
    down: str = ""
    """Why Slack is not reached by this run."""
    asked: dict[str, list[ApprovalRecord]] = field(default_factory=dict)
    threads: dict[str, Posted] = field(default_factory=dict)

    def catch_up(self) -> list[BursarError]:
        """Count what people clicked and nobody counted; return what stood in the way."""
        return count_clicks(self.desk)

    def warn(self, tasks: Sequence[Task], now: datetime) -> Mapping[str, str]:
        """Warn of findings; return those that were not told of, by id, with the reason."""
        refused: dict[str, str] = {}
        for channel, own in self._by_channel(tasks):
            told: set[str] = set()
            why = self.down or self._digest(channel, own, now, told)
            left = why or f"a thread has {PAGES} messages; the next run tells of it"
            refused |= {task.finding.id: left for task in own if task.finding.id not in told}
        return refused

    def _digest(self, channel: str, tasks: Sequence[Task], now: datetime, told: set[str]) -> str:
        """Post a digest and its thread; add to `told` what was delivered, and return why the rest was not."""
        try:
            digest = digest_of(tasks, self._owners(tasks), now)
            head = self.desk.slack.post(channel, digest.text, digest.head.blocks)
            told |= digest.head.findings
            for page in digest.thread:
                self._reply(head, page)
                told |= page.findings
        except SlackError as error:
            return self._failed(error)
        return ""

    def _reply(self, head: Posted, page: Page) -> None:
        self.desk.slack.post(head.channel, f"{len(page.findings)} findings", page.blocks, head.ts)

    def _owners(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        names = list(dict.fromkeys(task.finding.subject.owner for task in tasks if task.finding.subject.owner))
        return {name: self._owner(name) for name in names[:OWNERS]}

    def _owner(self, name: str) -> str:
        """Return what Slack calls an owner; nothing where that cannot be known: it is no reason not to ask."""
        try:
            return slack_id(name, self.desk) if name else ""
        except SlackRefusedError:
            return ""

    def ask(self, approval: ApprovalRecord, task: Task) -> str:
        """Ask for an approval; return why the question was not delivered, or nothing."""
        if self.down:
            return self.down
        asked = self.asked.setdefault(approval.channel, [])
        if len(asked) >= QUESTIONS:
            return f"{QUESTIONS} questions are enough for a run; the next one asks"
        try:
            thread = self._thread(approval) if len(asked) >= ALONE else ""
            post_question(approval, self._owner(task.finding.subject.owner), self.desk, thread)
        except SlackError as error:
            return self._failed(error)
        except ConflictError:
            return "its message changed at this moment"
        asked.append(approval)
        return ""

    def _thread(self, approval: ApprovalRecord) -> str:
        """Return the thread of this run's further questions in a channel, begun where there is none."""
        head = self.threads.get(approval.channel)
        if head is None:
            head = self.threads[approval.channel] = self.desk.slack.post(approval.channel, *heading_of([approval]))
        return head.ts

    def summarize(self, summary: Summary) -> str:
        """Tell of a run; return why that was not delivered, or nothing."""
        if self.down:
            return self.down
        try:
            self.desk.slack.post(self.desk.settings.channel, said(summary.title), summary_blocks(summary))
        except SlackError as error:
            return self._failed(error)
        return ""

    def finish(self) -> list[BursarError]:
        """Bring every message up to date, also those of earlier runs; return what stood in the way."""
        failed: list[BursarError] = []
        for channel, head in self.threads.items():
            try:
                self.desk.slack.update(head, *heading_of(self.asked.get(channel, [])[ALONE:]))
            except SlackError as error:
                failed.append(error)
        return [*failed, *catch_up(self.desk)]

    def _failed(self, error: SlackError) -> str:
        message = error.problems[0].message
        if not isinstance(error, SlackRefusedError):
            self.down = message
        return message

    def _by_channel(self, tasks: Sequence[Task]) -> Iterator[tuple[str, list[Task]]]:
        found: dict[str, list[Task]] = {}
        for task in tasks:
            channel = self.channels.get(task.finding.verdict.policy, self.desk.settings.channel)
            found.setdefault(channel, []).append(task)
        yield from found.items()
