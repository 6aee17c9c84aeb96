"""
The life of a finding as a pure function: what a run saw of it, and what was known before, to what is known now.

`advance` changes what is remembered; `wish` says what the finding waits for. Neither does anything: warnings,
questions and acts are carried out by others, who come back with `warned`, `asked`, `intended` and the like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never

from engine.findings import Subject
from engine.policy.model import Mode
from engine.state.records import FindingRecord, Status

COOL_DOWN = timedelta(hours=24)
"""How long after an act the same finding does not count as new: something else may be starting the machine again."""
ASK_AGAIN = timedelta(hours=24)
"""How long after nobody decided in time the question is asked once more."""
QUESTIONS = 3
"""How often a question is asked in one episode."""
ATTEMPTS = 5
"""How often an act is tried in one episode."""
FIRST_RETRY = timedelta(minutes=10)
"""How long after a first failure the act is tried again; the time doubles with each failure."""
APPROVAL_HOLDS = timedelta(hours=24)
"""How long an approval may wait for its act: what holds the act back longer makes it a question again."""
START_OVER = timedelta(days=7)
"""How long after an act failed for good the finding starts anew: what stood in the way may be gone."""

NO_GRACE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Violated:
    """The policy finds it."""

    mode: Mode
    """The policy's, capped by the installation's."""
    grace: timedelta
    fingerprint: str = ""
    """Of its steps; empty where nothing would be done."""
    announced: str = ""
    """What a warning now would announce, to which object; see `engine.state.reconcile.announcement`."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """The policy was asked about a complete scope and does not find it."""

    why: str


@dataclass(frozen=True, slots=True)
class Excused:
    """It is exempt."""

    why: str


@dataclass(frozen=True, slots=True)
class Snoozed:
    """Somebody wants to hear nothing of it."""

    why: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Nothing is known of it now: the verdict is unknown, or its scope could not be read. Whatever was, stays."""


Sighting: TypeAlias = Violated | Cleared | Excused | Snoozed | Unseen


class Wish(StrEnum):
    """What a finding waits for."""

    NOTHING = "nothing"
    WARN = "warn"
    ASK = "ask"
    ACT = "act"


def opened(id_: str, policy: str, subject: Subject, now: datetime) -> FindingRecord:
    """Return the record of a finding that shows for the first time."""
    return FindingRecord(id_, policy, subject, Status.OPEN, now, opened=now)


def advance(record: FindingRecord, sighting: Sighting, now: datetime) -> FindingRecord:
    """
    Return `record` as it is after `sighting`; the same object where nothing changes.

    INVARIANT: an intent without an outcome is settled by looking at the resource, never by a sighting.
    """
    if record.status is Status.ACTING:
        return record
    match sighting:
        case Violated():
            return _violated(record, sighting, now)
        case Cleared(why):
            return record if record.status is Status.RESOLVED else _at(record, Status.RESOLVED, now, why)
        case Excused(why):
            return record if record.status is Status.EXEMPT else _at(record, Status.EXEMPT, now, why)
        case Snoozed(why):
            return record if record.status is Status.SNOOZED else _at(record, Status.SNOOZED, now, why)
        case Unseen():
            return record
        case _:
            assert_never(sighting)


def wish(record: FindingRecord, sighting: Sighting) -> Wish:
    """Return what the finding waits for; nothing where it was not seen by this run."""
    if not isinstance(sighting, Violated):
        return Wish.NOTHING
    match record.status:
        case Status.OPEN if sighting.mode.rank >= Mode.NOTIFY.rank:
            return Wish.WARN
        case Status.DUE if sighting.fingerprint and sighting.mode is Mode.APPROVE:
            return Wish.ASK
        case Status.DUE if sighting.fingerprint and sighting.mode is Mode.ENFORCE:
            return Wish.ACT
        case Status.APPROVED if _acts(sighting) and record.fingerprint == sighting.fingerprint:
            return Wish.ACT
        case _:
            return Wish.NOTHING


PROMISED = frozenset(
    {Status.WARNED, Status.DUE, Status.PENDING, Status.APPROVED, Status.EXPIRED, Status.FAILED},
)
"""Where a finding stands on a warning that may lead to an act."""


