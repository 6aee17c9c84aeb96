"""
What operators decide by hand, written to the state with its entry in the ledger.

The command line and the web page come here. Each takes one commit. Nobody's decision is lost: where two write at
once, the second is told and tries again. The same said twice, as by a double click, is said once.

`by` is who decides, if not whoever sits at the command line. `seen` is the version of what the person decided over, 0
where there was nothing: where it is another one by now, `ConflictError` is raised and nothing is written.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from bursar.identity import user_of_process
from engine.acting.breakers import NAMES
from engine.acting.freeze import freeze_of
from engine.acting.undo_asked import HOLDS
from engine.acting.undoing import refusal
from engine.errors import ConfigError, did_you_mean
from engine.state.ledger import Json, Note
from engine.state.records import (
    ActionRecord,
    ExemptionRecord,
    FindingRecord,
    Held,
    Kept,
    SnoozeRecord,
    Status,
    UndoRecord,
    put,
    restored,
)
from engine.state.settings import Acceptance, Freeze
from engine.state.store import ConflictError, StateError, Store, Stored, Table

LONGEST_SNOOZE = timedelta(days=30)
LONGEST_EXEMPTION = timedelta(days=366)
SHORTEST = 6
"""So many characters of a finding's id are enough to name it."""
TRIES = 10
AGAIN = timedelta(minutes=1)
"""The same, said again within this time, is the same."""


def person() -> str:
    """Return who sits at the command line."""
    return f"user:{user_of_process()}"


def set_freeze(
    store: Store, *, frozen: bool, reason: str, now: datetime, by: str = "", seen: int | None = None
) -> Freeze:
    """Stop all acting, or let it go on."""
    record = Freeze(frozen, by or person(), now, reason)
    kind = "freeze.set" if frozen else "freeze.lifted"
    return _write(store, record, Note(now, kind, "freeze", actor=record.by, body={"reason": reason}), seen)


@dataclass(frozen=True, slots=True)
class Excuse:
    """What is to be exempt: one finding, those of some policies, or those of resources for which a condition holds."""

    owner: str
    """Who answers for it."""
    reason: str
    expires: datetime
    finding: str = ""
    policies: tuple[str, ...] = ()
    where: str = ""


def exempt(store: Store, excuse: Excuse, now: datetime, by: str = "") -> ExemptionRecord:
    """
    Make an exemption. The same one, made twice, is one.

    Raises:
        ConfigError: it would be about everything, or would never end.
    """
    if not (excuse.finding or excuse.policies or excuse.where):
        raise ConfigError.of("usage", "this would exempt everything", where="exempt", hint="name a finding or a policy")
    if not now < excuse.expires <= now + LONGEST_EXEMPTION:
        hint = "give a date within a year"
        raise ConfigError.of("usage", f"it would end on {excuse.expires:%Y-%m-%d}", where="--expires", hint=hint)
    known = finding_meant(store, excuse.finding).id if excuse.finding else ""
    body: dict[str, Json] = {"owner": excuse.owner, "reason": excuse.reason, "expires": excuse.expires.isoformat(),
                             "finding": known, "policies": list(excuse.policies), "where": excuse.where}  # fmt: skip
    record = ExemptionRecord(
        hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12],
        excuse.owner,
        excuse.reason,
        excuse.expires,
        now,
        excuse.policies,
        excuse.where,
        known,
    )
    return _write(store, record, Note(now, "exemption.made", record.id, actor=by or person(), body=body))


def withdraw(store: Store, id_: str, now: datetime, by: str = "") -> ExemptionRecord:
    """End an exemption before its time."""
    stored = store.get(Table.EXEMPTION, id_)
    if stored is None:
        raise ConfigError.of("not-found", f"there is no exemption `{id_}`", where="exempt")
    record = replace(restored(ExemptionRecord, stored).record, status="withdrawn")
    body: dict[str, Json] = {"finding": record.finding} if record.finding else {}
    return _write(store, record, Note(now, "exemption.withdrawn", id_, actor=by or person(), body=body))


def snooze(store: Store, finding: str, length: timedelta, reason: str, now: datetime, by: str = "") -> SnoozeRecord:
    """Let a finding rest for a while."""
    if length > LONGEST_SNOOZE:
        hint = "an exemption has an owner and may last for a year: `bursar exempt`"
        raise ConfigError.of("usage", "a finding is snoozed for 30 days at most", where="--for", hint=hint)
    by = by or person()
    known = finding_meant(store, finding)
    record = SnoozeRecord(known.id, now + length, by, reason)
    body: dict[str, Json] = {"until": record.until.isoformat(), **({"reason": reason} if reason else {})}
    return _write(store, record, Note(now, "finding.snooze", known.id, actor=by, body=body))


def accept(
    store: Store, breaker: str, length: timedelta, reason: str, now: datetime, by: str = "", seen: int | None = None
) -> Acceptance:
    """Let a breaker pass for a while."""
    if breaker not in NAMES:
        hint = did_you_mean(breaker, NAMES) or f"there are {', '.join(NAMES)}"
        raise ConfigError.of("not-found", f"there is no breaker `{breaker}`", where="accept", hint=hint)
    record = Acceptance(breaker, by or person(), now, now + length, reason)
    body: dict[str, Json] = {"until": record.until.isoformat(), "reason": reason}
    return _write(store, record, Note(now, "breaker.accepted", breaker, actor=record.by, body=body), seen)


