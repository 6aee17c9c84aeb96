"""What acting needs of the outside, and the words for how an act ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from engine.acting.action import Action
from engine.findings import Subject
from engine.model import Resource
from engine.people import Authorship
from engine.plan import Plan, Step
from engine.state.approvals import NOT_LOOKED_UP
from engine.state.reconcile import Task
from engine.state.records import ApprovalRecord
from engine.state.store import Lease, Store

LEASE = "run"
"""The lease without which nothing is done: one for an installation."""
TTL = timedelta(minutes=5)
"""How long a holder who says nothing keeps the lease; longer than any one call to a provider takes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One resource, read just now, and what one policy makes of it."""

    resource: Resource | None
    """None where it is gone."""
    plan: Plan
    """Of that policy about that resource alone."""


Look: TypeAlias = Callable[[str, Subject], Sight]
"""Read the subject anew and judge it by the policy of that name. Raises `CollectError` where it cannot be read."""


class Teller(Protocol):
    """Who tells people. A message that did not arrive is never taken for one that did."""

    def warn(self, tasks: Sequence[Task], now: datetime) -> frozenset[str]:
        """Warn of findings; return the ids of those whose warning was delivered."""

    def ask(self, approval: ApprovalRecord, task: Task) -> bool:
        """Ask for an approval; return whether the question was delivered."""


class Result(StrEnum):
    """How an act ended."""

    DONE = "done"
    PENDING = "pending"
    """Accepted; the effect is not there yet, and the next run looks for it."""
    SETTLED = "settled"
    """What it is for held already."""
    STALE = "stale"
    """The resource is not as it was: nothing was done."""
    REFUSED = "refused"
    """It must not be done as things are: nothing was done."""
    RETRYABLE = "retryable"
    """It failed, and may go through later."""
    FAILED = "failed"


ACTED = frozenset({Result.DONE, Result.PENDING})
FAILURES = frozenset({Result.RETRYABLE, Result.FAILED})


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step."""

    step: Step
    result: Result
    reason: str = ""
    action: str = ""
    """The id of its `ActionRecord`, where there is one: what `bursar undo` takes."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A step of an earlier plan: what was meant to be done, on what state."""

    id: str
    policy: str
    remediation: str
    fingerprint: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class Stale:
    """A step of an earlier plan that is not to be done any more."""

    step: Meant
    reason: str


@dataclass(frozen=True)
class Ports:
    """The outside, for one run."""

    store: Store
    actions: Mapping[tuple[str, str], Action]
    """By remediation and kind."""
    look: Look
    teller: Teller
    clock: Callable[[], datetime]
    """The time now, UTC."""
    run: str
    """The id of the run: unique, made by the front door."""
    actor: str = "bursar"
    authors: Callable[[str], Authorship] = lambda _policy: NOT_LOOKED_UP
    """Who changed the policy of that name last."""
    stopping: Callable[[], str] = lambda: ""
    """Why no further act is to be begun: the machine wants the process to end. Nothing where it does not."""


@dataclass
class Tenure:
    """The lease of a run, renewed as it goes."""

    ports: Ports
    lease: Lease

    def current(self) -> Lease:
        """Return the lease with at least half its time left; raise `LeaseLostError` where it was taken."""
        now = self.ports.clock()
        if self.lease.expires - now < TTL / 2:
            self.lease = self.ports.store.renew(self.lease, TTL, now)
        return self.lease
