"""
Who says what a policy makes of recorded machines: the verdicts made at once, or the check itself, run by run.

The check itself judges what the fast way does not know: other checks, other metrics, conditions that change with time,
and machines whose facts are not certain. Both come to the same codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np

from engine.backtest.model import Clock, Judge
from engine.backtest.recording import Flags, Grid, Indexes, Machine, Numbers, seen_until
from engine.backtest.verdicts import JUDGED, Code, Codes
from engine.checks.context import Context
from engine.compiled import CompiledPolicy, compile_check, compile_policy
from engine.expr.syntax import MetricCall, NowRef
from engine.expr.uses import uses, walk
from engine.findings import Confidence, Outcome
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
        now, bucket = self.clock.moment(run), int(self.clock.ends[run])
        context = self.context_at(now)
        policy = as_recorded(self.policy)
        check = compile_check(policy, context)
        if check is None:
            return np.full(len(self.machines), Code.UNKNOWN, np.int8)
        compiled = compile_policy(policy, check, context)
        codes = [
            self._code(compiled, machine, self.clock.grid, bucket, (launched[number], bool(off[number])))
            for number, machine in self.machines
        ]
        return np.array(codes, np.int8)

    def _code(
        self, compiled: CompiledPolicy, machine: Machine, grid: Grid, bucket: int, state: tuple[float, bool]
    ) -> Code:
        launched, off = state
        resource = seen_until(machine, grid, bucket)
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


@dataclass(frozen=True, eq=False)
class BothJudges:
    """The candidates of one judge, and then those of another."""

    first: Judge
    second: Judge

    def codes(self, run: int, launched: Numbers, off: Flags) -> Codes:
        return np.concatenate([self.first.codes(run, launched, off), self.second.codes(run, launched, off)])


def as_recorded(policy: Policy) -> Policy:
    """
    Return `policy` as a recording can answer it, which has use, power and memory of GPUs and nothing beside.

    What protects a machine from an act (other work, a sample that is missing) is left out, so that a replay acts
    no less than runs would, and its regret is no lower than theirs.
    """
    if not isinstance(policy.check, Idle):
        return policy
    return replace(policy, check=policy.check.model_copy(update={"protect_while": {}, "unseen": policy.check.window}))


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
