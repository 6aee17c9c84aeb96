"""
What operators decide by hand, written to the state with its entry in the ledger.

Each takes one commit. Nobody's decision is lost: where two write at once, the second is told and tries again.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from bursar.identity import user_of_process
from engine.acting.breakers import NAMES
from engine.acting.freeze import freeze_of
from engine.errors import ConfigError, did_you_mean
from engine.state.ledger import Json, Note
from engine.state.records import ExemptionRecord, FindingRecord, Held, Record, SnoozeRecord, Status, put, restored
from engine.state.settings import Acceptance, Freeze
from engine.state.store import ConflictError, Store, Table

LONGEST_SNOOZE = timedelta(days=30)
LONGEST_EXEMPTION = timedelta(days=366)
SHORTEST = 6
"""So many characters of a finding's id are enough to name it."""
TRIES = 5


def person() -> str:
    """Return who sits at the command line."""
    return f"user:{user_of_process()}"


def set_freeze(store: Store, *, frozen: bool, reason: str, now: datetime) -> Freeze:
    """Stop all acting, or let it go on."""
    record = Freeze(frozen, person(), now, reason)
    _write(store, record, Note(now, "freeze.set" if frozen else "freeze.lifted", "freeze", actor=person(),
                                       body={"reason": reason}))  # fmt: skip
    return record


def exempt(
    store: Store, *, finding: str, policies: tuple[str, ...], where: str, owner: str, reason: str,
    expires: datetime, now: datetime,
) -> ExemptionRecord:  # fmt: skip
    """Make an exemption; raise `ConfigError` where it would be about everything, or would never end."""
    if not (finding or policies or where):
        raise ConfigError.of("usage", "this would exempt everything", where="exempt", hint="name a finding or a policy")
    if not now < expires <= now + LONGEST_EXEMPTION:
        hint = "give a date within a year"
        raise ConfigError.of("usage", f"it would end on {expires:%Y-%m-%d}", where="--expires", hint=hint)
    known = finding_meant(store, finding).id if finding else ""
    record = ExemptionRecord(secrets.token_hex(4), owner, reason, expires, now, policies, where, known)
    body: dict[str, Json] = {"owner": owner, "reason": reason, "expires": expires.isoformat(), "finding": known,
                             "policies": list(policies), "where": where}  # fmt: skip
    _write(store, record, Note(now, "exemption.made", record.id, actor=person(), body=body))
    return record


def withdraw(store: Store, id_: str, now: datetime) -> ExemptionRecord:
    """End an exemption before its time."""
    from dataclasses import replace

    stored = store.get(Table.EXEMPTION, id_)
    if stored is None:
        raise ConfigError.of("not-found", f"there is no exemption `{id_}`", where="exempt")
    record = replace(restored(ExemptionRecord, stored).record, status="withdrawn")
    _write(store, record, Note(now, "exemption.withdrawn", id_, actor=person()))
    return record


def snooze(store: Store, finding: str, length: timedelta, reason: str, now: datetime, by: str = "") -> SnoozeRecord:
    """Let a finding rest for a while; `by` is who wants that, if not whoever sits at the command line."""
    if length > LONGEST_SNOOZE:
        hint = "an exemption has an owner and may last for a year: `bursar exempt`"
        raise ConfigError.of("usage", "a finding is snoozed for 30 days at most", where="--for", hint=hint)
    by = by or person()
    known = finding_meant(store, finding)
    record = SnoozeRecord(known.id, now + length, by, reason)
    body: dict[str, Json] = {"until": record.until.isoformat(), **({"reason": reason} if reason else {})}
    _write(store, record, Note(now, "finding.snooze", known.id, actor=by, body=body))
    return record


def accept(store: Store, breaker: str, length: timedelta, reason: str, now: datetime) -> Acceptance:
    """Let a breaker pass for a while."""
    if breaker not in NAMES:
        hint = did_you_mean(breaker, NAMES) or f"there are {', '.join(NAMES)}"
        raise ConfigError.of("not-found", f"there is no breaker `{breaker}`", where="accept", hint=hint)
    record = Acceptance(breaker, person(), now, now + length, reason)
    body: dict[str, Json] = {"until": record.until.isoformat(), "reason": reason}
    _write(store, record, Note(now, "breaker.accepted", breaker, actor=person(), body=body))
    return record


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


def _write(store: Store, record: Record, note: Note) -> None:
    """Write `record` over whatever is there: the last decision of a person counts."""
    for attempt in range(TRIES):
        stored = store.get(record.table, record.key)
        try:
            store.commit([put(record, 0 if stored is None else stored.version)], [note])
        except ConflictError:
            if attempt == TRIES - 1:
                raise
        else:
            return
