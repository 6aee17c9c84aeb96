"""
A whole run over one plan: settle what is open, reconcile, warn, ask, act, remember.

`bursar run` and the Lambda handler call `begin`, make the plan, and call `proceed`; `bursar apply` calls `proceed`
with the plan of the resources in its file. Every change of state is in the store before the next begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.acting.agenda import Agenda, Blocked, Bounds, agenda
from engine.acting.breakers import Trip, doubted_scopes, figures_of, trips_of
from engine.acting.carry_out import carry_out
from engine.acting.cautions import cautions
from engine.acting.freeze import frozen
from engine.acting.keeping import keep_details, known_cost, known_savings
from engine.acting.outcomes import remember
from engine.acting.ports import FAILURES, LEASE, TTL, Ports, Result, Stale, StepOutcome, Tenure
from engine.acting.settle import Settled, settle
from engine.findings import Subject
from engine.plan import Plan
from engine.policy.model import RunLimits
from engine.state import lifecycle
from engine.state.approvals import ended, finding_after, question
from engine.state.ledger import Json, Note
from engine.state.lifecycle import Wish, advance, wish
from engine.state.reconcile import Change, Memory, Task, finding_note, reconcile, sighting_of
from engine.state.records import (
    ActionRecord,
    ApprovalRecord,
    Decision,
    ExemptionRecord,
    FindingRecord,
    Held,
    Progress,
    RunRecord,
    SnoozeRecord,
    Status,
    put,
    restored,
)
from engine.state.settings import Acceptance, Figures
from engine.state.store import ConflictError, Put, Store, Table


@dataclass(frozen=True)
class Rules:
    """What the installation says about acting, over any policy."""

    limits: RunLimits = field(default_factory=RunLimits)
    closed: Callable[[Subject], str] = lambda _subject: ""
    """Why a subject may not be acted on: its account is not listed. Nothing where it may."""


@dataclass(frozen=True)
class Report:
    """What a run did."""

    run: RunRecord
    plan: Plan
    warned: tuple[Task, ...] = ()
    asked: tuple[tuple[Task, ApprovalRecord], ...] = ()
    outcomes: tuple[StepOutcome, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    trips: tuple[Trip, ...] = ()
    settled: tuple[Settled, ...] = ()
    changes: tuple[Change, ...] = ()
    stale: tuple[Stale, ...] = ()
    """Steps of a plan file that are not to be done any more."""

    @property
    def held(self) -> bool:
        """Whether a limit, a breaker or the freeze held something back, or a step was stale."""
        return bool(self.blocked or self.stale) or any(
            o.result in (Result.STALE, Result.REFUSED) for o in self.outcomes
        )

    @property
    def failed(self) -> bool:
        return any(outcome.result in FAILURES for outcome in self.outcomes)


@dataclass
class Begun:
    """A run that holds the lease."""

    ports: Ports
    tenure: Tenure
    record: Held[RunRecord]
    settled: tuple[Settled, ...] = field(default=())


def begin(ports: Ports) -> Begun | None:
    """Take the lease, write down that the run began and settle what earlier ones left open; None while another runs."""
    now = ports.clock()
    lease = ports.store.acquire(LEASE, ports.run, TTL, now)
    if lease is None:
        return None
    tenure = Tenure(ports, lease)
    record = RunRecord(ports.run, now, actor=ports.actor)
    notes = [Note(now, "run.began", ports.run, ports.run, ports.actor)]
    ports.store.commit([put(record, 0), *_ended_early(ports.store, now)], notes, lease)
    begun = Begun(ports, tenure, Held(record, 1))
    if not frozen(ports.store):
        # Settling only looks, but what it concludes may let a finding be acted on again.
        begun.settled = tuple(settle(ports, tenure))
    return begun


def _ended_early(store: Store, now: datetime) -> list[Put]:
    """Return the ends of runs that did not live to write them: whoever holds the lease is the only one that runs."""
    held = [restored(RunRecord, stored) for stored in store.scan(Table.RUN, "running")]
    return [put(replace(one.record, status="failed", finished=now), one.version) for one in held]


def abandon(begun: Begun) -> None:
    """Give the lease back where a run cannot go on; what it has written stays, and the next run settles it."""
    begun.ports.store.release(begun.tenure.lease)


def proceed(begun: Begun, plan: Plan, rules: Rules, *, whole: bool = True, judged: Plan | None = None) -> Report:
    """
    Do what `plan` leads to, as far as everything allows, and write down that the run is over.

    The breakers look at `judged`, the plan of the whole estate, where `plan` is of some of its resources only.
    """
    ports, tenure = begun.ports, begun.tenure
    now = ports.clock()
    before = _figures(ports.store)
    memory = Memory(findings_of(ports.store), snoozes_of(ports.store))
    reconciled = reconcile(
        plan, memory, now, ports.run, whole=whole, doubted=doubted_scopes(plan, before.record if before else None)
    )
    lost = write(ports.store, reconciled.changes, tenure)
    keep_details(plan, ports.store, tenure)
    _expire(ports, tenure)
    waiting = [task for task in reconciled.tasks if task.held.record.id not in lost]
    warned, tasks = _warn(waiting, plan, ports, tenure)
    trips = trips_of(judged or plan, before.record if before else None, tasks, ports.clock(), ports.store.clock())
    standing = tuple(trip for trip in trips if not _accepted(ports.store, trip, now))
    bounds = Bounds(plan.holds, standing, rules.limits, frozen(ports.store), rules.closed, _recent(ports.store))
    chosen = agenda(tasks, bounds, now)
    asked = tuple(_ask(chosen, ports, tenure))
    outcomes, stopped = _act(chosen, begun)
    report = Report(
        begun.record.record,
        plan,
        warned,
        asked,
        outcomes,
        (*chosen.blocked, *stopped),
        standing,
        begun.settled,
        reconciled.changes,
    )
    if whole:
        _keep_figures(plan, before, standing, ports, tenure)
    return _finished(begun, report, ports, tenure)


# --- memory --------------------------------------------------------------------------------------


def findings_of(store: Store) -> Mapping[str, Held[FindingRecord]]:
    """Return what is remembered of every finding, by its id."""
    held = (restored(FindingRecord, stored) for stored in store.scan(Table.FINDING))
    return {one.record.id: one for one in held}


def snoozes_of(store: Store) -> Mapping[str, SnoozeRecord]:
    """Return the snoozes that were not ended by hand, by finding."""
    held = (restored(SnoozeRecord, stored) for stored in store.scan(Table.SNOOZE, "active"))
    return {one.record.finding: one.record for one in held}


def write(store: Store, changes: Sequence[Change], tenure: Tenure) -> frozenset[str]:
    """
    Write `changes`, in batches of what the store takes at once; return the ids of those that were not written.

    Somebody who votes at this moment is faster by right: his finding is left as he made it, and the next run goes on.
    """
    size = max(1, store.batch // 2)
    lost: frozenset[str] = frozenset()
    for start in range(0, len(changes), size):
        batch = [change for change in changes[start : start + size] if change.held.record.id not in lost]
        while batch:
            puts = [put(change.held.record, change.held.version) for change in batch]
            try:
                store.commit(puts, [change.note for change in batch], tenure.current())
                break
            except ConflictError:
                moved = _moved_since(store, puts)
                if not moved:
                    raise
                lost |= moved
                batch = [change for change in batch if change.held.record.id not in moved]
    return lost


def _moved_since(store: Store, puts: Sequence[Put]) -> frozenset[str]:
    """Return the keys of those of `puts` that were made from a version that is not there."""
    there = {one.key: store.get(one.table, one.key) for one in puts}
    return frozenset(one.key for one in puts if (found.version if (found := there[one.key]) else 0) != one.expected)


def _figures(store: Store) -> Held[Figures] | None:
    stored = store.get(Table.SETTING, Figures.NAME)
    return None if stored is None else restored(Figures, stored)


def _accepted(store: Store, trip: Trip, now: datetime) -> bool:
    stored = store.get(Table.SETTING, f"accepted:{trip.breaker}")
    return stored is not None and restored(Acceptance, stored).record.until > now


def _recent(store: Store) -> Mapping[str, ActionRecord]:
    """Return the last act that had an effect, or that a person undid, by subject."""
    found: dict[str, ActionRecord] = {}
    for status in (Progress.DONE, Progress.PENDING, Progress.UNDOING, Progress.UNDONE):
        for stored in store.scan(Table.ACTION, status.value):
            record = restored(ActionRecord, stored).record
            last = found.get(record.subject.uid)
            if last is None or record.intended > last.intended:
                found[record.subject.uid] = record
    return found


# --- warning and asking --------------------------------------------------------------------------


def _warn(tasks: Sequence[Task], plan: Plan, ports: Ports, tenure: Tenure) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """
    Warn of what waits for it; return what was delivered, and all tasks as they stand then.

    A finding whose grace is nothing is due at once, but never without its warning.
    """
    waiting = [task for task in tasks if task.wish is Wish.WARN]
    others = [task for task in tasks if task.wish is not Wish.WARN]
    if not waiting:
        return (), tuple(tasks)
    now = ports.clock()
    delivered = ports.teller.warn(waiting, now)
    warned = tuple(task for task in waiting if task.finding.id in delivered)
    changes: list[Change] = []
    moved: list[Task] = []
    for task in warned:
        sighting = sighting_of(task.finding, task.steps, plan.max_mode)
        told = lifecycle.warned(task.held.record, sighting, now)
        changes.append(Change(Held(told, task.held.version), finding_note(told, now, ports.run, ports.actor)))
        version = task.held.version + 1
        after = advance(told, sighting, now)
        if after is not told:
            changes.append(Change(Held(after, version), finding_note(after, now, ports.run, ports.actor)))
            version += 1
        moved.append(Task(task.finding, task.steps, Held(after, version), wish(after, sighting)))
    lost = write_in_order(ports.store, changes, tenure)
    going_on = (task for task in moved if task.wish is not Wish.NOTHING and task.held.record.id not in lost)
    return warned, (*others, *going_on)


def write_in_order(store: Store, changes: Sequence[Change], tenure: Tenure) -> frozenset[str]:
    """Write `changes` where one record may change twice: its second change in a later commit. As `write`."""
    rest = list(changes)
    lost: frozenset[str] = frozenset()
    while rest:
        first: dict[str, Change] = {}
        later: list[Change] = []
        for change in rest:
            if change.held.record.id in first:
                later.append(change)
            else:
                first[change.held.record.id] = change
        lost |= write(store, tuple(first.values()), tenure)
        rest = [change for change in later if change.held.record.id not in lost]
    return lost


def _ask(chosen: Agenda, ports: Ports, tenure: Tenure) -> Iterator[tuple[Task, ApprovalRecord]]:
    """Ask for approvals: the question is in the store before it is sent, and only a sent one waits for an answer."""
    for task in chosen.ask:
        now = ports.clock()
        approval = question(task.finding, task.steps, task.held.record, now, ports.actor)
        stored = ports.store.get(Table.APPROVAL, approval.id)
        if stored is None:
            approval = replace(approval, shown=replace(approval.shown, lost=tuple(cautions(task, ports))))
            note = Note(now, "approval.asked", approval.id, ports.run, ports.actor, {"finding": approval.finding})
            ports.store.commit([put(approval, 0)], [note], tenure.current())
        else:
            # A run ended early after it had written the question down: people may have seen and decided it.
            approval = restored(ApprovalRecord, stored).record
        open_ = approval.status is Decision.PENDING and now < approval.expires
        if open_ and not ports.teller.ask(approval, task):
            continue
        after = lifecycle.asked(task.held.record, approval.id, approval.fingerprint, now)
        note = finding_note(after, now, ports.run, ports.actor, approval=approval.id)
        try:
            ports.store.commit([put(after, task.held.version)], [note], tenure.current())
        except ConflictError:
            # Somebody changed the finding this very moment: the next run sees how it stands.
            continue
        yield task, approval
    _catch_up(ports, tenure)


def _catch_up(ports: Ports, tenure: Tenure) -> None:
    """Let findings follow approvals that were decided before they waited for them."""
    now = ports.clock()
    for stored in list(ports.store.scan(Table.FINDING, Status.PENDING.value)):
        held = restored(FindingRecord, stored)
        found = ports.store.get(Table.APPROVAL, held.record.approval)
        if found is None:
            continue
        approval = restored(ApprovalRecord, found).record
        after = finding_after(held.record, approval, now)
        if approval.status is Decision.SUPERSEDED:
            after = lifecycle.answered(held.record, Status.EXPIRED, now, approval.reason)
        if after is not held.record:
            try:
                remember(after, held, ports, tenure)
            except ConflictError:
                # The vote itself was written this very moment, and its finding with it.
                continue


def _expire(ports: Ports, tenure: Tenure) -> None:
    """End approvals that nobody decided in time, and those whose finding has gone on without them."""
    now = ports.clock()
    for stored in list(ports.store.scan(Table.APPROVAL, Decision.PENDING.value)):
        held = restored(ApprovalRecord, stored)
        found = ports.store.get(Table.FINDING, held.record.finding)
        finding = None if found is None else restored(FindingRecord, found)
        waits = (
            finding is not None
            and finding.record.status is Status.PENDING
            and finding.record.approval == held.record.id
        )
        if finding is not None and waits and now >= held.record.expires:
            _end(held, finding, Decision.EXPIRED, "nobody decided in time", ports, tenure)
        elif not waits and finding is not None and finding.record.status is not Status.DUE:
            _end(held, None, Decision.SUPERSEDED, "the finding has changed or is over", ports, tenure)


def _end(
    held: Held[ApprovalRecord],
    finding: Held[FindingRecord] | None,
    decision: Decision,
    reason: str,
    ports: Ports,
    tenure: Tenure,
) -> None:
    now = ports.clock()
    puts: list[Put] = [put(ended(held.record, decision, now, reason), held.version)]
    body: dict[str, Json] = {"finding": held.record.finding, "reason": reason}
    notes = [Note(now, f"approval.{decision.value}", held.record.id, ports.run, ports.actor, body)]
    if finding is not None:
        after = lifecycle.answered(finding.record, Status.EXPIRED, now, reason)
        puts.append(put(after, finding.version))
        notes.append(finding_note(after, now, ports.run, ports.actor))
    try:
        ports.store.commit(puts, notes, tenure.current())
    except ConflictError:
        # Somebody decided this very moment: that counts, and the next run sees it.
        return


# --- acting --------------------------------------------------------------------------------------


def _act(chosen: Agenda, begun: Begun) -> tuple[tuple[StepOutcome, ...], tuple[Blocked, ...]]:
    """Carry out what may be done, one finding after the other; before each, people and the machine are listened to."""
    ports, tenure = begun.ports, begun.tenure
    outcomes: list[StepOutcome] = []
    blocked: list[Blocked] = []
    for task in chosen.act:
        reason = frozen(ports.store) or ports.stopping() or _excused_since(task, begun, ports.clock())
        if reason:
            blocked.append(Blocked(task, reason))
            continue
        try:
            outcomes += carry_out(task, ports, tenure)
        except ConflictError:
            blocked.append(Blocked(task, "somebody changed its state at this moment"))
    return tuple(outcomes), tuple(blocked)


def _excused_since(task: Task, begun: Begun, now: datetime) -> str:
    """Return why `task` may not be carried out by what people said since the run began; nothing where it may."""
    store = begun.ports.store
    stored = store.get(Table.SNOOZE, task.finding.id)
    if stored is not None:
        snooze = restored(SnoozeRecord, stored).record
        if snooze.status == "active" and now < snooze.until:
            return f"it was snoozed by {snooze.by}"
    for one in store.scan(Table.EXEMPTION, "active"):
        exemption = restored(ExemptionRecord, one).record
        if now < exemption.expires and _may_excuse(exemption, task, begun.record.record.began):
            return f"it is exempt, or may be: {exemption.owner} answers for it"
    return ""


def _may_excuse(exemption: ExemptionRecord, task: Task, began: datetime) -> bool:
    """Return whether an exemption is about `task`; one with a condition may be where the plan cannot know of it."""
    if exemption.finding:
        return exemption.finding == task.finding.id
    named = not exemption.policies or task.finding.verdict.policy in exemption.policies
    return named and (not exemption.where or exemption.created >= began)


# --- the end -------------------------------------------------------------------------------------


def _keep_figures(
    plan: Plan, before: Held[Figures] | None, trips: Sequence[Trip], ports: Ports, tenure: Tenure
) -> None:
    """Remember the figures of a calm run; nothing is written where they are the same."""
    after = figures_of(plan, before.record if before else None, trips)
    if before is not None and replace(after, at=before.record.at) == before.record:
        return
    ports.store.commit([put(after, before.version if before else 0)], (), tenure.current())


def _finished(begun: Begun, report: Report, ports: Ports, tenure: Tenure) -> Report:
    now = ports.clock()
    record = replace(
        begun.record.record,
        finished=now,
        status="failed" if report.failed else "held" if report.blocked or report.trips else "done",
        policies=report.plan.policies,
        estate=report.plan.estate,
        findings=len(report.plan.findings),
        undecided=len(report.plan.undecided),
        resources=report.plan.resources,
        cost=known_cost(report.plan),
        savings=known_savings(report.plan),
        warned=len(report.warned),
        asked=len(report.asked),
        acted=sum(o.result in (Result.DONE, Result.PENDING) for o in report.outcomes),
        failed=sum(o.result in FAILURES for o in report.outcomes),
        held=tuple(sorted({f"{b.task.finding.verdict.policy}: {b.reason}" for b in report.blocked})),
        gaps=tuple(str(gap.scope) for gap in report.plan.gaps),
    )
    note = Note(now, "run.finished", ports.run, ports.run, ports.actor, {"status": record.status})
    ports.store.commit([put(record, begun.record.version)], [note], tenure.current())
    ports.store.release(tenure.lease)
    return replace(report, run=record)
