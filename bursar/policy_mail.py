"""The e-mail addresses that policies name, and the one mail server by which they are reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from bursar.config import Config
from bursar.policy_reach import check_reachable
from bursar.receivers import LineReceiver
from bursar.secrets import read_secret
from bursar.summary import Summary
from engine.policy.model import PolicySet
from engine.policy.scalars import emails_of
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from integrations.notify.mail import WHERE, check_mail, mail_to


@dataclass(frozen=True)
class MailReceiver:
    """Warnings and questions of the policies that name addresses, to these; of others nothing is sent."""

    server: SecretStr
    emails: Mapping[str, tuple[str, ...]]
    """By policy."""

    def warn(self, tasks: Sequence[Task], now: datetime) -> Mapping[str, str]:
        refused: dict[str, str] = {}
        for emails, own in self._by_emails(tasks):
            refused |= self._to(emails).warn(own, now)
        return refused

    def ask(self, approval: ApprovalRecord, task: Task) -> str:
        emails = self.emails.get(approval.policy)
        return self._to(emails).ask(approval, task) if emails else ""

    def summarize(self, summary: Summary) -> str:  # noqa: ARG002  a run is no policy's own
        return ""

    def _to(self, emails: tuple[str, ...]) -> LineReceiver:
        return LineReceiver(mail_to(self.server, emails))

    def _by_emails(self, tasks: Sequence[Task]) -> Iterator[tuple[tuple[str, ...], list[Task]]]:
        found: dict[tuple[str, ...], list[Task]] = {}
        for task in tasks:
            emails = self.emails.get(task.finding.verdict.policy)
            if emails:
                found.setdefault(emails, []).append(task)
        yield from found.items()


def mail_of(config: Config, policies: PolicySet) -> MailReceiver | None:
    """
    Return the receiver for the addresses of `policies`; None where none of them names any, or tells anybody.

    Raises:
        ConfigError: there is no mail server for them, or it cannot be used.
    """
    check_reachable(config, policies)
    emails = {p.name: emails_of(p.notify["email"]) for p in policies.policies if "email" in p.notify}
    if not config.mail or not emails:
        return None
    server = read_secret(config.mail, config.folder, WHERE)
    check_mail(server)
    return MailReceiver(server, emails)
