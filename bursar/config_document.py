"""The shape of `bursar.yaml`, key by key: what may be written, before it is looked at as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bursar.server.settings import ServerDocument
from bursar.slack.settings import SlackDocument
from bursar.telemetry_config import TelemetryDocument
from engine.policy.model import Mode
from engine.policy.scalars import (
    Condition,
    Date,
    PerMonth,
    PositiveCount,
    PositiveDuration,
    Text,
    Word,
    list_of_one,
    shaped,
)

AccountId: TypeAlias = Annotated[Word, shaped(r"[0-9]{12}", "the id of an account", "it has twelve digits")]
"""Twelve digits; the reader of YAML keeps a leading zero."""
AUTHORS = "authors.json"
"""Who changed each policy last, where no git tells."""
CACHE = ".bursar/prices.json"
"""Where prices that were asked for are kept between runs."""
MAX_AGE = timedelta(days=7)
"""How old a price may be before it is asked for anew, and says so where it cannot be."""
STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class OrganizationDocument(BaseModel):
    """Which accounts of the organization to read: all that are active, or fewer."""

    model_config = STRICT

    include_ous: tuple[Word, ...] = ()
    exclude_ous: tuple[Word, ...] = ()
    tags: dict[Word, Text] = Field(default_factory=dict)


class ActDocument(BaseModel):
    """Who acts, and in which accounts."""

    model_config = STRICT

    role: Word
    external_id: Word | None = None
    accounts: tuple[AccountId, ...] = Field(min_length=1)


class AwsDocument(BaseModel):
    """Where to look in AWS."""

    model_config = STRICT

    regions: tuple[Word, ...] = Field((), min_length=1)
    profile: Word | None = None
    endpoint_url: Text | None = None
    accounts: tuple[AccountId, ...] = ()
    organization: OrganizationDocument | None = None
    role: Word | None = None
    external_id: Word | None = None
    account_timeout: PositiveDuration = timedelta(minutes=15)
    bulk_tags: Literal["true", "false"] = "false"
    act: ActDocument | None = None


class ExemptionDocument(BaseModel):
    """Findings that somebody answers for, until a date."""

    model_config = STRICT

    owner: Text
    reason: Text
    expires: Date
    policies: tuple[Word, ...] = ()
    where: Condition | None = None


class LimitsDocument(BaseModel):
    """How much one run may do, over all policies; a run that would exceed a limit does nothing of it."""

    model_config = STRICT

    max_actions: PositiveCount = 20
    max_actions_per_account: PositiveCount = 10
    max_cost_impact: PerMonth | None = None


class NotifyDocument(BaseModel):
    """Who is told of warnings, questions and runs, beside the log."""

    model_config = STRICT

    webhook: Text | None = None
    mail: Text | None = None
    addresses: tuple[Text, ...] = ()


class ApprovalsDocument(BaseModel):
    """What holds for every approval."""

    model_config = STRICT

    author: Literal["any", "known"] = "any"
    authors: Text = AUTHORS


class PersonDocument(BaseModel):
    """What the doors call a person, and what the person commits as."""

    model_config = STRICT

    slack: Word | None = None
    aws: Text | None = None
    user: Word | None = None
    web: Text | None = None
    git: Annotated[tuple[Text, ...], BeforeValidator(list_of_one)] = ()


def _shorthand(value: Any) -> Any:
    """Return `prices: prices.yaml` as the mapping that it stands for."""
    return {"own": value} if isinstance(value, str) else value


class PricesDocument(BaseModel):
    """Where prices come from, beside the list that is shipped."""

    model_config = STRICT

    own: Text | None = None
    fetched: Annotated[tuple[Text, ...], BeforeValidator(list_of_one)] = ()
    live: bool = False
    cache: Text = CACHE
    max_age: PositiveDuration = MAX_AGE
    commitments: bool = False


class ConfigDocument(BaseModel):
    """The shape of `bursar.yaml`."""

    model_config = STRICT

    version: Literal["1"]
    policies: tuple[Text, ...] = Field(("policies",), min_length=1)
    max_mode: Mode = Mode.REPORT
    protect: tuple[Condition, ...] = ()
    production: tuple[Condition, ...] = ()
    exemptions: tuple[ExemptionDocument, ...] = ()
    limits: LimitsDocument = LimitsDocument()
    notify: NotifyDocument = NotifyDocument()
    approvals: ApprovalsDocument = ApprovalsDocument()
    people: dict[Word, PersonDocument] = Field(default_factory=dict)
    groups: dict[Word, tuple[Word, ...]] = Field(default_factory=dict)
    slack: SlackDocument | None = None
    aws: AwsDocument | None = None
    telemetry: tuple[TelemetryDocument, ...] = ()
    prices: Annotated[PricesDocument | None, BeforeValidator(_shorthand)] = None
    server: ServerDocument = ServerDocument()
    gpu_power: Text | None = None
    state: Text | None = None
    anchor: Text | None = None
    fail_on: Literal["info", "low", "medium", "high", "critical", "never"] = "never"