def ask_undo(store: Store, id_: str, reason: str, now: datetime, by: str) -> UndoRecord:
    """
    Let the next run undo one act: what `bursar undo` does at once, where nothing may be done at once.

    Raises:
        ConfigError: there is no such act, or it cannot be undone.
    """
    act = find_act(store, id_).record
    why = refusal(act)
    if why:
        raise ConfigError.of("usage", f"{act.id} is not undone: {why}", where="undo")
    record = UndoRecord(act.id, by, now, now + HOLDS, reason)
    body: dict[str, Json] = {"until": record.until.isoformat(), "reason": reason}
    note = Note(now, "action.undo-asked", act.id, actor=by, body=body)
    for _ in range(TRIES):
        waiting = undo_of(store, act.id, now)
        if waiting is not None and waiting.record.status == "asked":
            return waiting.record
        try:
            return _write(store, record, note, 0 if waiting is None else waiting.version)
        except ConflictError:
            continue
    raise ConflictError.of("state-conflict", "many decide about it at this moment", where=act.id, hint="try again")


def keep_act(store: Store, id_: str, now: datetime, by: str) -> UndoRecord:
    """
    Take back that an act is to be undone.

    Raises:
        ConfigError: nobody asked for it, or it was answered already.
    """
    waiting = undo_of(store, id_, now)
    if waiting is not None and waiting.record.status == "withdrawn":
        return waiting.record
    if waiting is None or waiting.record.status != "asked":
        raise ConfigError.of("usage", f"nothing waits to undo {id_}", where="undo")
    record = replace(waiting.record, status="withdrawn")
    return _write(store, record, Note(now, "action.undo-withdrawn", id_, actor=by), waiting.version)


def undo_of(store: Store, act: str, now: datetime) -> Held[UndoRecord] | None:
    """Return whether somebody asked to undo an act, and what became of it; None where nobody did."""
    stored = store.get(Table.UNDO, act)
    if stored is None:
        return None
    held = restored(UndoRecord, stored)
    late = held.record.status == "asked" and now >= held.record.until
    return Held(replace(held.record, status="lapsed"), held.version) if late else held


def find_act(store: Store, id_: str) -> Held[ActionRecord]:
    """Return one act; raise `ConfigError` where there is none of that id."""
    stored = store.get(Table.ACTION, id_)
    if stored is None:
        raise ConfigError.of("not-found", f"no act `{id_}` is remembered", where="undo")
    return restored(ActionRecord, stored)


def find_finding(store: Store, id_: str) -> Held[FindingRecord]:
    """Return the finding whose id begins with `id_`; raise `ConfigError` where there is none, or more than one."""
    whole = store.get(Table.FINDING, id_) if len(id_) >= SHORTEST else None
    if whole is not None:
        return restored(FindingRecord, whole)
    found = [stored for stored in store.scan(Table.FINDING) if stored.key.startswith(id_)]
    if len(id_) < SHORTEST or not found:
        hint = f"give its resource, or at least {SHORTEST} characters of its id: `bursar plan -f json` shows it"
        raise ConfigError.of("not-found", f"no finding `{id_}` is remembered", where="finding", hint=hint)
    if len(found) > 1:
        raise ConfigError.of("not-found", f"{len(found)} findings begin with `{id_}`", where="finding")
    return restored(FindingRecord, found[0])


def finding_meant(store: Store, text: str) -> FindingRecord:
    """
    Return the finding with the id `text`, or the only one that is not over of the resource with that name or id.

    Raises:
        ConfigError: there is none, or more than one.
    """
    try:
        return find_finding(store, text).record
    except ConfigError:
        known = (restored(FindingRecord, stored).record for stored in store.scan(Table.FINDING))
        found = [
            one for one in known if text in (one.subject.name, one.subject.id) and one.status is not Status.RESOLVED
        ]
        if not found:
            raise
    if len(found) > 1:
        hint = "give the id: " + ", ".join(sorted(f"{one.id} ({one.policy})" for one in found))
        raise ConfigError.of("not-found", f"{len(found)} findings are of `{text}`", where="finding", hint=hint)
    return found[0]


def is_frozen(store: Store) -> Freeze | None:
    """Return the freeze that is set; None where nothing is frozen."""
    held = freeze_of(store)
    return held.record if held is not None and held.record.frozen else None


def _write(store: Store, record: Kept, note: Note, seen: int | None = None) -> Kept:
    """Write `record` over whatever is there, or over what was `seen`, and return what is there then."""
    for attempt in range(TRIES):
        stored = store.get(record.table, record.key)
        there = None if stored is None else _readable(type(record), stored)
        if there is not None and _again(there, record):
            return there
        version = 0 if stored is None else stored.version
        if seen not in (None, version):
            raise ConflictError.of("state-conflict", "somebody else decided since", where=record.key)
        try:
            store.commit([put(record, version)], [note])
        except ConflictError:
            if attempt == TRIES - 1:
                raise
        else:
            return record
    raise AssertionError("the last try returns or raises")


def _readable(kind: type[Kept], stored: Stored) -> Kept | None:
    """Return the record that is there; None where it is damaged, which is no reason not to write over it."""
    try:
        return restored(kind, stored).record
    except StateError:
        return None


def _again(there: object, wanted: object) -> bool:
    """Return whether `there` says what is `wanted`, from a moment ago."""
    for field in fields(wanted):  # type: ignore[arg-type]
        before, now = getattr(there, field.name), getattr(wanted, field.name)
        if isinstance(before, datetime) and isinstance(now, datetime):
            if abs(now - before) > AGAIN:
                return False
        elif before != now:
            return False
    return True
