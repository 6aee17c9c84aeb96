"""
A whole run over one plan: settle what is open, reconcile, warn, ask, act, remember.

`bursar run` and the Lambda handler call `begin` and `take_back`, make the plan, and call `proceed`; `bursar apply`
calls `begin` and `proceed` with the plan of the resources in its file. Every change of state is in the store before
the next begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.acting.agenda import Agenda, Blocked, Bounds, agenda
from engine.acting.asking import ask, expire, warn
from engine.acting.breakers import Trip, doubted_scopes, figures_of, trips_of
from engine.acting.carry_out import carry_out
from engine.acting.freeze import frozen
from engine.acting.keeping import keep_details, known_cost, known_savings
from engine.acting.memory import accepted, figures_kept, findings_of, recent_acts, snoozes_of, write
from engine.acting.ports import FAILURES, LEASE, TTL, Ports, Result, Stale, StepOutcome, Tenure
from engine.acting.settle import Settled, settle
from engine.acting.undo_asked import Answered, undo_asked
from engine.findings import Subject
from engine.plan import Plan
from engine.policy.model import RunLimits
from engine.state.ledger import Note
from engine.state.reconcile import Change, Memory, Task, reconcile
from engine.state.records import (
    ApprovalRecord,
    ExemptionRecord,
    Held,
    RunRecord,
    SnoozeRecord,
    Tripped,
    put,
    restored,
)
from engine.state.settings import Figures
from engine.state.store import ConflictError, Put, Store, Table


@dataclass(frozen=True)
class Rules:
    """What the installation says about acting, over any policy."""

    limits: RunLimits = field(default_factory=RunLimits)
    closed: Callable[[Subject], str] = lambda _subject: ""
    """Why a subject may not be acted on: its account is not listed. Nothing where it may."""
    unasked: Callable[[str], str] = lambda _policy: ""
    """Why nobody may be asked for an approval of what a policy wants. Nothing where somebody may."""


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
    undone: tuple[Answered, ...] = ()
    """Acts that somebody asked to undo."""
    changes: tuple[Change, ...] = ()
    stale: tuple[Stale, ...] = ()
    """Steps of a plan file that are not to be done any more."""
    untold: tuple[Task, ...] = ()
    """Findings whose warning or question did not reach anybody; the next run says it again."""

    @property
    def held(self) -> bool:
        """Whether a limit, a breaker or the freeze held something back, or a step was stale."""
        return bool(self.blocked or self.stale) or any(
            o.result in (Result.STALE, Result.REFUSED) for o in self.outcomes
        )

    @property
    def failed(self) -> bool:
        """Whether an act or an undoing failed, or people could not be told."""
        acts = any(outcome.result in FAILURES for outcome in self.outcomes)
        return acts or any(one.failed for one in self.undone) or bool(self.untold)


@dataclass
class Begun:
    """A run that holds the lease."""

    ports: Ports
    tenure: Tenure
    record: Held[RunRecord]
    settled: tuple[Settled, ...] = field(default=())
    undone: tuple[Answered, ...] = field(default=())


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


def take_back(begun: Begun) -> None:
    """Undo what somebody asked to undo."""
    begun.undone = tuple(undo_asked(begun.ports, begun.tenure))


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
    before = figures_kept(ports.store)
    memory = Memory(findings_of(ports.store), snoozes_of(ports.store))
    reconciled = reconcile(
        plan, memory, now, ports.run, whole=whole, doubted=doubted_scopes(plan, before.record if before else None)
    )
    lost = write(ports.store, reconciled.changes, tenure)
    keep_details(plan, ports.store, tenure)
    expire(ports, tenure)
    waiting = [task for task in reconciled.tasks if task.held.record.id not in lost]
    warned = warn(waiting, plan, ports, tenure)
    tasks = warned.tasks
    trips = trips_of(judged or plan, before.record if before else None, tasks, ports.clock(), ports.store.clock())
    standing = tuple(trip for trip in trips if not accepted(ports.store, trip, now))
    bounds = Bounds(
        plan.holds,
        standing,
        rules.limits,
        frozen(ports.store),
        rules.closed,
        rules.unasked,
        recent_acts(ports.store),
    )
    chosen = agenda(tasks, bounds, now)
    asked = ask(chosen, ports, tenure)
    outcomes, stopped = _act(chosen, begun)
    report = Report(
        begun.record.record,
        plan,
        warned.told,
        asked.told,
        outcomes,
        (*chosen.blocked, *stopped),
        standing,
        begun.settled,
        begun.undone,
        reconciled.changes,
        untold=(*warned.untold, *asked.untold),
    )
    if whole:
        _keep_figures(plan, before, standing, ports, tenure)
    return _finished(begun, report, ports, tenure)


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
        failed=sum(o.result in FAILURES for o in report.outcomes) + sum(one.failed for one in report.undone),
        held=tuple(sorted({f"{b.task.finding.verdict.policy}: {b.reason}" for b in report.blocked})),
        trips=tuple(Tripped(trip.breaker, trip.why, trip.policy, trip.account) for trip in report.trips),
        gaps=tuple(str(gap.scope) for gap in report.plan.gaps),
    )
    note = Note(now, "run.finished", ports.run, ports.run, ports.actor, {"status": record.status})
    ports.store.commit([put(record, begun.record.version)], [note], tenure.current())
    ports.store.release(tenure.lease)
    return replace(report, run=record)
