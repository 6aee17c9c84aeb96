"""The shape of a `*_test.yaml` file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine.cases.samples import samples_of
from engine.model import ScopeStatus
from engine.policy.model import Mode
from engine.policy.scalars import Number, Text, from_text, list_of_one
from engine.units import UnitError
from engine.values import Reason

STRICT = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)


def moment(text: str) -> datetime:
    """Return a time in ISO 8601 with a zone, UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UnitError(f"`{text}` is not a time with a zone", "write such as `2026-03-04T16:00:00Z`")
    return found.astimezone(UTC)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise UnitError(f"`{text}` is neither true nor false")
    return text == "true"


def _one_device(value: Any) -> Any:
    """Return samples of the resource as a whole as those of a device without a name."""
    return {"": value} if isinstance(value, str) else value


Moment: TypeAlias = Annotated[datetime, from_text(moment)]
Moments: TypeAlias = Annotated[tuple[Moment, ...], BeforeValidator(list_of_one)]
Samples: TypeAlias = Annotated[tuple[float | None, ...], from_text(samples_of)]
Devices: TypeAlias = Annotated[Mapping[str, Samples], BeforeValidator(_one_device)]


class UsageDocument(BaseModel):
    """What a resource is charged for."""

    model_config = STRICT

    sku: Text
    quantity: Number = Decimal(1)
    unit: Text = "hour"
    role: Text = "compute"
    kept: str = ""


class ResourceDocument(BaseModel):
    """A resource, or the difference to another one."""

    model_config = STRICT

    base: str = Field("", alias="from")
    kind: str = ""
    id: str = ""
    name: str = ""
    account: str = ""
    region: str = ""
    fields: Mapping[str, Any] = Field(default_factory=dict)
    tags: Mapping[str, str] = Field(default_factory=dict)
    gaps: Mapping[str, Reason] = Field(default_factory=dict)
    metrics: Mapping[str, Devices] = Field(default_factory=dict)
    usage: tuple[UsageDocument, ...] | Reason | None = None
    without: tuple[str, ...] = ()


class CaseDocument(BaseModel):
    """One case."""

    model_config = STRICT

    name: Text
    policy: Text
    now: Moments = ()
    """The case holds at each of them; the file's `now` where there is none."""
    resource: ResourceDocument | None = None
    resources: tuple[ResourceDocument, ...] = ()
    """Those of a group together; of a policy about single resources, each by itself."""
    group: str = ""
    scopes: Mapping[str, ScopeStatus] = Field(default_factory=dict)
    expect: Literal["violation", "compliant", "unknown", "exempt", "error"]
    applies: Annotated[bool, from_text(_truth)] = True
    """False where `where` leaves the resource out, so that it does not count among those looked at either."""
    reason: Reason | None = None
    classification: str = ""
    steps: tuple[str, ...] | None = None
    mode: Mode | None = None
    """How far the policy goes about the violation."""

    @property
    def documents(self) -> tuple[ResourceDocument, ...]:
        """Every resource of the case."""
        return (*((self.resource,) if self.resource else ()), *self.resources)


class SurvivorDocument(BaseModel):
    """A mutant that no case has to kill."""

    model_config = STRICT

    policy: Text
    mutant: Text
    """As `bursar test --mutate` names it."""
    reason: Text
    """Why no case can tell it from the policy, or why none needs to."""


class CasesDocument(BaseModel):
    """A file of cases."""

    model_config = STRICT

    version: Literal["1"]
    now: Moment
    fixtures: Mapping[str, ResourceDocument] = Field(default_factory=dict)
    cases: tuple[CaseDocument, ...] = Field(min_length=1)
    survivors: tuple[SurvivorDocument, ...] = ()
