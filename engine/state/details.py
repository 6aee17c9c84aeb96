"""
What a finding says, kept for people to read between runs: words, evidence, dollars and steps.

Beside the life of a finding and not in it: a decision about a finding never collides with a run that only has newer
figures, and whoever judges reads no evidence. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from engine.findings import Cost, Finding, Subject
from engine.plan import Plan, Step
from engine.state.approvals import shown_of
from engine.state.records import Held, Shown, put
from engine.state.store import Put, Table
from engine.values import Unknown

NEAR = Decimal("0.05")
"""A cost that moved by no more than this part of it is not worth a write at once."""
STALE = timedelta(hours=24)
"""After how long figures that moved a little are written after all."""
_FIGURES = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class DetailRecord:
    """What one finding said when this was written."""

    table: ClassVar[Table] = Table.DETAIL

    finding: str
    at: datetime
    subject: Subject
    """With the name and the owner it had then."""
    shown: Shown = field(default_factory=Shown)
    withheld: tuple[str, ...] = ()
    """Why a remediation of the policy is not planned."""
    status: str = ""

    @property
    def key(self) -> str:
        return self.finding


def details_of(plan: Plan, before: Mapping[str, Held[DetailRecord]], now: datetime) -> Iterator[Put]:
    """
    Yield the details to write: of new findings, and of those that say something else.

    Words, severity, steps, or a cost that moved by more than `NEAR`, are written at once; figures that moved a
    little, once a day. A run over an estate that has not changed writes nothing.
    """
    steps: dict[str, list[Step]] = {}
    for step in plan.steps:
        steps.setdefault(step.finding, []).append(step)
    withheld: dict[str, list[str]] = {}
    for one in plan.withheld:
        withheld.setdefault(one.finding, []).append(f"{one.remediation}: {one.reason}")
    for finding in plan.findings:
        held = before.get(finding.id)
        own, why = steps.get(finding.id, []), tuple(withheld.get(finding.id, ()))
        if held is not None and not _worth_a_look(held.record, finding, own, why, now):
            continue
        after = DetailRecord(finding.id, now, finding.subject, shown_of(finding, own), why)
        if held is None:
            yield put(after, 0)
        elif (after.subject, after.shown, after.withheld) != _said(held.record):
            yield put(after, held.version)


def _said(record: DetailRecord) -> tuple[Subject, Shown, tuple[str, ...]]:
    return record.subject, record.shown, record.withheld


def _worth_a_look(
    record: DetailRecord, finding: Finding, steps: list[Step], withheld: tuple[str, ...], now: datetime
) -> bool:
    shown = record.shown
    return (
        now >= record.at + STALE
        or shown.severity != finding.severity.value
        or shown.confidence != finding.verdict.confidence.value
        or _words(shown.summary) != _words(finding.verdict.summary)
        or record.subject != finding.subject
        or record.withheld != withheld
        or [step.id for step in shown.steps] != [step.id for step in steps]
        or _moved(shown.cost, finding.cost)
        or _moved(shown.savings, finding.savings)
    )


def _words(summary: str) -> str:
    """Return a summary without its figures: `no use for 41d` today is not news tomorrow."""
    return _FIGURES.sub("#", summary)


def _moved(before: Decimal | None, now: Cost | Unknown) -> bool:
    if before is None or isinstance(now, Unknown):
        return (before is None) != isinstance(now, Unknown)
    return abs(now.monthly - before) > abs(before) * NEAR