def _violated(record: FindingRecord, sighting: Violated, now: datetime) -> FindingRecord:
    if record.status in PROMISED and record.announced != told(sighting):
        return _untold(record, sighting, now)
    match record.status:
        case Status.RESOLVED | Status.EXEMPT | Status.SNOOZED:
            return _anew(record, now)
        case Status.VERIFIED if now >= record.since + COOL_DOWN:
            return _anew(record, now, "it is a finding again after what was done")
        case Status.WARNED if _acts(sighting) and now >= promised(record, sighting.grace):
            return _at(record, Status.DUE, now)
        case Status.APPROVED | Status.PENDING if record.fingerprint != sighting.fingerprint:
            return _unasked(record, now, "the resource or the policy changed since approval was asked for")
        case Status.APPROVED if now >= record.since + APPROVAL_HOLDS:
            return _unasked(record, now, "it was approved too long ago")
        case Status.EXPIRED if record.asked < QUESTIONS and now >= record.since + ASK_AGAIN:
            return _unasked(record, now, "asked again")
        case Status.FAILED if record.retry is not None and now >= record.retry:
            if record.approval and record.fingerprint == sighting.fingerprint:
                return _at(record, Status.APPROVED, now, "tried again")
            return _unasked(record, now, "tried again")
        case Status.FAILED if record.retry is None and now >= record.since + START_OVER:
            return _anew(record, now, "what was to be done failed a while ago")
        case _:
            return record


def told(sighting: Violated) -> str:
    """Return what a warning of `sighting` announces; nothing where nothing would be done."""
    return sighting.announced if _acts(sighting) else ""


def _untold(record: FindingRecord, sighting: Violated, now: datetime) -> FindingRecord:
    """
    Return the record of a finding whose warning announced something else than would be done now.

    Where nothing would be done any more (a lower mode, a protection), people know enough; otherwise they are warned
    anew, and the grace begins again.
    """
    if told(sighting):
        return _anew(record, now, "its warning did not announce what would be done now")
    reason = "nothing would be done about it now"
    return replace(_at(record, Status.WARNED, now, reason), announced="", due=None, fingerprint="", approval="")


def _unasked(record: FindingRecord, now: datetime, reason: str) -> FindingRecord:
    """Return the record of a finding that is due and has no approval."""
    return _at(replace(record, fingerprint="", approval=""), Status.DUE, now, reason)


def promised(record: FindingRecord, grace: timedelta) -> datetime:
    """
    Return when the grace of a warned finding ends.

    A longer grace in the policy lengthens it; a shorter one does not take back what was told.
    """
    assert record.warned is not None, "a warned finding has the time of its warning"
    return max(record.warned + grace, record.due or record.warned)


def _acts(sighting: Violated) -> bool:
    return bool(sighting.fingerprint) and sighting.mode.rank >= Mode.APPROVE.rank


def _anew(record: FindingRecord, now: datetime, reason: str = "") -> FindingRecord:
    return FindingRecord(
        record.id,
        record.policy,
        record.subject,
        Status.OPEN,
        now,
        episode=record.episode + 1,
        opened=now,
        reason=reason,
    )


def _at(record: FindingRecord, status: Status, now: datetime, reason: str = "") -> FindingRecord:
    return replace(record, status=status, since=now, reason=reason)


# --- what others come back with ------------------------------------------------------------------


def warned(record: FindingRecord, sighting: Violated, now: datetime) -> FindingRecord:
    """Return the record of an open finding once its warning was delivered."""
    announced = told(sighting)
    due = now + sighting.grace if announced else None
    return replace(_at(record, Status.WARNED, now), warned=now, due=due, announced=announced)


def asked(record: FindingRecord, approval: str, fingerprint: str, now: datetime) -> FindingRecord:
    """Return the record of a due finding once approval was asked for."""
    return replace(_at(record, Status.PENDING, now), approval=approval, fingerprint=fingerprint, asked=record.asked + 1)


def answered(record: FindingRecord, status: Status, now: datetime, reason: str = "") -> FindingRecord:
    """Return the record of a pending finding once it was approved or denied, or nobody decided in time."""
    return _at(record, status, now, reason)


def intended(record: FindingRecord, now: datetime) -> FindingRecord:
    """Return the record of a finding whose act is about to be done."""
    return _at(record, Status.ACTING, now)


def done(record: FindingRecord, now: datetime, reason: str = "") -> FindingRecord:
    """Return the record of a finding whose act had its effect."""
    return replace(_at(record, Status.VERIFIED, now, reason), attempts=0, retry=None)


def unfinished(record: FindingRecord, now: datetime, reason: str) -> FindingRecord:
    """Return the record of a finding whose act goes on in a later try, which is no failure and is not counted."""
    return replace(_at(record, Status.FAILED, now, reason), retry=now + FIRST_RETRY)


def failed(record: FindingRecord, now: datetime, reason: str, *, retryable: bool) -> FindingRecord:
    """Return the record of a finding whose act failed: tried again later, or never in this episode."""
    attempts = record.attempts + 1
    again = retryable and attempts < ATTEMPTS
    retry = now + FIRST_RETRY * 2 ** (attempts - 1) if again else None
    return replace(_at(record, Status.FAILED, now, reason), attempts=attempts, retry=retry)


def refused(record: FindingRecord, now: datetime, reason: str) -> FindingRecord:
    """Return the record of a finding whose act was not begun, because the resource is not as it was: it starts anew."""
    return _anew(record, now, reason)
