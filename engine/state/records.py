"""
What is remembered, as values: findings, acts, approvals, exemptions, snoozes, wishes to undo, savings, runs.

Each record becomes a `Put` with `put` and comes back from a `Stored` with `restored`; the shape in the store is
what pydantic makes of it, so that a damaged record is refused and never half understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from engine.findings import Subject
from engine.state.ledger import Json
from engine.state.store import Put, StateError, Stored, Table


class Status(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    WARNED = "warned"
    """Somebody was told; the grace runs."""
    DUE = "due"
    """The grace is over: what the policy's mode allows may be done or asked."""
    PENDING = "pending"
    """An approval was asked for."""
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    """Nobody decided in time."""
    ACTING = "acting"
    """An intent is written down and has no outcome yet."""
    VERIFIED = "verified"
    """The act was done and its effect was seen."""
    FAILED = "failed"
    RESOLVED = "resolved"
    EXEMPT = "exempt"
    SNOOZED = "snoozed"


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """The life of one finding."""

    table: ClassVar[Table] = Table.FINDING

    id: str
    policy: str
    subject: Subject
    status: Status
    since: datetime
    """When it came to this status."""
    episode: int = 1
    """Counts how often the finding came up anew; an act belongs to one episode."""
    opened: datetime | None = None
    """When the episode began."""
    warned: datetime | None = None
    due: datetime | None = None
    """When the grace ends, as it was told; None where nothing was to be done."""
    announced: str = ""
    """What the warning said would be done, and to which object; empty where it announced nothing."""
    fingerprint: str = ""
    """Of the steps that an approval was asked for or given to."""
    approval: str = ""
    """The id of the last approval of this episode."""
    asked: int = 0
    """How often approval was asked for in this episode."""
    attempts: int = 0
    retry: datetime | None = None
    """When a failed act is tried again; None where it is not."""
    reason: str = ""
    """For people: why it came to this status, where that is not plain."""

    @property
    def key(self) -> str:
        return self.id


class Progress(StrEnum):
    """How far an act has come."""

    INTENDED = "intended"
    """Written down before the call: whether it was made is for `verify` to say."""
    PENDING = "pending"
    """Accepted by the provider; the effect is not there yet."""
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One step of one episode, from its intent to its outcome."""

    table: ClassVar[Table] = Table.ACTION

    id: str
    """The step's id and the episode: `<finding>-<remediation>.<episode>`."""
    step: str
    finding: str
    episode: int
    policy: str
    remediation: str
    subject: Subject
    status: Progress
    token: str
    run: str
    actor: str
    intended: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)
    inverse: Mapping[str, Json] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)
    """The resource's fields that are texts and times, as it was acted on: by these its provider knows it again, and
    another one of its name is told from it."""
    reversible: bool = False
    finished: datetime | None = None
    hourly: Decimal | None = None
    """Estimated savings in USD an hour; None where the price is not known."""
    basis: str = ""
    last: bool = True
    """Whether it is the last of the finding's steps; behind another one more would have followed."""
    attempts: int = 1
    reason: str = ""
    """What went wrong, or how the outcome was learned: `seen after a crash`."""

    @property
    def key(self) -> str:
        return self.id


