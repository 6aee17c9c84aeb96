"""
A plan is data: what was found, what would be done and what could not be decided.

The table, the JSON file, the Slack message and the pull-request comment render the same `Plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.findings import Cost, Finding, Outcome, Subject, Verdict
from engine.model import Asked, ScopeReport
from engine.policy.model import Approval, Mode
from engine.values import Unknown


@dataclass(frozen=True, slots=True)
class Step:
    """One remediation on one resource."""

    id: str
    """`<finding id>-<remediation>`."""
    finding: str
    policy: str
    remediation: str
    title: str
    """For people: `stop the instance`."""
    subject: Subject
    mode: Mode
    """The policy's mode, capped by the installation's `max_mode`."""
    wanted: Mode
    """The policy's own mode."""
    reversible: bool
    undo: str
    grace: timedelta
    approval: Approval | None
    savings: Cost | Unknown
    fingerprint: str
    """SHA-256 over what the decision rested on: the step is stale when it changes."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the policy says beside the remediation's name."""
    saves: bool = True
    """Whether it is the step that ends what the finding costs: of several one does, and one saving begins."""
    created: str = ""
    """When the resource came into being, as its field `created` says: a new object of an old name is another one."""
    production: bool = True
    """Whether the resource is, or may be, part of production, as the installation tells it apart."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A violation with a remediation that is not planned, and why."""

    finding: str
    policy: str
    subject: Subject
    remediation: str
    reason: str
    """`protected by tag bursar/protect`, `it is not known whether it is protected` …"""


@dataclass(frozen=True, slots=True)
class Hold:
    """A limit that the steps of a policy would exceed; none of that policy's steps may be carried out."""

    policy: str
    limit: str
    """The limit's name: `max_actions`."""
    allowed: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many verdicts of each outcome one policy gave."""

    policy: str
    counts: Mapping[Outcome, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The result of a run."""

    estate: str
    taken_at: datetime
    policies: str
    """Digest of the policy texts."""
    max_mode: Mode
    findings: tuple[Finding, ...]
    """Ordered by savings, then cost, then severity, then id; see `engine.planning.order`."""
    steps: tuple[Step, ...]
    withheld: tuple[Withheld, ...]
    holds: tuple[Hold, ...]
    undecided: tuple[Verdict, ...]
    """Verdicts that are unknown or an error."""
    exempt: tuple[Verdict, ...]
    scopes: tuple[ScopeReport, ...]
    tallies: tuple[Tally, ...]
    resources: int
    """How many were looked at."""

    @property
    def gaps(self) -> tuple[ScopeReport, ...]:
        return tuple(s for s in self.scopes if s.status != "complete")

    @property
    def asked(self) -> Asked:
        """What was asked of telemetry in all scopes together."""
        return sum((scope.asked for scope in self.scopes), Asked())
