"""
`quota`: how much a group may hold at once.

Sums of known parts only grow as more is known, so a limit that the known part exceeds is violated
whatever else there is; a limit that it does not exceed is kept only if every part is known: every
scope read, every member's amount known, and no resource whose group is not known.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Context as Arithmetic
from decimal import Decimal

from engine.checks.context import Context, Judgement
from engine.expr.interpret import interpret
from engine.expr.semantics import absent
from engine.findings import Evidence
from engine.model import Resource, read_field
from engine.policy.checks import Quota, QuotaLimits
from engine.policy.model import Expression
from engine.telemetry import as_count
from engine.values import Answer, Reason, Unknown

NOBODY = "(none)"
"""The group of resources that are known to have no value for the grouping."""
ANYONE = "(unknown)"
"""Stands for the groups where none is known and something could not be read."""
DIGITS = 60
"""Of sums: enough for prices of 28 digits to be added exactly, in whatever order they come."""
SHOWN = 5


@dataclass
class Holding:
    """What one group holds so far."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    unknowns: dict[str, list[Unknown]] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    """The first few names in alphabetical order."""
    count: int = 0

    def name(self, member: str) -> None:
        """Count a member."""
        self.count += 1
        insort(self.members, member)
        del self.members[SHOWN:]


@dataclass
class QuotaTotals:
    """Gathers a policy's resources during a run and judges its groups at the end."""

    check: Quota
    group_by: Sequence[Expression]
    context: Context
    groups: dict[str, Holding] = field(default_factory=dict)
    homeless: list[Unknown] = field(default_factory=list)
    """Resources that may belong to any group."""
    arithmetic: Arithmetic = field(default_factory=lambda: Arithmetic(prec=DIGITS))

    def add(self, resource: Resource, uncertain: Unknown | None) -> None:
        """Count `resource`; `uncertain` says why it may not be the policy's business at all."""
        group = self._group_of(resource)
        if isinstance(group, Unknown):
            self.homeless.append(group)
            return
        holding = self.groups.setdefault(group, Holding())
        holding.name(resource.name or resource.id)
        for name in self._limit_names():
            amount = self._amount(resource, name) if uncertain is None else uncertain
            if isinstance(amount, Unknown):
                holding.unknowns.setdefault(name, []).append(amount)
            else:
                holding.amounts[name] = self.arithmetic.add(holding.amounts.get(name, Decimal(0)), amount)

    def fail(self, resource: Resource, error: Exception) -> None:
        """Note that `resource` could not be counted for a defect of the policy or of ours."""
        detail = f"the policy failed on {resource.name or resource.id}: {type(error).__name__}: {error}"
        self.homeless.append(Unknown(Reason.SOURCE_ERROR, detail))

    def _limit_names(self) -> Iterator[str]:
        every = (self.check.limits, *self.check.overrides.values())
        for name in ("accelerators", "resources", "spend_rate"):
            if any(getattr(limits, name) is not None for limits in every):
                yield name

    def _group_of(self, resource: Resource) -> str | Unknown:
        parts = []
        for expression in self.group_by:
            value = interpret(expression.node, resource, self.context.env())
            if isinstance(value, Unknown):
                if not absent(value):
                    return value
                parts.append(NOBODY)
            else:
                parts.append(str(value))
        return "/".join(parts)

    def _amount(self, resource: Resource, name: str) -> Decimal | Unknown:
        match name:
            case "accelerators":
                return self._accelerators(resource)
            case "resources":
                return Decimal(1)
            case _:
                return self.context.hourly_cost(resource)

    def _accelerators(self, resource: Resource) -> Decimal | Unknown:
        """Return the accelerators it holds now: none while it is known not to run."""
        kind = self.context.catalog.kinds[resource.kind]
        if "running" in kind.field_by_name:
            running = read_field(resource, "running", kind.field_by_name["running"].group, self.context.now)
            if running is False:
                return Decimal(0)
            if running is not True:
                return _as_unknown(running, "resource.running")
        path = "accelerator.count"
        answer = read_field(resource, path, kind.field_by_name[path].group, self.context.now)
        count = as_count(answer)
        return _as_unknown(answer, f"resource.{path}") if count is None else Decimal(str(count))

    def judge(self, gaps: Sequence[Unknown]) -> Iterator[tuple[str, Judgement]]:
        """Yield each group with its judgement; `gaps` are the scopes that could not be read."""
        names = {*self.groups, *self.check.overrides}
        if not names and (self.homeless or gaps):
            names = {ANYONE}
        for group in sorted(names):
            holding = self.groups.get(group, Holding())
            limits = self.check.overrides.get(group, self.check.limits)
            yield group, self._judge_group(holding, limits, gaps)

    def _judge_group(self, holding: Holding, limits: QuotaLimits, gaps: Sequence[Unknown]) -> Judgement:
        over: list[str] = []
        unknowns: list[Unknown] = []
        evidence: list[Evidence] = []
        for name in self._limit_names():
            limit = getattr(limits, name)
            if limit is None:
                continue
            held = holding.amounts.get(name, Decimal(0))
            missing = [*holding.unknowns.get(name, ()), *self.homeless, *gaps]
            evidence.append(_held(name, held, limit, holding, missing))
            if held > limit:
                over.append(f"holds {_amount_text(name, held)}, {_amount_text(name, limit)} allowed")
            else:
                unknowns.extend(missing)
        if over:
            return Judgement(True, "; ".join(over), tuple(evidence))
        if unknowns:
            distinct = tuple(sorted(set(unknowns), key=lambda u: (u.reason, u.path, u.detail)))
            summary = "within its quota as far as is known, but not everything could be counted"
            return Judgement(distinct[0], summary, tuple(evidence), distinct[:SHOWN])
        return Judgement(False, "within its quota", tuple(evidence))


def _as_unknown(answer: Answer, path: str) -> Unknown:
    if isinstance(answer, Unknown):
        return Unknown(answer.reason, answer.detail, path)
    return Unknown(Reason.WRONG_TYPE, repr(answer), path)


def _held(name: str, held: Decimal, limit: Decimal, holding: Holding, missing: Sequence[Unknown]) -> Evidence:
    members = ", ".join(holding.members)
    more = f" and {holding.count - len(holding.members)} more" if holding.count > len(holding.members) else ""
    at_least = f"; at least, {len(missing)} not counted" if missing else ""
    value: Answer = held
    return Evidence(
        f"quota.{name}",
        value,
        "usd/h" if name == "spend_rate" else "",
        f"at most {_amount_text(name, Decimal(limit))}",
        f"{members}{more}{at_least}",
    )


def _amount_text(name: str, amount: Decimal | int) -> str:
    number = Decimal(amount)
    if name == "spend_rate":
        return f"${number:,.2f}/h"
    text = f"{number.normalize():,f}"
    return f"{text} {name[:-1] if number == 1 else name}"