class Decision(StrEnum):
    """How an approval ended, or that it has not."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's yes or no."""

    principal: str
    """Who, the same over all doors: `mira.osei@example.com`."""
    door: str
    """Where it came in: `slack`, `cli`, `web`."""
    yes: bool
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence, in words."""

    path: str
    value: str
    expected: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as people were shown it."""

    id: str
    """`<finding>-<remediation>`; with the episode behind it, the id of the `ActionRecord`."""
    title: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    reversible: bool = False
    undo: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What people were shown when they were asked: the question stays what it was, whatever is found later."""

    severity: str = ""
    confidence: str = ""
    description: str = ""
    summary: str = ""
    evidence: tuple[Fact, ...] = ()
    cost: Decimal | None = None
    """USD a month; None where it is not known."""
    savings: Decimal | None = None
    exact: bool = True
    basis: str = ""
    """Where the prices are from."""
    steps: tuple[ShownStep, ...] = ()
    lost: tuple[str, ...] = ()
    """What an act would lose that its title does not say."""
    production: bool = True
    """Whether the resource is, or may be, part of production."""


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """A question to people, bound to exactly these steps on exactly this resource."""

    table: ClassVar[Table] = Table.APPROVAL

    id: str
    finding: str
    episode: int
    policy: str
    subject: Subject
    status: Decision
    steps: tuple[str, ...]
    """The titles of the steps, in order, as they were shown."""
    digest: str
    """Of the steps with their parameters."""
    fingerprint: str
    asked: datetime
    expires: datetime
    channel: str
    approvers: tuple[str, ...]
    quorum: int = 1
    strong: bool = False
    """Whether one yes has to come through a door of `engine.people.STRONG`."""
    votes: tuple[Vote, ...] = ()
    requester: str = ""
    authors: tuple[str, ...] = ()
    """Principals of who changed the policy last; they count as having asked."""
    author_unknown: str = ""
    """Why it is not known who did; empty where it is."""
    decided: datetime | None = None
    reason: str = ""
    shown: Shown = field(default_factory=Shown)

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class ExemptionRecord:
    """Findings that somebody answers for, until a date."""

    table: ClassVar[Table] = Table.EXEMPTION

    id: str
    owner: str
    reason: str
    expires: datetime
    created: datetime
    policies: tuple[str, ...] = ()
    """Names of policies; all where it is empty."""
    where: str = ""
    """A condition over common fields and tags; empty where a finding is named."""
    finding: str = ""
    status: str = "active"
    """`active` or `withdrawn`."""

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class SnoozeRecord:
    """A finding that nobody is told of, and nothing is done about, for a while."""

    table: ClassVar[Table] = Table.SNOOZE

    finding: str
    until: datetime
    by: str
    reason: str = ""
    status: str = "active"

    @property
    def key(self) -> str:
        return self.finding


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """An act that somebody wants undone: the next run does it."""

    table: ClassVar[Table] = Table.UNDO

    action: str
    """The id of the `ActionRecord`."""
    by: str
    at: datetime
    until: datetime
    """A run that comes later does not do it any more."""
    reason: str = ""
    status: str = "asked"
    """`asked`, then one of `done`, `refused`, `lapsed`, `withdrawn`."""
    outcome: str = ""
    """What became of it where it was not done, or did not succeed yet."""

    @property
    def key(self) -> str:
        return self.action


@dataclass(frozen=True, slots=True)
class SavingRecord:
    """What one act saves, from when its effect was seen to when it was seen to be over."""

    table: ClassVar[Table] = Table.SAVING

    action: str
    """The id of the `ActionRecord`."""
    policy: str
    subject: Subject
    remediation: str
    hourly: Decimal | None
    """USD an hour, net; None where the price is not known."""
    basis: str
    since: datetime
    until: datetime | None = None
    status: str = "running"
    """`running` or `over`."""
    reason: str = ""
    """Why it is over: `running again`, `undone`."""

    @property
    def key(self) -> str:
        return self.action

    def hours(self, now: datetime) -> Decimal:
        """Return how long it has lasted, in hours."""
        length = max((self.until or now) - self.since, timedelta(0))
        return Decimal(length // timedelta(seconds=1)) / 3600

    def realised(self, now: datetime) -> Decimal | None:
        """Return what was saved so far in USD: hours times the price; None where the price is not known."""
        return None if self.hourly is None else self.hours(now) * self.hourly


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """How many resources a scope had when it was last read completely."""

    scope: str
    resources: int


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """The tally of a policy, for the breakers of the next run."""

    policy: str
    looked_at: int
    violations: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Tripped:
    """A breaker that held a run back."""

    breaker: str
    why: str
    policy: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, whole."""

    table: ClassVar[Table] = Table.RUN

    id: str
    began: datetime
    finished: datetime | None = None
    status: str = "running"
    """`running`, `done`, `held`, `failed`."""
    actor: str = "bursar"
    policies: str = ""
    """The digest of the policy texts."""
    estate: str = ""
    findings: int = 0
    undecided: int = 0
    resources: int = 0
    cost: Decimal = Decimal(0)
    """USD a month that the resources with findings cost, each counted once, where the price is known."""
    savings: Decimal = Decimal(0)
    """USD a month that the planned steps would save, where that is known."""
    warned: int = 0
    asked: int = 0
    acted: int = 0
    failed: int = 0
    held: tuple[str, ...] = ()
    trips: tuple[Tripped, ...] = ()
    """The breakers that tripped and that nobody lets pass."""
    gaps: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.id


class Record(Protocol):
    """Anything of the above."""

    table: ClassVar[Table]

    @property
    def key(self) -> str: ...
    @property
    def status(self) -> str: ...


Kept = TypeVar("Kept", bound=Record)


@dataclass(frozen=True, slots=True)
class Held(Generic[Kept]):
    """A record with the version it was read at; 0 where it has not been written yet."""

    record: Kept
    version: int = 0


@lru_cache(maxsize=64)
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def put(record: Record, expected: int) -> Put:
    """Return the write of `record` over the version `expected`."""
    body = _adapter(type(record)).dump_python(record, mode="json")
    return Put(record.table, record.key, str(record.status), body, expected)


def restored(kind: type[Kept], stored: Stored) -> Held[Kept]:
    """
    Return the record that `stored` holds.

    Raises:
        StateError: `state-damaged`, where it is not one.
    """
    try:
        record: Kept = _adapter(kind).validate_python(stored.body)
    except ValidationError as error:
        first = error.errors()[0]
        message = (
            f"the {stored.table.value} `{stored.key}` is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        )
        hint = "restore the store from a backup; `bursar audit verify` tells what else is wrong"
        raise StateError.of("state-damaged", message, where=stored.table.value, hint=hint) from error
    return Held(record, stored.version)
