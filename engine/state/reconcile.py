"""
A plan against what is remembered: which findings are new, go on, are over, and what each of them waits for.

Pure. A finding in a scope that could not be read, or about which nothing is known now, stays as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.findings import Finding, Subject, Verdict
from engine.ids import finding_id
from engine.model import Scope, ScopeStatus
from engine.plan import Plan, Step
from engine.policy.model import Mode
from engine.state.ledger import Json, Note
from engine.state.lifecycle import (
    NO_GRACE,
    Cleared,
    Excused,
    Sighting,
    Snoozed,
    Unseen,
    Violated,
    Wish,
    advance,
    opened,
    wish,
)
from engine.state.records import FindingRecord, Held, SnoozeRecord, Status


@dataclass(frozen=True, slots=True)
class Task:
    """A finding of this run that waits for something."""

    finding: Finding
    steps: tuple[Step, ...]
    held: Held[FindingRecord]
    wish: Wish


@dataclass(frozen=True, slots=True)
class Change:
    """A finding's record, to be written over the version it was made from, and what the ledger says of it."""

    held: Held[FindingRecord]
    note: Note


@dataclass(frozen=True)
class Reconciled:
    """What a run means for what is remembered."""

    changes: tuple[Change, ...]
    tasks: tuple[Task, ...]
    """As they stand once `changes` are written: their records have the versions after that."""


@dataclass(frozen=True)
class Memory:
    """What is remembered before a run."""

    findings: Mapping[str, Held[FindingRecord]] = field(default_factory=dict)
    snoozes: Mapping[str, SnoozeRecord] = field(default_factory=dict)


def reconcile(
    plan: Plan,
    memory: Memory,
    now: datetime,
    run: str,
    *,
    whole: bool = True,
    doubted: frozenset[Scope] = frozenset(),
) -> Reconciled:
    """
    Return what `plan` changes.

    `whole` says that the plan is of all policies there are: findings of others are over. `doubted` are scopes that
    were read completely and are not believed.
    """
    changes: list[Change] = []
    tasks: list[Task] = []
    seen: set[str] = set()
    steps = _steps_by_finding(plan.steps)
    for finding in plan.findings:
        seen.add(finding.id)
        own = steps.get(finding.id, ())
        before = memory.findings.get(finding.id)
        sighting = _sighting(finding, own, memory.snoozes.get(finding.id), plan, now)
        after = _advanced(before, finding, sighting, now)
        held = _moved(before, after, run, now, changes)
        wanted = wish(after, sighting)
        if wanted is not Wish.NOTHING:
            tasks.append(Task(finding, own, held, wanted))
    absent = _absent(plan, whole=whole, doubted=doubted)
    for id_, before in memory.findings.items():
        if id_ not in seen:
            after = advance(before.record, absent(before.record), now)
            _moved(before, after, run, now, changes)
    return Reconciled(tuple(changes), tuple(tasks))


def _advanced(before: Held[FindingRecord] | None, finding: Finding, sighting: Sighting, now: datetime) -> FindingRecord:
    first = opened(finding.id, finding.verdict.policy, finding.subject, now) if before is None else before.record
    return advance(first, sighting, now)


def _moved(
    before: Held[FindingRecord] | None, after: FindingRecord, run: str, now: datetime, changes: list[Change]
) -> Held[FindingRecord]:
    """Return the record as it will be held, and note the change where there is one."""
    if before is not None and after is before.record:
        return before
    version = before.version if before is not None else 0
    changes.append(Change(Held(after, version), finding_note(after, now, run)))
    return Held(after, version + 1)


def finding_note(record: FindingRecord, now: datetime, run: str, actor: str = "bursar", **more: Json) -> Note:
    """Return what the ledger says of a finding that came to its status."""
    body: dict[str, Json] = {"policy": record.policy, "resource": record.subject.uid, "episode": record.episode}
    if record.reason:
        body["reason"] = record.reason
    if record.due is not None and record.status is Status.WARNED:
        body["due"] = record.due.isoformat()
    return Note(now, f"finding.{record.status.value}", record.id, run, actor, {**body, **more})


def _steps_by_finding(steps: Iterable[Step]) -> Mapping[str, tuple[Step, ...]]:
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.finding, []).append(step)
    return {id_: tuple(own) for id_, own in found.items()}


def _sighting(
    finding: Finding, steps: Sequence[Step], snooze: SnoozeRecord | None, plan: Plan, now: datetime
) -> Sighting:
    if snooze is not None and snooze.status == "active" and now < snooze.until:
        return Snoozed(f"until {snooze.until:%Y-%m-%d %H:%M} UTC, by {snooze.by}")
    return sighting_of(finding, steps, plan.max_mode)


def sighting_of(finding: Finding, steps: Sequence[Step], max_mode: Mode) -> Violated:
    """Return how a finding with its planned steps is seen, where nobody snoozed it."""
    mode = min(finding.mode, max_mode, key=lambda m: m.rank)
    if not steps:
        return Violated(mode, NO_GRACE)
    return Violated(mode, steps[0].grace, steps_fingerprint(steps), announcement(steps))


def announcement(steps: Sequence[Step]) -> str:
    """
    Return what a warning of `steps` announces: their remediations and parameters, and the birth of the resource.

    A resource that was made anew under the same name is warned of anew, and so is one that is to be terminated
    where its warning spoke of a stop.
    """
    acts = "; ".join(
        " ".join([step.remediation, *(f"{name}={value}" for name, value in sorted(step.parameters.items()))])
        for step in steps
    )
    return f"{acts} ({steps[0].created})" if steps[0].created else acts


def steps_fingerprint(steps: Sequence[Step]) -> str:
    """
    Return a digest of what would be done to a resource, and of the resource it would be done to.

    An approval is bound to it. SHA-256 in hex over the steps' ids, parameters and fingerprints.
    """
    facts = [[step.id, dict(step.parameters), step.fingerprint] for step in steps]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _absent(plan: Plan, *, whole: bool, doubted: frozenset[Scope]) -> _Absent:
    policies = frozenset(tally.policy for tally in plan.tallies)
    complete = frozenset(s.scope for s in plan.scopes if s.status is ScopeStatus.COMPLETE) - doubted
    gaps = bool(doubted) or any(s.status is not ScopeStatus.COMPLETE for s in plan.scopes)
    return _Absent(
        policies,
        complete,
        dict(_by_id(plan.exempt)),
        frozenset(id_ for id_, _ in _by_id(plan.undecided)),
        gaps,
        whole,
    )


def _by_id(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, Verdict]]:
    for verdict in verdicts:
        yield finding_id(verdict.policy, verdict.subject.uid), verdict


@dataclass(frozen=True)
class _Absent:
    """What it means that a finding is not among those of a plan."""

    policies: frozenset[str]
    complete: frozenset[Scope]
    exempt: Mapping[str, Verdict]
    undecided: frozenset[str]
    gaps: bool
    whole: bool

    def __call__(self, record: FindingRecord) -> Sighting:
        if record.policy not in self.policies:
            return Cleared("its policy is not there any more") if self.whole else Unseen()
        if record.id in self.exempt:
            return Excused(self.exempt[record.id].summary)
        if record.id in self.undecided or not self._covered(record.subject):
            return Unseen()
        return Cleared("it is not a violation any more, or is gone")

    def _covered(self, subject: Subject) -> bool:
        """Return whether the run saw all of what the subject is part of."""
        if not subject.account:
            return not self.gaps
        return Scope(subject.account, subject.region, subject.kind) in self.complete
