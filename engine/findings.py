"""What the engine says about a resource: verdicts, the evidence behind them, and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.errors import Place
from engine.policy.model import Mode, Severity
from engine.values import Answer, Unknown


class Outcome(StrEnum):
    """The answer of one policy about one subject. Only a violation can lead to a step."""

    VIOLATION = "violation"
    COMPLIANT = "compliant"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"
    ERROR = "error"
    """The policy itself failed on this subject; a defect, reported as one."""


class Confidence(StrEnum):
    """How sure a verdict is, independent of its severity."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a verdict is about: a resource, or a group of them."""

    uid: str
    kind: str
    """A kind name, or `group`."""
    id: str
    name: str
    account: str
    region: str
    owner: str = ""
    """Who is asked first: the value of the first owner tag present; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact the decision used."""

    path: str
    """As a policy names it: `tags.owner`, `resource.state`, `gpu.utilization[3]`."""
    value: Answer
    unit: str = ""
    expected: str = ""
    """What the policy asks of it: `below 5%`, `one of dev, prod`."""
    source: str = ""
    """Where it comes from and how complete: `cloudwatch CWAgent, 240 of 240 samples, 12:00-16:00`."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs, in USD, at the price book's prices."""

    hourly: Decimal
    basis: str
    """Source, date and kind of the prices, for people."""
    exact: bool = True
    """False where a price of another region or a like product stands in."""
    beside: str = ""
    """Of savings: what goes on to be paid, so that the bill falls by less than the price, or only about so."""

    @property
    def monthly(self) -> Decimal:
        """730 hours: 8,760 hours a year over twelve months, as the providers' calculators count."""
        return self.hourly * 730


@dataclass(frozen=True, slots=True)
class Basis:
    """What was looked at beside the evidence, and what would make the verdict another one."""

    read: tuple[str, ...] = ()
    """Signals that were read: `gpu.utilization`."""
    unread: tuple[str, ...] = ()
    """Signals that were not, with the reason: `gpu.video: nothing sends it`."""
    changes: tuple[str, ...] = ()
    """What would change the verdict, each by itself: `one sample of gpu.utilization at 5% or more, on any device`."""


NO_BASIS = Basis()


@dataclass(frozen=True, slots=True)
class Idleness:
    """How long something has been idle, stuck or broken, and what that came to."""

    since: datetime
    exact: bool
    """True where work was seen to end then; False where telemetry reaches no further back, so that it may be longer."""
    cost: Decimal | Unknown
    """USD since then, at today's price."""
    monthly: Decimal | Unknown
    """USD that another month of it costs."""
    energy: float | Unknown
    """kWh that its accelerators drew since then, at most: samples are the peaks of their time."""
    energy_window: float | Unknown
    """kWh of the window, at most."""
    telling: bool = False
    """True where more is known than that the window of the policy is idle: when it began, or that it is far longer."""
    devices: tuple[int, int] | None = None
    """Which part of a machine is so: how many of its devices, of how many. None of what is idle as a whole."""
    state: str = "idle"
    """`idle`, `stuck` or `faulted`. Of idle devices, money and energy are their share; else they are the machine's."""

    @property
    def is_share(self) -> bool:
        """Return whether money is the share of some devices, which no stop would save for itself."""
        return self.devices is not None and self.state == "idle"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One policy's answer about one subject."""

    policy: str
    subject: Subject
    outcome: Outcome
    summary: str
    """One sentence without a period: `no GPU work for 4h on 8 of 8 devices`."""
    evidence: tuple[Evidence, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    """Everything that was needed and is not known; never empty when the outcome is unknown."""
    classification: str = ""
    """Of idle verdicts: `no_process`, `context_held`, `partly_idle` …"""
    confidence: Confidence = Confidence.HIGH
    actionable: bool = True
    """False for violations that are reported but never lead to the policy's remediation."""
    basis: Basis = NO_BASIS
    """Of idle verdicts."""
    idleness: Idleness | None = None
    """Of violations of idle checks."""
    at_stake: Cost | Unknown | None = None
    """What the subject costs as it is, where it is not known whether it is idle; None of any other verdict."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation, complete without its policy: who says so, how sure, how bad, what it costs and what to do."""

    id: str
    """Stable across runs: the first 16 hex digits of SHA-256 over policy name and subject uid."""
    verdict: Verdict
    severity: Severity
    mode: Mode
    place: Place
    """The policy that found it."""
    description: str
    cost: Cost | Unknown
    """What the subject costs as it is."""
    savings: Cost | Unknown
    """What the policy's remediation would save; zero when it saves nothing."""
    remediate: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the policy says beside the name of a remediation, by that name."""
    controls: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        return self.verdict.subject
