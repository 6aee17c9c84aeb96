"""A loaded policy: everything about it is checked, nothing about it is compiled yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from engine.errors import Place
from engine.expr.syntax import Node
from engine.kinds import Kind
from engine.policy.checks import Check


class Severity(StrEnum):
    """How bad it is, mildest first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return tuple(Severity).index(self)


class Mode(StrEnum):
    """How far a policy may go, least first."""

    REPORT = "report"
    NOTIFY = "notify"
    APPROVE = "approve"
    ENFORCE = "enforce"

    @property
    def rank(self) -> int:
        return tuple(Mode).index(self)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed and type-checked expression with the text it came from."""

    text: str
    node: Node
    place: Place
    """Of the first character of the expression in its file."""


class SecondFactor(StrEnum):
    """When a yes in Slack is not enough, and one has to come through the web page or with a cloud identity."""

    NEVER = "never"
    IRREVERSIBLE = "irreversible"
    """For steps that cannot be undone."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who has to agree before a step is carried out."""

    channel: str
    approvers: tuple[str, ...]
    expires: timedelta = timedelta(hours=8)
    quorum: int = 1
    second_factor: SecondFactor = SecondFactor.IRREVERSIBLE
    above: Decimal | None = None
    """USD a month from which a second factor is needed in any case."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one plan may do for one policy. A plan that would exceed a limit is held whole."""

    max_actions: int = 5
    max_share: Decimal = Decimal(5)
    """Percent of the resources the policy looked at; a single resource is always within it."""
    max_cost_impact: Decimal | None = None
    """USD a month."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How much one run may do, over all policies; a run that would exceed a limit does nothing of it."""

    max_actions: int = 20
    max_actions_per_account: int = 10
    max_cost_impact: Decimal | None = None
    """USD a month, of all steps together."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a policy says beside a remediation's name: `to: g5.xlarge`."""

    name: str
    """Empty where the names are the author's own: the tags that are written."""
    doc: str
    pattern: str
    """What the whole value has to match."""
    example: str
    required: bool = True
    names: str = ""
    """What a name of the author's own has to match."""


@dataclass(frozen=True, slots=True)
class Remediation:
    """What the engine must know of a remediation to plan it. Declared in `actions/catalog.py`."""

    name: str
    title: str
    """An imperative for people: `stop the instance`."""
    kinds: frozenset[str]
    """Names of the kinds it applies to."""
    reversible: bool
    saves: frozenset[str]
    """The usage roles whose charges it ends: `compute`, `storage`; empty when it saves nothing."""
    undo: str = ""
    """For people: how it is undone; empty when it cannot be."""
    parameters: tuple[Parameter, ...] = ()
    in_part: bool = False
    """It ends a part of those charges, how large is not known; with the parameter `to: 0` all of them."""

    def ends_all(self, parameters: Mapping[str, str]) -> bool:
        """Return whether what it saves are all charges of the roles in `saves`."""
        return not self.in_part or parameters.get("to") == "0"


@dataclass(frozen=True)
class Policy:
    """One policy."""

    name: str
    description: str
    place: Place
    severity: Severity
    selectors: tuple[str, ...]
    """As written under `resource`."""
    kinds: tuple[Kind, ...]
    check: Check
    mode: Mode = Mode.REPORT
    where: Expression | None = None
    unless: tuple[Expression, ...] = ()
    expressions: Mapping[str, Expression] = field(default_factory=dict)
    """Expressions inside the check, by their key there: `when` of a `rule`, `group_by` of a `quota`."""
    grace: timedelta = timedelta(0)
    remediate: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What is said beside the name of a remediation, by that name."""
    approval: Approval | None = None
    limits: Limits = Limits()
    controls: tuple[str, ...] = ()
    """Ids of the control frameworks' requirements this policy supports: `FSBP:EC2.3`."""
    rationale: str = ""
    notify: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicySet:
    """All policies of a run."""

    policies: tuple[Policy, ...]
    digest: str
    """SHA-256 over the texts of all files in order of their names: what a plan was made from."""
    files: tuple[str, ...]
