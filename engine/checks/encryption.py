"""`encryption`: at rest, whose key, in transit, public access and access logging."""

from __future__ import annotations

from dataclasses import dataclass

from engine.checks.context import Context, Judgement, ResourceCheck
from engine.findings import Evidence
from engine.kinds import Kind
from engine.model import Resource, read_field
from engine.policy.checks import Encryption
from engine.values import Answer, Reason, Truth, Unknown, any_of


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing asked of a resource."""

    field: str
    wanted: bool | str
    expected: str
    fault: str


def demands_of(check: Encryption) -> tuple[Demand, ...]:
    """Return what `check` asks, in the order of the documentation."""
    demands = []
    if check.at_rest:
        demands.append(Demand("encryption.at_rest", True, "encrypted", "data at rest is not encrypted"))
    if check.key == "customer":
        demands.append(
            Demand("encryption.key", "customer", "a customer-managed key", "the key is not customer-managed")
        )
    if check.in_transit:
        demands.append(Demand("encryption.in_transit", True, "TLS only", "connections without TLS are accepted"))
    if check.public_access:
        demands.append(Demand("public_access", False, "not public", "it can be reached by the public"))
    if check.access_logging:
        demands.append(Demand("access_logging", True, "logged", "access is not logged"))
    return tuple(demands)


def compile_encryption(check: Encryption, context: Context) -> ResourceCheck:
    """Return the check for one policy."""
    demands = demands_of(check)
    kinds = context.catalog.kinds

    def answers(resource: Resource) -> list[tuple[Demand, Answer, Truth]]:
        kind = kinds[resource.kind]
        found = []
        for demand in demands:
            value = _value(resource, kind, demand, context)
            found.append((demand, value, _violates(value, demand)))
        return found

    def decide(resource: Resource) -> Truth:
        return any_of(violated for _, _, violated in answers(resource))

    def judge(resource: Resource) -> Judgement:
        found = answers(resource)
        violated = any_of(answer for _, _, answer in found)
        evidence = tuple(
            Evidence(f"resource.{demand.field}", value, expected=demand.expected) for demand, value, _ in found
        )
        unknowns = tuple(answer for _, _, answer in found if isinstance(answer, Unknown))
        if violated is True:
            summary = "; ".join(demand.fault for demand, _, answer in found if answer is True)
        elif violated is False:
            summary = "every protection asked for is on"
        else:
            summary = "not every protection could be read"
        return Judgement(violated, summary, evidence, unknowns)

    return ResourceCheck(decide, judge)


def _value(resource: Resource, kind: Kind, demand: Demand, context: Context) -> Answer:
    return read_field(resource, demand.field, kind.field_by_name[demand.field].group, context.now)


def _violates(value: Answer, demand: Demand) -> Truth:
    if isinstance(value, Unknown):
        # A key that is known not to exist is not a customer's key.
        if demand.field == "encryption.key" and value.reason is Reason.MISSING:
            return True
        return Unknown(value.reason, value.detail, f"resource.{demand.field}")
    if value.__class__ is not demand.wanted.__class__:
        return Unknown(Reason.WRONG_TYPE, repr(value), f"resource.{demand.field}")
    return value != demand.wanted
