"""What a run is to do with the findings that wait for something, and what holds them back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.acting.breakers import Trip
from engine.findings import Cost, Subject
from engine.plan import Hold
from engine.policy.model import RunLimits
from engine.state.lifecycle import COOL_DOWN, Wish
from engine.state.reconcile import Task
from engine.state.records import ActionRecord, Progress


@dataclass(frozen=True, slots=True)
class Blocked:
    """A finding that may not go on yet, and why."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Agenda:
    """The tasks of a run."""

    warn: tuple[Task, ...]
    ask: tuple[Task, ...]
    act: tuple[Task, ...]
    blocked: tuple[Blocked, ...]


@dataclass(frozen=True)
class Bounds:
    """What holds tasks back."""

    holds: tuple[Hold, ...] = ()
    trips: tuple[Trip, ...] = ()
    limits: RunLimits = field(default_factory=RunLimits)
    frozen: str = ""
    """Why nothing may be done at all; empty where it may."""
    closed: Callable[[Subject], str] = lambda _subject: ""
    """Why a subject may not be acted on whatever the policy: its account is not listed."""
    unasked: Callable[[str], str] = lambda _policy: ""
    """Why nobody may be asked about what the policy of that name wants: who wrote it is not known, and has to be."""
    recent: Mapping[str, ActionRecord] = field(default_factory=dict)
    """The last act on each subject, by its uid."""


def agenda(tasks: Iterable[Task], bounds: Bounds, now: datetime) -> Agenda:
    """Return what is to be done of `tasks` now. Warnings are never held back."""
    warn: list[Task] = []
    free: list[Task] = []
    blocked: list[Blocked] = []
    for task in tasks:
        if task.wish is Wish.WARN:
            warn.append(task)
            continue
        reason = _reason(task, bounds, now)
        if reason:
            blocked.append(Blocked(task, reason))
        else:
            free.append(task)
    acts = [task for task in free if task.wish is Wish.ACT]
    over = "; ".join(_exceeded(acts, bounds.limits))
    if over:
        blocked += [Blocked(task, over) for task in acts]
        acts = []
    asks = tuple(task for task in free if task.wish is Wish.ASK)
    return Agenda(tuple(warn), asks, tuple(acts), tuple(blocked))


def _reason(task: Task, bounds: Bounds, now: datetime) -> str:
    """Return why `task` may not go on, or nothing where it may."""
    subject = task.finding.subject
    if bounds.frozen:
        return bounds.frozen
    held = [hold for hold in bounds.holds if hold.policy == task.finding.verdict.policy]
    if held:
        return f"{held[0].limit} is {held[0].allowed}, this would be {held[0].wanted}"
    tripped = [trip for trip in bounds.trips if trip.holds(task)]
    if tripped:
        return f"{tripped[0].breaker}: {tripped[0].why}"
    if task.wish is Wish.ASK and not (task.steps and task.steps[0].approval):
        return "an approval is needed, and its policy does not say whose"
    unasked = bounds.unasked(task.finding.verdict.policy) if task.wish is Wish.ASK else ""
    if unasked:
        return unasked
    last = bounds.recent.get(subject.uid)
    if last is not None and not _goes_on(task, last) and now < (last.finished or last.intended) + COOL_DOWN:
        when = last.finished or last.intended
        return f"it was acted on at {when:%Y-%m-%d %H:%M} UTC ({last.remediation}), and is left alone for a day"
    return bounds.closed(subject)


def _goes_on(task: Task, last: ActionRecord) -> bool:
    """Return whether `last` was a step of this very episode, behind which another one follows."""
    own = (task.held.record.id, task.held.record.episode) == (last.finding, last.episode)
    return own and not last.last and last.status in (Progress.DONE, Progress.PENDING)


def _exceeded(acts: Sequence[Task], limits: RunLimits) -> Iterator[str]:
    """Yield the limits of the run that `acts` would exceed together."""
    if len(acts) > limits.max_actions:
        yield f"max_actions of a run is {limits.max_actions}, this would be {len(acts)}"
    per: dict[str, int] = {}
    for task in acts:
        per[task.finding.subject.account] = per.get(task.finding.subject.account, 0) + 1
    for account, count in sorted(per.items()):
        if count > limits.max_actions_per_account:
            yield f"max_actions_per_account is {limits.max_actions_per_account}, account {account} would have {count}"
    if limits.max_cost_impact is not None:
        known = [task.finding.savings for task in acts if isinstance(task.finding.savings, Cost)]
        total = sum((cost.monthly for cost in known), Decimal(0))
        if total > limits.max_cost_impact or len(known) < len(acts):
            unpriced = f" and {len(acts) - len(known)} without a known price" if len(known) < len(acts) else ""
            allowed = f"${limits.max_cost_impact:,.0f}/mo"
            yield f"max_cost_impact of a run is {allowed}, this would be ${total:,.0f}/mo{unpriced}"
