"""
The ten checks as values: what a policy asks, in domain types.

Each model reads its own YAML, abbreviations included, and is what the engine evaluates. What needs
the catalog of kinds (fields, metrics, expressions) is checked by the loader.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from engine.policy.scalars import (
    Amount,
    Condition,
    Count,
    Date,
    Duration,
    Hours,
    Null,
    Number,
    Percent,
    PerHour,
    PerMonth,
    PositiveCount,
    PositiveDuration,
    Size,
    Text,
    Word,
    list_of_one,
)
from engine.units import UnitError, parse_bytes, parse_duration, parse_percent

PLACEHOLDERS = (
    "-", "?", "none", "n/a", "na", "null", "nil", "todo", "tbd", "tba", "fixme", "changeme", "change-me",
    "unknown", "undefined", "placeholder", "xxx", "test",
)  # fmt: skip
"""Words that stand where a value should be; compared without regard to case."""


SPOKEN = frozenset({"title", "description", "examples", "default"})
"""What a JSON Schema says to people; it stays outside of alternatives."""


def _instead(shorthand: dict[str, Any]) -> Any:
    """Return a hook that lets a model's JSON Schema accept an abbreviation too."""

    def change(schema: dict[str, Any]) -> None:
        full = {key: value for key, value in schema.items() if key not in SPOKEN}
        spoken = {key: value for key, value in schema.items() if key in SPOKEN}
        schema.clear()
        schema.update({"anyOf": [shorthand, full], **spoken})

    return change


def _only(replacement: dict[str, Any]) -> Any:
    def change(schema: dict[str, Any]) -> None:
        schema.clear()
        schema.update(replacement)

    return change


STRICT = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class TagRule(BaseModel):
    """What is asked of one tag; nothing but presence when empty."""

    model_config = STRICT | ConfigDict(json_schema_extra=_instead({"type": "null"}))

    values: tuple[Word, ...] = Field((), description="The values that are accepted; any value when empty.")
    pattern: str = Field(
        "", description="An RE2 regular expression that the whole value has to match.", examples=["cc-[0-9]{4}"]
    )
    synonyms: tuple[Word, ...] = Field((), description="Other keys under which the tag is accepted.")
    case: Literal["exact", "insensitive"] = Field(
        "exact", description="Whether keys and values are compared with regard to case."
    )

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if isinstance(value, Null) else value


