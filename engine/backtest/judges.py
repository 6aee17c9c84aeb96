"""
Who says what a policy makes of recorded machines: the verdicts made at once, or the check itself, run by run.

The check itself judges what the fast way does not know: other checks, other metrics, conditions that change with time,
machines whose facts are not certain, and machines of which it was recorded whether something else works on them. Both
come to the same codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np

from engine.backtest.model import Clock, Judge
from engine.backtest.recording import Flags, Indexes, Machine, Numbers, seen_until
from engine.backtest.verdicts import JUDGED, Code, Codes
from engine.checks.context import Context
from engine.checks.idle_look import protections
from engine.compiled import CompiledPolicy, compile_check, compile_policy
from engine.expr.syntax import MetricCall, NowRef
from engine.expr.uses import uses, walk
from engine.findings import Confidence, Outcome
from engine.kinds import Kind
from engine.policy.checks import Idle
from engine.policy.model import Expression, Policy
from engine.telemetry import as_count

ContextAt: TypeAlias = Callable[[datetime], Context]
CHANGING = frozenset({"age", "running", "launched", "state"})
"""Fields that are not the same at every moment of a replay."""


@dataclass(frozen=True, eq=False)
class IdleJudge:
    """Codes made beforehand, for machines that have been up for long enough."""

    made: Codes
    """By candidate and run."""
    machines: Indexes
    window: float
    """Seconds; who has not been up for so long is too new to be judged."""
    clock: Clock

    def codes(self, run: int, launched: Numbers, off: Flags) -> Codes:
        grid = self.clock.grid
        now = grid.start + int(self.clock.ends[run]) * grid.step
        codes: Codes = np.where(now - launched[self.machines] < self.window, np.int8(Code.UNKNOWN), self.made[:, run])
        codes[off[self.machines]] = Code.COMPLIANT
        return codes


@dataclass(frozen=True, eq=False)
class CheckJudge:
    """The check itself, on what was recorded before each run."""

    policy: Policy
    machines: tuple[tuple[int, Machine], ...]
    clock: Clock
    context_at: ContextAt
    one_signal: bool = False

    def codes(self, run: int, launched: Numbers, off: Flags) -> Codes:
        bucket = int(self.clock.ends[run])
        context = self.context_at(self.clock.moment(run))
        made: dict[tuple[str, frozenset[str]], CompiledPolicy | None] = {}
        codes: list[Code] = []
        for number, machine in self.machines:
            like = machine.resource.kind, machine.beside
            if like not in made:
                made[like] = _compiled(self.policy, context, *like)
            compiled, state = made[like], (launched[number], bool(off[number]))
            found = Code.UNKNOWN if compiled is None else self._code(compiled, machine, bucket, state)
            codes.append(found)
        return np.array(codes, np.int8)

    def _code(self, compiled: CompiledPolicy, machine: Machine, bucket: int, state: tuple[float, bool]) -> Code:
        launched, off = state
        resource = seen_until(machine, self.clock.grid, bucket)
        changes: dict[str, datetime | bool] = {}
        if off:
            changes["running"] = False
        elif isinstance(resource.fields.get("launched"), datetime):
            changes["launched"] = datetime.fromtimestamp(launched, UTC)
        resource = replace(resource, fields={**resource.fields, **changes})
        match compiled.decide(resource):
            case Outcome.VIOLATION:
                verdict = compiled.explain(resource).verdict
                lone = self.one_signal and verdict.confidence is Confidence.LOW
                return Code.FOUND if verdict.actionable or lone else Code.REPORTED
            case Outcome.UNKNOWN | Outcome.ERROR:
                return Code.UNKNOWN
            case _:
                return Code.COMPLIANT


def _compiled(policy: Policy, context: Context, kind: str, beside: frozenset[str]) -> CompiledPolicy | None:
    recorded = as_recorded(policy, context.catalog.kinds[kind], beside)
    check = compile_check(recorded, context)
    return None if check is None else compile_policy(recorded, check, context)


@dataclass(frozen=True, eq=False)
class BothJudges:
    """The candidates of one judge, and then those of another."""

    first: Judge
    second: Judge

    def codes(self, run: int, launched: Numbers, off: Flags) -> Codes:
        return np.concatenate([self.first.codes(run, launched, off), self.second.codes(run, launched, off)])


def as_recorded(policy: Policy, kind: Kind, beside: frozenset[str]) -> Policy:
    """
    Return `policy` as a recording can answer it, of a machine of which `beside` was recorded as a whole.

    What protects it from an act is left out where it was not recorded, and so are samples that are missing: a
    recording is laid on a grid that its source does not know. So a replay acts no less than runs would, and its
    regret is no lower than theirs.
    """
    check = policy.check
    if not isinstance(check, Idle):
        return policy
    kept = {name: limit for name, limit in protections(check, kind).items() if name in beside}
    return replace(policy, check=check.model_copy(update={"protect_while": kept, "unseen": check.window}))


def protected(policy: Policy, kind: Kind, machine: Machine) -> bool:
    """Return whether something that was recorded of `machine` may protect it from what `policy` does."""
    check = policy.check
    return isinstance(check, Idle) and bool(protections(check, kind).keys() & machine.beside)


def idle_of(policy: Policy) -> Idle | None:
    """Return the check of `policy` if the fast way knows it; None otherwise."""
    check = policy.check
    if not isinstance(check, Idle) or not set(check.below) <= JUDGED:
        return None
    conditions = [*((policy.where,) if policy.where else ()), *policy.unless]
    return check if all(lasting(one) for one in conditions) else None


def lasting(condition: Expression) -> bool:
    """Return whether `condition` has one answer for the whole replay."""
    changing = uses(condition.node).fields & CHANGING
    return not changing and not any(isinstance(part, MetricCall | NowRef) for part in walk(condition.node))


def plain_devices(machine: Machine) -> int | None:
    """Return how many devices a machine has whose facts are all certain; None for any other."""
    fields = machine.resource.fields
    launched, count = fields.get("launched"), as_count(fields.get("accelerator.count", False))
    devices = as_count(fields.get("accelerator.devices", False))
    certain = fields.get("running") is True and isinstance(launched, datetime) and launched.tzinfo is not None
    return int(np.ceil(float(devices))) if certain and count and devices is not None else None


def stacked(rows: Sequence[Codes], runs: int) -> Codes:
    return np.vstack(rows) if rows else np.empty((0, runs), np.int8)
