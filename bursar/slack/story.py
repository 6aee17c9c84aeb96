"""What has become of an approval so far, read from the store: the votes, the acts, and whether it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from engine.state.records import (
    ActionRecord,
    ApprovalRecord,
    Decision,
    FindingRecord,
    Progress,
    Status,
    restored,
)
from engine.state.store import Store, Table

HAD_EFFECT = (Progress.DONE, Progress.UNDOING, Progress.UNDONE)


@dataclass(frozen=True, slots=True)
class Story:
    """An approval and what followed from it."""

    approval: ApprovalRecord
    finding: FindingRecord | None = None
    """As it is now."""
    actions: tuple[ActionRecord, ...] = ()

    @property
    def agreed(self) -> int:
        """How many people said yes."""
        return len({vote.principal for vote in self.approval.votes if vote.yes})

    @property
    def waits(self) -> bool:
        """Whether the finding still stands under this approval."""
        finding = self.finding
        if finding is None or (finding.episode, finding.approval) != (self.approval.episode, self.approval.id):
            return False
        again = finding.status is Status.FAILED and finding.retry is not None
        return again or finding.status in (Status.PENDING, Status.APPROVED, Status.ACTING)

    @property
    def over(self) -> bool:
        """Whether nothing can follow any more."""
        if self.approval.status is Decision.PENDING:
            return False
        return self.approval.status is not Decision.APPROVED or not self.waits

    @property
    def done(self) -> bool:
        """Whether all that was approved had its effect, or held already; also when the finding is over since."""
        if any(one.last and one.status in HAD_EFFECT for one in self.actions):
            return True
        finding = self.finding
        if finding is None or (finding.episode, finding.approval) != (self.approval.episode, self.approval.id):
            return False
        return finding.status is Status.VERIFIED

    @property
    def saving(self) -> Decimal | None:
        """USD a month that the acts save; None where there is none or it is not known."""
        known = [a.hourly for a in self.actions if a.status is Progress.DONE and a.hourly]
        return sum(known, Decimal(0)) * 730 if known else None


def read_story(store: Store, approval: ApprovalRecord) -> Story:
    """Return what is known of `approval` now."""
    stored = store.get(Table.FINDING, approval.finding)
    finding = None if stored is None else restored(FindingRecord, stored).record
    another = finding is not None and finding.approval not in ("", approval.id)
    return Story(approval, finding, () if another else tuple(_actions(store, approval)))


def _actions(store: Store, approval: ApprovalRecord) -> Iterator[ActionRecord]:
    for step in approval.shown.steps:
        stored = store.get(Table.ACTION, f"{step.id}.{approval.episode}")
        if stored is not None:
            yield restored(ActionRecord, stored).record