class RequiredTags(BaseModel):
    """Presence, allowed values and patterns of tags."""

    model_config = STRICT | ConfigDict(
        json_schema_extra=_instead({"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}})
    )

    tags: Mapping[Text, TagRule] = Field(description="Each required tag with what is asked of it.")
    placeholders: tuple[Word, ...] = Field(
        PLACEHOLDERS, description="Values that count as no value, whatever their case."
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        odd = next((item for item in value if not isinstance(item, str)), None)
        if odd is not None:
            raise UnitError("`required_tags` lists tag names", "write `tags: {owner: {}}` to ask more of a tag")
        twice = next((item for item, count in Counter(value).items() if count > 1), None)
        if twice is not None:
            raise UnitError(f"tag `{twice}` stands twice in `required_tags`")
        return {"tags": {key: {} for key in value}}

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.tags:
            raise UnitError("`required_tags` names no tag", "write such as `[owner, team]`")
        return self


class Quantity(BaseModel):
    """A threshold with the unit it was written with."""

    model_config = STRICT | ConfigDict(
        json_schema_extra=_only({"type": ["string", "number"], "examples": ["5%", "40W", "10MiB", 3]})
    )

    value: float
    unit: str
    """`percent`, `watt`, `bytes`, `seconds`; empty for a plain number."""
    text: str
    """As written: `5%`."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        return quantity_of(value) if isinstance(value, str) else value


def quantity_of(text: str) -> dict[str, Any]:
    """Return the parts of a `Quantity` as written in a policy."""
    number = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?(W|kW)?", text, re.ASCII)
    if number:
        scale = 1000 if number[2] == "kW" else 1
        return {"value": float(number[1]) * scale, "unit": "watt" if number[2] else "", "text": text}
    if text.endswith("%"):
        return {"value": float(parse_percent(text)), "unit": "percent", "text": text}
    for unit, parse in (("bytes", parse_bytes), ("seconds", parse_duration)):
        try:
            found = parse(text)
        except UnitError:
            continue
        value = found if isinstance(found, int) else found.total_seconds()
        return {"value": float(value), "unit": unit, "text": text}
    raise UnitError(f"`{text}` is not a threshold", "write such as `5%`, `40W`, `10MiB` or `3`")


def _single(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise UnitError("a threshold is a single value", "write such as `5%`, `40W`, `10MiB` or `3`")
    return value


IdleClass: TypeAlias = Literal[
    "no_process",
    "context_held",
    "serving_no_traffic",
    "other_work",
    "held",
    "cordoned",
    "partly_idle",
    "stuck",
    "faulted",
]


class Idle(BaseModel):
    """A window with no work."""

    model_config = STRICT

    window: PositiveDuration = Field(alias="for", description="How long nothing may have worked.")
    below: Mapping[Text, Annotated[Quantity, BeforeValidator(_single)]] = Field(
        description="Metrics with the value each has to stay below, on every device, for the whole window.",
        examples=[{"gpu.utilization": "5%", "gpu.power_over_idle": "15%"}],
    )
    coverage: Percent = Field(
        Decimal(90), description="How much of the window has to be covered by samples.", examples=["90%"]
    )

    unseen: Duration = Field(
        timedelta(0),
        description="How long nobody may have looked at a signal in a window that is called idle. Where more is "
        "missing, before the newest sample, the answer is unknown.",
        examples=["2m"],
    )
    protect_while: Mapping[Text, Annotated[Quantity, BeforeValidator(_single)]] | None = Field(
        None,
        description="Metrics with the value from which on something else is taken to be at work, or somebody to hold "
        "it: data prepared by the processors, a checkpoint sent away, a login, a job, a cordoned node. It is reported "
        "and never acted on; where it is not known, neither is idleness. If not given, `sessions.active`, "
        "`jobs.running` and `node.cordoned` from 1 on, and `cpu.utilization: 20%` for machines with accelerators.",
        examples=[{"cpu.utilization": "20%", "network.out": "10GiB"}],
    )
    classes: tuple[IdleClass, ...] = Field(
        (), description="The classes of idleness that are violations; all of them if not given."
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.below:
            raise UnitError("`below` names no metric", "write such as `{gpu.utilization: 5%}`")
        return self


class Encryption(BaseModel):
    """Protection of data: at rest, in transit, keys, public access and access logging."""

    model_config = STRICT

    at_rest: Literal["required"] | None = Field(None, description="Data at rest is encrypted.")
    key: Literal["any", "customer"] | None = Field(
        None, description="Whose key encrypts data at rest: any key, or one managed by the customer."
    )
    in_transit: Literal["required"] | None = Field(None, description="Connections without TLS are refused.")
    public_access: Literal["denied"] | None = Field(None, description="The public cannot reach it.")
    access_logging: Literal["required"] | None = Field(None, description="Access is logged.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise UnitError("`encryption` asks nothing", "write such as `{at_rest: required}`")
        return self


Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Schedule(BaseModel):
    """Working hours, outside of which nothing is to run."""

    model_config = STRICT

    days: tuple[Day, ...] = Field(("mon", "tue", "wed", "thu", "fri"), description="The working days.", min_length=1)
    hours: Hours = Field(description="Local working hours; a span over midnight belongs to the day it starts on.")
    zone: Text = Field(description="The IANA time zone.", examples=["Europe/Berlin", "America/New_York", "UTC"])
    holidays: tuple[Date, ...] = Field((), description="Dates that are no working days.")

    @property
    def start(self) -> time:
        return self.hours[0]

    @property
    def end(self) -> time:
        """Of the working hours; 00:00 stands for 24:00."""
        return self.hours[1]


class QuotaLimits(BaseModel):
    """How much a group may hold at once."""

    model_config = STRICT

    accelerators: Number | None = Field(None, description="Accelerators of running resources.")
    resources: Count | None = Field(None, description="Resources, running or not.")
    spend_rate: PerHour | None = Field(None, description="Cost per hour of all of them.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.accelerators is None and self.resources is None and self.spend_rate is None:
            raise UnitError("no limit is given", "write one of `accelerators`, `resources`, `spend_rate`")
        return self


GroupBy: TypeAlias = Annotated[
    tuple[Text, ...],
    BeforeValidator(list_of_one),
    Field(
        min_length=1,
        json_schema_extra=_instead({"type": "string", "minLength": 1}),
        examples=["tags.team", ["resource.account", "tags.team"]],
    ),
]


class Quota(BaseModel):
    """What a group of resources may hold together."""

    model_config = STRICT

    group_by: GroupBy = Field(
        ("resource.account",), description="Expressions whose values name the group of a resource."
    )
    limits: QuotaLimits = Field(description="The limits of every group.")
    overrides: Mapping[Word, QuotaLimits] = Field(
        default_factory=dict, description="Limits of single groups, instead of `limits`."
    )


class Rule(BaseModel):
    """Any condition; what it holds for is a violation."""

    model_config = STRICT | ConfigDict(json_schema_extra=_instead({"type": ["string", "boolean"]}))

    when: Condition = Field(description="The condition of a violation.")
    message: str = Field("", description="What to say about a violation, instead of the condition.")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"when": value} if isinstance(value, str) else value


class Rung(BaseModel):
    """One step of a budget's ladder."""

    model_config = STRICT

    at: Percent | None = Field(None, description="Reached when so much of the amount is spent.")
    days_to_breach: PositiveDuration | None = Field(
        None, description="Reached when the forecast is over the amount within this time.", examples=["10d"]
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.at is None) == (self.days_to_breach is None):
            raise UnitError("a step of the ladder has either `at` or `days_to_breach`")
        return self


class Budget(BaseModel):
    """Spend and forecast of a group against an amount."""

    model_config = STRICT

    amount: PerMonth = Field(description="What each group may spend a month.")
    group_by: GroupBy = Field(
        ("resource.account",), description="Expressions whose values name the group of a resource."
    )
    ladder: tuple[Rung, ...] = Field(
        (Rung(at=Decimal(80), days_to_breach=None), Rung(at=Decimal(100), days_to_breach=None)),
        description="When to speak up, and how often.",
        min_length=1,
    )


class UnitCost(BaseModel):
    """The cost of one unit of work against a target."""

    model_config = STRICT

    per: Literal["request", "training_run", "1m_tokens", "active_user"] = Field(description="The unit of work.")
    target: Amount = Field(description="What one unit may cost.")


class JobApproval(BaseModel):
    """Above what size a job needs approval, and what every job has to have."""

    model_config = STRICT

    gpus: Count | None = Field(None, description="GPUs held at once.")
    gpu_hours: Number | None = Field(None, description="GPUs times hours.")
    duration: PositiveDuration | None = Field(None, description="The longest run time.")
    cost: Amount | None = Field(None, description="The estimated cost of the whole job.")
    require: tuple[Literal["checkpointing", "spot"], ...] = Field((), description="What a job has to use.")
    headroom: Percent | None = Field(
        None, description="Approve without asking while so much of the budget is left.", examples=["10%"]
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.require and all(v is None for v in (self.gpus, self.gpu_hours, self.duration, self.cost)):
            hint = "write one of `gpus`, `gpu_hours`, `duration`, `cost`, `require`"
            raise UnitError("`job_approval` asks nothing", hint)
        return self


class VectorLimits(BaseModel):
    """How large, costly and idle a vector collection may be."""

    model_config = STRICT

    vectors: PositiveCount | None = Field(None, description="Vectors of a collection.")
    dimensions: PositiveCount | None = Field(None, description="Dimensions of a vector.")
    memory: Size | None = Field(None, description="Memory of a collection, computed from its shape.")
    replicas: PositiveCount | None = Field(None, description="Copies of each shard.")
    quantization: Literal["required"] | None = Field(None, description="Vectors are quantised.")
    cost: PerMonth | None = Field(None, description="Cost of a collection a month.")
    idle: PositiveDuration | None = Field(None, description="The longest time without a query.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise UnitError("`vector_limits` asks nothing", "write such as `{replicas: 2}`")
        return self


Check: TypeAlias = (
    RequiredTags | Idle | Encryption | Schedule | Quota | Rule | Budget | UnitCost | JobApproval | VectorLimits
)

CHECKS: Mapping[str, type[Check]] = MappingProxyType(
    {
        "required_tags": RequiredTags,
        "idle": Idle,
        "encryption": Encryption,
        "schedule": Schedule,
        "quota": Quota,
        "rule": Rule,
        "budget": Budget,
        "unit_cost": UnitCost,
        "job_approval": JobApproval,
        "vector_limits": VectorLimits,
    }
)
"""The checks by their YAML keys."""


def check_name(check: Check) -> str:
    """Return the YAML key of `check`."""
    return next(name for name, model in CHECKS.items() if type(check) is model)
