"""
What acts saved, as it turned out: from when the effect was seen to when a run saw that it was over.

Realised savings are hours times the price an hour that was known when the act was done. Hours in which a machine was
started by somebody else count as saved only up to the run that noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from engine.model import Resource, Scope, ScopeStatus
from engine.plan import Plan
from engine.ports import Item
from engine.state.ledger import Note
from engine.state.records import Held, SavingRecord, put, restored
from engine.state.store import Put, Store, Table

STOPS = frozenset({"stop", "hibernate"})
"""Remediations whose saving ends when the resource runs again."""


@dataclass
class Watch:
    """The resources that earlier acts were about, as a run sees them go by."""

    savings: tuple[Held[SavingRecord], ...]
    seen: dict[str, Resource] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> Watch:
        """Return the watch for what is being saved now."""
        return cls(tuple(restored(SavingRecord, stored) for stored in store.scan(Table.SAVING, "running")))

    def watched(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield `items`, keeping those that matter."""
        wanted = {held.record.subject.uid for held in self.savings}
        for item in items:
            if wanted and isinstance(item, Resource) and item.uid in wanted:
                self.seen[item.uid] = item
            yield item

    def ended(self, plan: Plan, now: datetime, run: str) -> tuple[list[Put], list[Note]]:
        """Return the ends of savings that this run noticed, with their notes."""
        complete = {report.scope for report in plan.scopes if report.status is ScopeStatus.COMPLETE}
        puts: list[Put] = []
        notes: list[Note] = []
        for held in self.savings:
            why = self._over(held.record, complete)
            if why:
                puts.append(put(replace(held.record, until=now, status="over", reason=why), held.version))
                notes.append(Note(now, "saving.over", held.record.action, run, body={"reason": why}))
        return puts, notes

    def _over(self, saving: SavingRecord, complete: set[Scope]) -> str:
        """Return why nothing is saved any more; nothing where it goes on, or where nothing is known."""
        subject = saving.subject
        if saving.remediation not in STOPS:
            return ""
        resource = self.seen.get(subject.uid)
        if resource is None:
            gone = Scope(subject.account, subject.region, subject.kind) in complete
            return "it is gone" if gone else ""
        return "it runs again" if resource.fields.get("running") is True else ""


@dataclass(frozen=True, slots=True)
class Total:
    """What some acts saved together."""

    acts: int
    hours: Decimal
    realised: Decimal
    """USD so far, of the acts whose price is known."""
    monthly: Decimal
    """USD a month that the running ones go on to save."""
    unpriced: int
    """Acts whose price is not known."""


def totals(savings: Iterable[SavingRecord], now: datetime) -> Mapping[str, Total]:
    """Return what was saved by policy, in order of their names."""
    found: dict[str, list[SavingRecord]] = {}
    for saving in savings:
        found.setdefault(saving.policy, []).append(saving)
    return {policy: _total(found[policy], now) for policy in sorted(found)}


def _total(savings: list[SavingRecord], now: datetime) -> Total:
    priced = [saving for saving in savings if saving.hourly is not None]
    running = [saving.hourly for saving in priced if saving.until is None and saving.hourly is not None]
    return Total(
        len(savings),
        sum((saving.hours(now) for saving in savings), Decimal(0)),
        sum((saving.realised(now) or Decimal(0) for saving in priced), Decimal(0)),
        sum(running, Decimal(0)) * 730,
        len(savings) - len(priced),
    )
