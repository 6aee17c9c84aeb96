"""
Intents and outcomes, written to the store: each is one commit under the lease, with its entry in the ledger.

`engine.acting.carry_out`, `settle` and `undoing` decide; what they decided is written here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.acting.action import Target
from engine.acting.ports import Ports, Tenure
from engine.findings import Cost
from engine.model import Resource
from engine.plan import Step
from engine.state import lifecycle
from engine.state.ledger import Json, Note
from engine.state.reconcile import finding_note
from engine.state.records import ActionRecord, FindingRecord, Held, Progress, SavingRecord, Status, put, restored
from engine.state.store import Put, Table
from engine.values import Answer

NOTHING = Cost(Decimal(0), "another step of the finding ends its charges, or none does")


@dataclass(frozen=True, slots=True)
class Intent:
    """An act that is written down and whose outcome is not."""

    action: Held[ActionRecord]
    finding: Held[FindingRecord]


def intend(
    step: Step, finding: Held[FindingRecord], target: Target, last: bool, ports: Ports, tenure: Tenure
) -> Intent:
    """Write down that `step` is about to be done."""
    now = ports.clock()
    id_ = f"{step.id}.{finding.record.episode}"
    stored = ports.store.get(Table.ACTION, id_)
    before = None if stored is None else restored(ActionRecord, stored)
    savings = step.savings if step.saves else NOTHING
    known = savings if isinstance(savings, Cost) else None
    record = ActionRecord(
        id=id_,
        step=step.id,
        finding=finding.record.id,
        episode=finding.record.episode,
        policy=step.policy,
        remediation=step.remediation,
        subject=step.subject,
        status=Progress.INTENDED,
        token=target.token,
        run=ports.run,
        actor=ports.actor,
        intended=now,
        parameters=dict(step.parameters),
        inverse=dict(target.inverse),
        texts={name: value for name, value in target.resource.fields.items() if isinstance(value, str)},
        times={name: value for name, value in target.resource.fields.items() if isinstance(value, datetime)},
        reversible=step.reversible,
        hourly=None if known is None else known.hourly,
        basis="" if known is None else known.basis,
        last=last,
        attempts=1 if before is None else before.record.attempts + 1,
    )
    version = 0 if before is None else before.version
    puts = [put(record, version)]
    if finding.record.status is not Status.ACTING:
        finding = Held(lifecycle.intended(finding.record, now), finding.version + 1)
        puts.append(put(finding.record, finding.version - 1))
    note = Note(now, "action.intended", id_, ports.run, ports.actor, {**facts(record), "token": target.token})
    ports.store.commit(puts, [note], tenure.current())
    return Intent(Held(record, version + 1), finding)


def succeed(intent: Intent, *, finished: bool, ports: Ports, tenure: Tenure, reason: str = "") -> Held[FindingRecord]:
    """
    Write down that an act had its effect, or was accepted where it is not `finished`, and what it saves from now on.

    Returns the finding's record as it stands then: it is done with once its last step is.
    """
    now = ports.clock()
    progress = Progress.DONE if finished else Progress.PENDING
    record = replace(intent.action.record, status=progress, finished=now if finished else None, reason=reason)
    puts = [put(record, intent.action.version)]
    notes = [Note(now, f"action.{progress.value}", record.id, ports.run, ports.actor, facts(record))]
    finding = intent.finding
    if finished:
        puts += _saving(record, now, ports)
    if finished and record.last and finding.record.status is Status.ACTING:
        finding = Held(lifecycle.done(finding.record, now, reason), finding.version + 1)
        puts.append(put(finding.record, finding.version - 1))
        notes.append(finding_note(finding.record, now, ports.run, ports.actor))
    ports.store.commit(puts, notes, tenure.current())
    return finding


def _saving(record: ActionRecord, now: datetime, ports: Ports) -> list[Put]:
    """Return the saving that begins with an act; none for an act that saves nothing."""
    if record.hourly == Decimal(0):
        return []
    stored = ports.store.get(Table.SAVING, record.id)
    saving = SavingRecord(
        record.id, record.policy, record.subject, record.remediation, record.hourly, record.basis, since=now
    )
    return [put(saving, 0 if stored is None else stored.version)]


def fail(intent: Intent, reason: str, *, retryable: bool, ports: Ports, tenure: Tenure, begun: bool = False) -> None:
    """
    Write down that an act failed; it is tried again later where that makes sense.

    One that has `begun` well and takes several tries, such as a snapshot before a deletion, uses up no attempt.
    """
    now = ports.clock()
    record = replace(intent.action.record, status=Progress.FAILED, finished=now, reason=reason)
    puts = [put(record, intent.action.version)]
    notes = [Note(now, "action.failed", record.id, ports.run, ports.actor, facts(record))]
    if intent.finding.record.status is Status.ACTING:
        before = intent.finding.record
        counted = lifecycle.failed(before, now, reason, retryable=retryable)
        failed = lifecycle.unfinished(before, now, reason) if begun else counted
        puts.append(put(failed, intent.finding.version))
        notes.append(finding_note(failed, now, ports.run, ports.actor))
    ports.store.commit(puts, notes, tenure.current())


def given_up(finding: Held[FindingRecord], reason: str, *, retryable: bool, ports: Ports, tenure: Tenure) -> None:
    """Write down that nothing was begun, and that it failed for now or for this episode."""
    remember(lifecycle.failed(finding.record, ports.clock(), reason, retryable=retryable), finding, ports, tenure)


def remember(after: FindingRecord, before: Held[FindingRecord], ports: Ports, tenure: Tenure) -> None:
    """Write down what became of a finding."""
    note = finding_note(after, after.since, ports.run, ports.actor)
    ports.store.commit([put(after, before.version)], [note], tenure.current())


def facts(record: ActionRecord) -> Mapping[str, Json]:
    """Return what the ledger says of an act."""
    body: dict[str, Json] = {
        "policy": record.policy,
        "resource": record.subject.uid,
        "remediation": record.remediation,
    }
    return {**body, "reason": record.reason} if record.reason else body


def target_of(record: ActionRecord) -> Target:
    """Return an act's target by what its record keeps of the resource: nothing else of it is known now."""
    subject = record.subject
    fields: dict[str, Answer] = {**record.texts, **record.times}
    resource = Resource(subject.kind, subject.id, subject.account, subject.region, subject.name, fields)
    return Target(resource, dict(record.parameters), dict(record.inverse), record.token)
