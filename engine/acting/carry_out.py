"""
One finding's steps, carried out: look again, check, write the intent, act, look again, write the outcome.

INVARIANT: no call that changes anything is made before its intent is in the store under the lease, and every intent
gets its outcome from what is seen of the resource: here, or after a crash in `engine.acting.settle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.acting.action import UNFINISHED, ActError, Action, Effect, Ready, Refused, Target
from engine.acting.freeze import frozen
from engine.acting.outcomes import Intent, fail, given_up, intend, remember, succeed
from engine.acting.ports import Meant, Ports, Result, Sight, StepOutcome, Tenure
from engine.errors import CollectError
from engine.model import Resource
from engine.plan import Step
from engine.state import lifecycle
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord, FindingRecord, Held, Status, restored
from engine.state.store import Table


@dataclass(frozen=True, slots=True)
class Checked:
    """A step that can be done."""

    step: Step
    action: Action
    target: Target


@dataclass(frozen=True, slots=True)
class Stopped:
    """A step that cannot be done, and why."""

    step: Step
    result: Result
    reason: str


def carry_out(task: Task, ports: Ports, tenure: Tenure) -> tuple[StepOutcome, ...]:
    """
    Carry out the steps of `task` in order, up to the first that does not end well, and return how each ended.

    Whatever they end in is in the store by then.
    """
    try:
        sight = ports.look(task.finding.verdict.policy, task.finding.subject)
    except CollectError as error:
        # Nothing is known, so nothing is done and nothing is remembered: the next run looks again.
        reason = f"it could not be read again: {error.problems[0].message}"
        return tuple(StepOutcome(step, Result.STALE, reason) for step in task.steps)
    stale = next((why for step in task.steps if (why := staleness(step, sight))), "")
    if stale or sight.resource is None:
        now = ports.clock()
        remember(lifecycle.refused(task.held.record, now, stale), task.held, ports, tenure)
        return tuple(StepOutcome(step, Result.STALE, stale) for step in task.steps)
    ready, stopped = _checked(task, sight.resource, ports)
    if stopped is not None and stopped.result is Result.STALE:
        remember(lifecycle.refused(task.held.record, ports.clock(), stopped.reason), task.held, ports, tenure)
        return (StepOutcome(stopped.step, stopped.result, stopped.reason),)
    if stopped is not None:
        given_up(task.held, stopped.reason, retryable=stopped.result is Result.RETRYABLE, ports=ports, tenure=tenure)
        return (StepOutcome(stopped.step, stopped.result, stopped.reason),)
    if not ready:
        reason = "what it is for holds already"
        remember(lifecycle.done(task.held.record, ports.clock(), reason), task.held, ports, tenure)
        return tuple(StepOutcome(step, Result.SETTLED, reason) for step in task.steps)
    return _acted(ready, task.held, ports, tenure)


def staleness(step: Step | Meant, sight: Sight) -> str:
    """Return why `step` is not to be carried out on what is there now; nothing where it is."""
    if sight.resource is None:
        return "the resource is gone"
    fresh = next((s for s in sight.plan.steps if s.id == step.id), None)
    if fresh is not None:
        same = fresh.fingerprint == step.fingerprint
        return "" if same else "the resource or the policy changed since it was planned"
    withheld = next((w for w in sight.plan.withheld if w.remediation == step.remediation), None)
    if withheld is not None:
        return withheld.reason
    verdicts = (*sight.plan.undecided, *sight.plan.exempt)
    return f"{verdicts[0].outcome.value}: {verdicts[0].summary}" if verdicts else "it is not a violation any more"


def _checked(task: Task, resource: Resource, ports: Ports) -> tuple[list[Checked], Stopped | None]:
    """Return the steps that are to be done, or the first that must not be: then none is begun."""
    ready: list[Checked] = []
    for step in task.steps:
        found = _check(step, resource, task.held.record, ports)
        if isinstance(found, Stopped):
            return [], found
        if found is not None:
            ready.append(found)
    return ready, None


def _check(step: Step, resource: Resource, record: FindingRecord, ports: Ports) -> Checked | Stopped | None:
    """Return the step ready to be done, why it is not, or None where what it is for holds already."""
    action = ports.actions.get((step.remediation, step.subject.kind))
    if action is None:
        reason = f"`{step.remediation}` cannot be carried out on {step.subject.kind} by this release"
        return Stopped(step, Result.REFUSED, reason)
    target = Target(resource, dict(step.parameters), token=token_of(step, record))
    try:
        answer = action.check(target)
    except ActError as error:
        return Stopped(step, result_of(error), error.problems[0].message)
    match answer:
        case Refused(settled=True):
            return None
        case Refused(reason):
            return Stopped(step, Result.REFUSED, reason)
        case Ready(inverse, caution):
            if (caution or not step.reversible) and record.status is not Status.APPROVED:
                why = f"because this would be lost: {caution}" if caution else "as it cannot be undone"
                reason = f"it needs an approval, {why}"
                return Stopped(step, Result.REFUSED, reason)
            if caution and caution not in _told(record, ports):
                return Stopped(step, Result.STALE, f"the approval did not say that this would be lost: {caution}")
            return Checked(step, action, Target(resource, target.parameters, inverse, target.token))


def _told(record: FindingRecord, ports: Ports) -> Sequence[str]:
    """Return what people knew would be lost when they approved."""
    stored = ports.store.get(Table.APPROVAL, record.approval)
    return () if stored is None else restored(ApprovalRecord, stored).record.shown.lost


def token_of(step: Step, record: FindingRecord) -> str:
    """Return the idempotency token of a step in an episode: the same in every try, of at most 64 characters."""
    return f"bursar-{record.id}-{step.remediation.replace('_', '-')[:24]}-{record.episode}"


def _acted(
    ready: Sequence[Checked], finding: Held[FindingRecord], ports: Ports, tenure: Tenure
) -> tuple[StepOutcome, ...]:
    outcomes: list[StepOutcome] = []
    for checked in ready:
        # Reading and checking took a while, and so did the step before: the switch is looked at last.
        reason = frozen(ports.store)
        if reason:
            return (*outcomes, StepOutcome(checked.step, Result.REFUSED, reason))
        outcome, finding = _act(checked, finding, checked is ready[-1], ports, tenure)
        outcomes.append(outcome)
        if outcome.result is not Result.DONE:
            break
    return tuple(outcomes)


def _act(
    checked: Checked, finding: Held[FindingRecord], last: bool, ports: Ports, tenure: Tenure
) -> tuple[StepOutcome, Held[FindingRecord]]:
    """Do one step; return how it ended, with the finding's record as it stands then."""
    step, action, target = checked.step, checked.action, checked.target
    intent = intend(step, finding, target, last, ports, tenure)
    id_ = intent.action.record.id
    # A process that slept since may not be alone any more. The intent stays, and is settled by who came after.
    tenure.current()
    try:
        action.do(target)
    except ActError as error:
        return _erred(checked, intent, error, ports, tenure)
    effect = _seen(action, target)
    if effect is Effect.GONE:
        reason = "the resource was gone when it was looked at again"
        fail(intent, reason, retryable=False, ports=ports, tenure=tenure)
        return StepOutcome(step, Result.FAILED, reason, id_), intent.finding
    after = succeed(intent, finished=effect is Effect.DONE, ports=ports, tenure=tenure)
    return StepOutcome(step, Result.DONE if effect is Effect.DONE else Result.PENDING, "", id_), after


