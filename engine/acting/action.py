"""
The Protocol of actions: what a remediation does to one kind of resource.

`engine.acting` calls them in this order and no other: `check` before anything is written down, `do` once the
intent is in the store, `verify` until the effect shows or is given up. After a crash only `verify` is asked first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from engine.errors import BursarError
from engine.model import Resource
from engine.state.ledger import Json


@dataclass(frozen=True, slots=True)
class Target:
    """A resource to act on, as it was read a moment ago."""

    resource: Resource
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the policy says beside the remediation's name: the tags to write, the type to resize to."""
    inverse: Mapping[str, Json] = field(default_factory=dict)
    """What `check` returned when the intent was written; empty before that."""
    token: str = ""
    """The idempotency token of the intent: at most 64 letters, digits and hyphens, the same in every try."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The act can be done."""

    inverse: Mapping[str, Json] = field(default_factory=dict)
    """What has to be known to undo it: the state before, the old tags, the old size."""
    caution: str = ""
    """What is lost that the remediation's title does not say: `1,900 GiB of instance-store data`. An act with a
    caution is done after an approval only."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The act must not or need not be done on this resource as it is."""

    reason: str
    """For people: `termination protection is on`, `it belongs to the Auto Scaling group train-eks`."""
    settled: bool = False
    """True where what the act is for holds already: the machine is stopped."""


class Effect(StrEnum):
    """What is seen of an act when the resource is read again."""

    DONE = "done"
    PENDING = "pending"
    """It was accepted and goes on: `stopping`."""
    ABSENT = "absent"
    """Nothing of it is to be seen: it was not done, or undone by somebody."""
    GONE = "gone"
    """The resource does not exist any more, by somebody else's doing."""


UNFINISHED = "act-unfinished"
"""The code of an act that has begun well and goes on in a later try, such as a snapshot before a deletion."""


class ActError(BursarError):
    """An act was refused or failed."""

    exit_code = 5

    def __init__(self, message: str, *, code: str = "act-failed", where: str = "", retryable: bool = False) -> None:
        from engine.errors import Place, Problem

        super().__init__([Problem(code, message, Place(where))])
        self.retryable = retryable
        """True where the same call may go through later: throttling, a time-out, no capacity."""


class Action(Protocol):
    """One remediation on the kinds it applies to. Every method raises `ActError` where a call fails."""

    @property
    def remediation(self) -> str:
        """The remediation's name in `actions/catalog.py`."""

    @property
    def kinds(self) -> frozenset[str]:
        """The names of the kinds it acts on."""

    @property
    def permissions(self) -> frozenset[str]:
        """The IAM actions that `check`, `do`, `verify` and `undo` need."""

    def check(self, target: Target) -> Ready | Refused:
        """Return whether the act can be done now. Reads only."""

    def do(self, target: Target) -> None:
        """Do it. A second call with the same token has no second effect."""

    def verify(self, target: Target) -> Effect:
        """Return what is to be seen of the act. Reads only."""

    def undo(self, target: Target) -> None:
        """Bring back what `target.inverse` tells of. Where it cannot be undone, raise `ActError` (`irreversible`)."""

    def undone(self, target: Target) -> Effect:
        """Return what is to be seen of the undoing: DONE where the resource is as `target.inverse` tells."""
