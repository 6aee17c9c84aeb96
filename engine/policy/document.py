"""
The shape of a policy file, as pydantic models: the source of the loader's validation and of the JSON Schema.

Models hold values as written; what needs the catalog or the rest of the file is checked by the loader.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.policy.checks import (
    SPOKEN,
    STRICT,
    Budget,
    Encryption,
    Idle,
    JobApproval,
    Quota,
    RequiredTags,
    Rule,
    Schedule,
    UnitCost,
    VectorLimits,
)
from engine.policy.model import Mode, SecondFactor, Severity
from engine.policy.scalars import (
    Condition,
    Duration,
    Emails,
    Name,
    Percent,
    PerMonth,
    PositiveCount,
    PositiveDuration,
    Text,
    list_of_one,
)


def _or_one(schema: dict[str, Any]) -> None:
    """Let a list in the JSON Schema be abbreviated to its only item."""
    full = {key: value for key, value in schema.items() if key not in SPOKEN}
    spoken = {key: value for key, value in schema.items() if key in SPOKEN}
    schema.clear()
    schema.update({"anyOf": [full["items"], full], **spoken})


Selectors: TypeAlias = Annotated[
    tuple[Text, ...], BeforeValidator(list_of_one), Field(min_length=1, json_schema_extra=_or_one)
]
Conditions: TypeAlias = Annotated[
    tuple[Condition, ...], BeforeValidator(list_of_one), Field(min_length=1, json_schema_extra=_or_one)
]


class LimitsDocument(BaseModel):
    """How much one plan may do for one policy; a plan that would exceed a limit is held whole."""

    model_config = STRICT

    max_actions: PositiveCount | None = Field(None, description="Resources acted on at once; 5 if not given.")
    max_share: Percent | None = Field(
        None, description="Share of the resources the policy looked at; 5% if not given. One is always within it."
    )
    max_cost_impact: PerMonth | None = Field(None, description="Savings a month of all steps together.")


class ApprovalDocument(BaseModel):
    """Who has to agree before a step is carried out."""

    model_config = STRICT

    channel: Text = Field(description="Where to ask.", examples=["#gpu-approvals"])
    approvers: tuple[Text, ...] = Field(description="Who may agree: people or groups.", min_length=1)
    expires: PositiveDuration = Field(timedelta(hours=8), description="How long the question stands.")
    quorum: PositiveCount = Field(1, description="How many have to agree.")
    second_factor: SecondFactor = Field(
        SecondFactor.IRREVERSIBLE,
        description="When a yes in Slack is not enough: one has to come from the web page or a cloud identity.",
    )
    above: PerMonth | None = Field(None, description="Savings a month from which a second factor is needed.")


class NotifyDocument(BaseModel):
    """The channel and the addresses of a policy."""

    model_config = STRICT

    slack: Text | None = Field(None, description="The channel of warnings, where Slack is configured.")
    email: Emails | None = Field(None, description="Addresses of warnings and questions, sent through `notify.mail`.")


class Shared(BaseModel):
    """What `defaults` may say for all policies of a file."""

    model_config = STRICT

    severity: Severity = Field(Severity.MEDIUM, description="How bad a violation is.")
    mode: Mode = Field(Mode.REPORT, description="How far the policy may go; capped by the installation's `max_mode`.")
    grace: Duration = Field(timedelta(0), description="How long a finding waits, after a warning, before any step.")
    limits: LimitsDocument = Field(
        LimitsDocument(max_actions=None, max_share=None, max_cost_impact=None), description="How much one plan may do."
    )
    notify: NotifyDocument = Field(
        NotifyDocument(slack=None, email=None),
        description="Who is told of findings.",
        examples=[{"slack": "#ml-costs", "email": "ml-costs@example.com"}],
    )
    approval: ApprovalDocument | None = Field(None, description="Who has to agree; required where mode is `approve`.")


class PolicyDocument(Shared):
    """One policy: what it is about, exactly one check, and what follows from a violation."""

    name: Name = Field(description="Unique; lower-case letters, digits and hyphens.", examples=["stop-idle-gpus"])
    description: Text = Field(description="One sentence for the people who see its findings.")
    rationale: str = Field("", description="Why the policy exists.")
    resource: Selectors | None = Field(
        None, description="The kinds or classes it is about.", examples=["compute.instance"]
    )
    where: Condition | None = Field(None, description="The resources it is about; all of the kind if not given.")
    unless: Conditions | None = Field(None, description="Exceptions: any one that is true excuses the resource.")
    remediate: tuple[Any, ...] = Field(
        (),
        description="What would end the violation, in this order; each a name, or a name with its parameters.",
        examples=[["stop"], [{"tag": {"owner": "unowned"}}]],
    )
    controls: tuple[Text, ...] = Field((), description="Requirements it supports.", examples=[["FSBP:EC2.3"]])

    required_tags: RequiredTags | None = Field(None, description="Check: tags that have to be there.")
    idle: Idle | None = Field(None, description="Check: a window with no work.")
    encryption: Encryption | None = Field(None, description="Check: protection of data.")
    schedule: Schedule | None = Field(None, description="Check: nothing runs outside working hours.")
    quota: Quota | None = Field(None, description="Check: what a group of resources holds together.")
    rule: Rule | None = Field(None, description="Check: any condition; what it holds for is a violation.")
    budget: Budget | None = Field(None, description="Check: spend of a group against an amount.")
    unit_cost: UnitCost | None = Field(None, description="Check: cost of one unit of work against a target.")
    job_approval: JobApproval | None = Field(None, description="Check: jobs above a size need approval.")
    vector_limits: VectorLimits | None = Field(None, description="Check: size, cost and use of a vector collection.")


class FileDocument(BaseModel):
    """A policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Bursar policies", defer_build=True)

    version: Literal[1] = Field(description="The version of the policy language.")
    defaults: Shared | None = Field(
        None, description="What holds where a policy of the file says nothing; `limits` count one by one."
    )
    policies: tuple[PolicyDocument, ...] = Field(description="The policies.", min_length=1)