def _erred(
    checked: Checked, intent: Intent, error: ActError, ports: Ports, tenure: Tenure
) -> tuple[StepOutcome, Held[FindingRecord]]:
    """
    Write down what became of a step whose call failed; return how it ended, with the finding's record.

    A call that may go through later may have gone through already: a time-out says nothing. What is seen counts,
    and where nothing can be seen the intent is left to be settled.
    """
    step, id_ = checked.step, intent.action.record.id
    reason = error.problems[0].message
    if error.problems[0].code == UNFINISHED:
        fail(intent, reason, retryable=True, ports=ports, tenure=tenure, begun=True)
        return StepOutcome(step, Result.PENDING, reason, id_), intent.finding
    if error.retryable:
        try:
            effect = checked.action.verify(checked.target)
        except ActError:
            return StepOutcome(step, Result.RETRYABLE, reason, id_), intent.finding
        if effect in (Effect.DONE, Effect.PENDING):
            done = effect is Effect.DONE
            after = succeed(intent, finished=done, ports=ports, tenure=tenure, reason=f"seen although {reason}")
            return StepOutcome(step, Result.DONE if done else Result.PENDING, reason, id_), after
    fail(intent, reason, retryable=error.retryable, ports=ports, tenure=tenure)
    return StepOutcome(step, result_of(error), reason, id_), intent.finding


def _seen(action: Action, target: Target) -> Effect:
    """Return what is seen of an act that was accepted; where it cannot be looked at, the next run does."""
    try:
        return action.verify(target)
    except ActError:
        return Effect.PENDING


def result_of(error: ActError) -> Result:
    return Result.RETRYABLE if error.retryable else Result.FAILED
