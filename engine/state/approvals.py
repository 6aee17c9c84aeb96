"""
Approvals as pure functions: the question, the votes, the one end.

Slack, the command line and the web page come to a decision through `voted`, and only through it; the store makes
sure that of two decisions made at once one counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.findings import Cost, Evidence, Finding
from engine.people import STRONG, Authorship
from engine.plan import Step
from engine.policy.model import Approval, SecondFactor
from engine.state.lifecycle import answered
from engine.state.reconcile import steps_fingerprint
from engine.state.records import (
    ApprovalRecord,
    Decision,
    Fact,
    FindingRecord,
    Shown,
    ShownStep,
    Status,
    Vote,
)
from engine.wording import value_words

STATUS = {
    Decision.APPROVED: Status.APPROVED,
    Decision.DENIED: Status.DENIED,
    Decision.EXPIRED: Status.EXPIRED,
}
"""What an approval's end makes of its finding."""


FACTS = 40
"""Pieces of evidence that are kept with a question."""
LONGEST_FACT = 500
"""Characters of a text that is kept with a question."""
NOT_LOOKED_UP = Authorship(unknown="nobody looked it up")


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A vote that does not count, and why."""

    reason: str


def question(
    finding: Finding,
    steps: Sequence[Step],
    record: FindingRecord,
    now: datetime,
    requester: str = "",
    authorship: Authorship = NOT_LOOKED_UP,
) -> ApprovalRecord:
    """Return the question whether `steps` may be carried out, bound to exactly them."""
    approval = steps[0].approval
    assert approval is not None, "the loader refuses a policy in mode `approve` without an approval"
    digest = digest_of(steps)
    number = record.asked + 1
    fingerprint = steps_fingerprint(steps)
    bound = f"{finding.id}\0{record.episode}\0{number}\0{digest}\0{fingerprint}"
    id_ = hashlib.sha256(bound.encode()).hexdigest()[:12]
    return ApprovalRecord(
        id=id_,
        finding=finding.id,
        episode=record.episode,
        policy=finding.verdict.policy,
        subject=finding.subject,
        status=Decision.PENDING,
        steps=tuple(step.title for step in steps),
        digest=digest,
        fingerprint=fingerprint,
        asked=now,
        expires=now + approval.expires,
        channel=approval.channel,
        approvers=approval.approvers,
        quorum=approval.quorum,
        strong=needs_second_factor(finding, steps, approval),
        requester=requester,
        authors=authorship.people,
        author_unknown=authorship.unknown,
        shown=shown_of(finding, steps),
    )


def shown_of(finding: Finding, steps: Sequence[Step]) -> Shown:
    """Return what people are shown of a finding and its steps when they are asked."""
    verdict, cost, savings = finding.verdict, finding.cost, finding.savings
    priced = savings if isinstance(savings, Cost) else cost
    return Shown(
        severity=finding.severity.value,
        confidence=verdict.confidence.value,
        description=_cut(finding.description),
        summary=_cut(verdict.summary),
        evidence=tuple(_fact(one) for one in verdict.evidence[:FACTS]),
        cost=cost.monthly if isinstance(cost, Cost) else None,
        savings=savings.monthly if isinstance(savings, Cost) else None,
        exact=priced.exact if isinstance(priced, Cost) else True,
        basis=_cut(priced.basis) if isinstance(priced, Cost) else "",
        steps=tuple(
            ShownStep(step.id, step.title, dict(step.parameters), step.reversible, step.undo) for step in steps
        ),
        production=any(step.production for step in steps),
    )


def _fact(evidence: Evidence) -> Fact:
    value = value_words(evidence.value, evidence.unit)
    return Fact(_cut(evidence.path), _cut(value), _cut(evidence.expected), _cut(evidence.source))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 1] + "…"


def needs_second_factor(finding: Finding, steps: Sequence[Step], approval: Approval) -> bool:
    """Return whether a yes in Slack alone is not enough; savings that are not known may be above any amount."""
    if approval.above is not None:
        savings = finding.savings
        if not isinstance(savings, Cost) or savings.monthly > approval.above:
            return True
    match approval.second_factor:
        case SecondFactor.NEVER:
            return False
        case SecondFactor.IRREVERSIBLE:
            return not all(step.reversible for step in steps)
        case SecondFactor.ALWAYS:
            return True


def digest_of(steps: Sequence[Step]) -> str:
    """Return a digest of what would be done: SHA-256 in hex over ids and parameters of the steps, in order."""
    facts = [[step.id, dict(sorted(step.parameters.items()))] for step in steps]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def voted(record: ApprovalRecord, vote: Vote, *, entitled: bool) -> ApprovalRecord | NotCounted:
    """
    Return the approval with one more vote, decided where that decides it; or why the vote does not count.

    `entitled` says whether the principal is one of the approvers now. One no denies; a quorum of different people
    approves; nobody approves what he asked for himself, by starting the run or by writing the policy.
    """
    if record.status is not Decision.PENDING:
        return NotCounted(f"it is {record.status.value} already")
    if vote.at >= record.expires:
        return NotCounted(f"it expired at {record.expires:%Y-%m-%d %H:%M} UTC")
    if not entitled:
        return NotCounted(f"{vote.principal} is not one of its approvers")
    own = own_part(record, vote.principal)
    if vote.yes and own:
        return NotCounted(f"{vote.principal} {own}, and another has to approve")
    if any(_same(v.principal, vote.principal) and (v.yes, v.door) == (vote.yes, vote.door) for v in record.votes):
        return NotCounted(f"{vote.principal} has said so already")
    votes = (*record.votes, vote)
    if not vote.yes:
        return replace(record, votes=votes, status=Decision.DENIED, decided=vote.at, reason=vote.reason)
    agreed = {_plain(earlier.principal) for earlier in votes if earlier.yes}
    proven = any(earlier.yes and earlier.door in STRONG for earlier in votes)
    if len(agreed) >= record.quorum and (proven or not record.strong):
        return replace(record, votes=votes, status=Decision.APPROVED, decided=vote.at)
    return replace(record, votes=votes)


def own_part(record: ApprovalRecord, principal: str) -> str:
    """Return what `principal` did towards the question, so that his yes is none; empty where he did nothing."""
    if _same(principal, record.requester):
        return "asked for it"
    return "was the last to change the policy" if any(_same(principal, one) for one in record.authors) else ""


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(principal: str) -> str:
    """Return a principal as it is compared: one person is not two by writing an address in capitals."""
    return principal.strip().casefold()


def ended(record: ApprovalRecord, decision: Decision, now: datetime, reason: str) -> ApprovalRecord:
    """Return a pending approval that ended without a vote: expired, or superseded by what changed."""
    return replace(record, status=decision, decided=now, reason=reason)


def finding_after(finding: FindingRecord, approval: ApprovalRecord, now: datetime) -> FindingRecord:
    """Return the finding as `approval` leaves it; unchanged where it waits for another one, or for more votes."""
    status = STATUS.get(approval.status)
    if status is None or finding.status is not Status.PENDING or finding.approval != approval.id:
        return finding
    people = ", ".join(vote.principal for vote in approval.votes)
    return answered(finding, status, now, approval.reason or (f"by {people}" if people else ""))
