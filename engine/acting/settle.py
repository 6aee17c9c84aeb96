"""
Intents without an outcome, settled by what is seen of their resources: the first thing every run does.

A run that died between its intent and its outcome either made its call or did not; `verify` tells. What has no
effect to be seen is not simply done again: its finding is due again, and is looked at afresh like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from engine.acting.action import ActError, Effect
from engine.acting.outcomes import Intent, fail, remember, succeed, target_of
from engine.acting.ports import Ports, Tenure
from engine.acting.undoing import concluded
from engine.state.lifecycle import done
from engine.state.records import ActionRecord, FindingRecord, Held, Progress, Status, restored
from engine.state.store import Table

PATIENCE = timedelta(hours=1)
"""How long an accepted act may take until its effect is there."""
AFTER_CRASH = "its outcome was seen after a run that ended early"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an intent that was found without an outcome."""

    action: ActionRecord
    effect: Effect | None
    """None where it cannot be looked at now."""
    reason: str = ""


def settle(ports: Ports, tenure: Tenure) -> Iterator[Settled]:
    """Settle every open intent, and yield what became of it."""
    for status in (Progress.INTENDED, Progress.PENDING):
        for stored in list(ports.store.scan(Table.ACTION, status.value)):
            yield _settled(restored(ActionRecord, stored), ports, tenure)
    for stored in list(ports.store.scan(Table.ACTION, Progress.UNDOING.value)):
        yield _undoing_settled(restored(ActionRecord, stored), ports, tenure)
    _release(ports, tenure)


def _undoing_settled(held: Held[ActionRecord], ports: Ports, tenure: Tenure) -> Settled:
    record = held.record
    action = ports.actions.get((record.remediation, record.subject.kind))
    if action is None:
        return Settled(record, None, f"`{record.remediation}` is not known to this release")
    try:
        effect = action.undone(target_of(record))
    except ActError as error:
        return Settled(record, None, error.problems[0].message)
    concluded(held, effect, ports, tenure)
    return Settled(record, effect)


def _settled(held: Held[ActionRecord], ports: Ports, tenure: Tenure) -> Settled:
    record = held.record
    stored = ports.store.get(Table.FINDING, record.finding)
    if stored is None:
        return Settled(record, None, "its finding is not in the store")
    intent = Intent(held, restored(FindingRecord, stored))
    action = ports.actions.get((record.remediation, record.subject.kind))
    if action is None:
        return Settled(record, None, f"`{record.remediation}` is not known to this release")
    try:
        effect = action.verify(target_of(record))
    except ActError as error:
        return Settled(record, None, error.problems[0].message)
    _conclude(intent, effect, ports, tenure)
    return Settled(record, effect)


def _conclude(intent: Intent, effect: Effect, ports: Ports, tenure: Tenure) -> None:
    record = intent.action.record
    fresh = record.status is Progress.INTENDED
    late = ports.clock() - record.intended > PATIENCE
    match effect:
        case Effect.DONE:
            succeed(intent, finished=True, ports=ports, tenure=tenure, reason=AFTER_CRASH if fresh else "")
        case Effect.PENDING if fresh:
            succeed(intent, finished=False, ports=ports, tenure=tenure, reason=AFTER_CRASH)
        case Effect.GONE:
            fail(intent, "the resource is gone", retryable=False, ports=ports, tenure=tenure)
        case Effect.ABSENT if fresh:
            fail(intent, "a run ended early and no effect is to be seen", retryable=True, ports=ports, tenure=tenure)
        case Effect.PENDING | Effect.ABSENT if late:
            fail(intent, "its effect did not show in an hour", retryable=True, ports=ports, tenure=tenure)
        case _:
            pass


def _release(ports: Ports, tenure: Tenure) -> None:
    """Let findings go on that were left between two of their steps: no intent of theirs is open."""
    busy = {
        stored.body["finding"]
        for status in (Progress.INTENDED, Progress.PENDING, Progress.UNDOING)
        for stored in ports.store.scan(Table.ACTION, status.value)
    }
    undone = {
        (stored.body["finding"], stored.body["episode"])
        for stored in ports.store.scan(Table.ACTION, Progress.UNDONE.value)
    }
    for stored in list(ports.store.scan(Table.FINDING, Status.ACTING.value)):
        held = restored(FindingRecord, stored)
        if held.record.id in busy:
            continue
        if (held.record.id, held.record.episode) in undone:
            remember(done(held.record, ports.clock(), "what was done was undone"), held, ports, tenure)
        else:
            _go_on(held, ports, tenure)


def _go_on(held: Held[FindingRecord], ports: Ports, tenure: Tenure) -> None:
    now = ports.clock()
    after = replace(
        held.record, status=Status.FAILED, since=now, retry=now, reason="some of its steps are still to be done"
    )
    remember(after, held, ports, tenure)
