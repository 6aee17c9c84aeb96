"""What the engine says about a resource: verdicts, the evidence behind them, and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
