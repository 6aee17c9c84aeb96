"""What of a run is worth a message: what was done, what failed, and what holds runs back and did not before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bursar.render.money import amount, monthly, total
from bursar.render.text import counted
from engine.acting.ports import ACTED, FAILURES, Result, StepOutcome
from engine.acting.run import Report
from engine.acting.undoing import Undone
from engine.state.records import put, restored
from engine.state.settings import Told
from engine.state.store import ConflictError, Store, Table

NOT_READ = "not read: "
WORDS = {
    Result.DONE: "done",
    Result.PENDING: "under way",
    Result.STALE: "not begun",
    Result.REFUSED: "refused",
    Result.RETRYABLE: "failed, tried again later",
    Result.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step ended, in words. `name` is what somebody called the resource."""

    name: str
    what: str
    failed: bool
    undo: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in words. Names, and reasons that quote them, are what somebody chose: who renders makes them harmless."""

    run: str
    title: str
    outcomes: tuple[Outcome, ...] = ()
    troubles: tuple[str, ...] = ()
    """What holds it back: limits, breakers, the freeze, scopes that could not be read."""
    over: tuple[str, ...] = ()
    """What held the last runs back and does not any more."""


def summary_of(report: Report, before: Sequence[str]) -> Summary | None:
    """Return what is to be told of a run; None where nothing happened that was not told `before`."""
    undone = [_undone(one.undone, one.asked.by) for one in report.undone if one.undone is not None]
    outcomes = (*undone, *(_outcome(one) for one in report.outcomes if one.result in WORDS))
    troubles = troubles_of(report)
    known, now = {_key(one) for one in before}, {_key(one) for one in troubles}
    fresh = tuple(trouble for trouble in troubles if _key(trouble) not in known)
    over = tuple(trouble for trouble in before if _key(trouble) not in now)
    if not (outcomes or fresh or over):
        return None
    return Summary(report.run.id, _title(report), outcomes, fresh, over)


def troubles_of(report: Report) -> tuple[str, ...]:
    """Return what holds the run back."""
    return tuple(dict.fromkeys(_troubles(report)))


def _key(trouble: str) -> str:
    """Return what of a trouble stays the same as long as it lasts: figures and what the provider says of it do not."""
    told = trouble.partition(" (")[0] if trouble.startswith(NOT_READ) else trouble
    return re.sub(r"[0-9][0-9,.:%]*", "#", told)


def told_before(store: Store) -> tuple[str, ...]:
    """Return the troubles that people were last told of."""
    stored = store.get(Table.SETTING, Told.NAME)
    return () if stored is None else restored(Told, stored).record.troubles


def remember_told(store: Store, troubles: Sequence[str], now: datetime) -> None:
    """Remember that people were told of `troubles`."""
    stored = store.get(Table.SETTING, Told.NAME)
    if stored is None and not troubles:
        return
    if stored is not None and restored(Told, stored).record.troubles == tuple(troubles):
        return
    try:
        store.commit([put(Told(tuple(troubles), now), stored.version if stored else 0)])
    except ConflictError:
        # Another run told people at the same time; at worst they hear it twice.
        return


def _troubles(report: Report) -> Iterator[str]:
    for trip in report.trips:
        where = " ".join(part for part in (trip.policy, trip.account) if part)
        yield f"breaker {trip.breaker}{f' ({where})' if where else ''}: {_steady(trip.why)}"
    for policy in sorted({f"{one.task.finding.verdict.policy}: {one.reason}" for one in report.blocked}):
        yield f"held: {policy}"
    for gap in report.plan.gaps:
        yield f"{NOT_READ}{gap.scope} ({gap.detail or gap.status.value})"


def _steady(text: str) -> str:
    """Return one line of at most 300 characters."""
    return " ".join(text.split())[:300]


def _title(report: Report) -> str:
    acted = [one for one in report.outcomes if one.result in ACTED]
    failed = sum(one.result in FAILURES for one in report.outcomes)
    parts = []
    undone = sum(one.undone is not None and one.undone.result in ACTED for one in report.undone)
    if undone:
        parts.append(f"{counted(undone, 'step')} undone")
    if acted:
        sum_, exact, _ = total(one.step.savings for one in acted)
        saved = f", {amount(sum_, exact=exact)} a month saved" if sum_ else ""
        parts.append(f"{counted(len(acted), 'step')} carried out{saved}")
    if failed:
        parts.append(f"{counted(failed, 'step')} failed")
    if report.blocked:
        parts.append(f"{counted(len(report.blocked), 'finding')} held")
    if report.plan.gaps:
        parts.append(f"{counted(len(report.plan.gaps), 'scope')} not read")
    return "; ".join(parts) or "nothing is held any more"


def _outcome(one: StepOutcome) -> Outcome:
    why = f": {one.reason}" if one.reason else ""
    saved = f", {monthly(one.step.savings)} a month" if one.result in ACTED else ""
    undo = one.action if one.result in ACTED and one.step.reversible else ""
    what = f"{one.step.title}: {WORDS[one.result]}{why}{saved}"
    return Outcome(one.step.subject.name or one.step.subject.id, what, one.result in FAILURES, undo)


def _undone(one: Undone, by: str) -> Outcome:
    word = {Result.DONE: "undone", Result.PENDING: "being undone"}.get(one.result, f"not undone: {one.reason}")
    name = one.action.subject.name or one.action.subject.id
    return Outcome(name, f"{one.action.remediation}: {word}, as {by} asked", one.result in FAILURES)


def lines_of(summary: Summary) -> Iterable[str]:
    """Yield a summary as plain lines."""
    for outcome in summary.outcomes:
        yield f"{outcome.name}: {outcome.what}" + (f" (bursar undo {outcome.undo})" if outcome.undo else "")
    yield from summary.troubles
    yield from (f"over: {one}" for one in summary.over)
