"""
Machines as they stream by to the parts of replays: each is judged at every moment under every setting, and forgotten.

What stays of a machine is one byte a run and setting and two bits a bucket, whatever was recorded of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from engine.backtest.judges import (
    BothJudges,
    CheckJudge,
    ContextAt,
    IdleJudge,
    idle_of,
    lasting,
    plain_devices,
    protected,
    stacked,
)
from engine.backtest.model import Candidate, Clock, Demand, Fleet, Judge, Part
from engine.backtest.recording import POWER, USE, Machine, Numbers
from engine.backtest.spells import spell_lengths
from engine.backtest.verdicts import Code, Codes, MachineColumns, levels
from engine.checks.context import Context
from engine.checks.rule import truth
from engine.compiled import subject_of
from engine.evaluate import Tallies
from engine.expr.interpret import interpret
from engine.findings import Outcome, Verdict
from engine.planning import Draft, Installation, take
from engine.policy.model import Expression, Policy
from engine.values import Truth, Unknown, any_of


@dataclass(frozen=True)
class Setting:
    """One set of policies to replay, and what sets it apart from the others."""

    values: tuple[tuple[str, str], ...]
    """Such as `("for", "2h"), ("below.gpu.utilization", "5%")`; empty for policies as they are written."""
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class Prepared:
    """All that replays need."""

    fleet: Fleet
    parts: tuple[tuple[Part, ...], ...]
    """By setting."""
    spells: tuple[tuple[Numbers, ...], ...]
    """Lengths of quiet spells in seconds, by threshold of use in `Aims.spells` and by device."""
    devices: int


@dataclass(frozen=True)
class Aims:
    """What is asked of the recording."""

    settings: tuple[Setting, ...]
    work: float
    """Percent of use from which a device works, for regret and for when a machine is wanted again."""
    spells: tuple[float, ...] = ()
    """Thresholds of use for which quiet spells are wanted."""
    one_signal: bool = False


@dataclass
class _Draft:
    """A part while machines stream by."""

    policy: Policy
    rows: list[Codes] = field(default_factory=list)
    fast: list[Candidate] = field(default_factory=list)
    slow: list[Candidate] = field(default_factory=list)
    kept: list[tuple[int, Machine]] = field(default_factory=list)
    looked_at: int = 0


def prepare(
    machines: Iterable[Machine], aims: Aims, clock: Clock, context_at: ContextAt, installation: Installation
) -> Prepared:
    """Return the parts of all settings of `aims`."""
    context = context_at(clock.grid.moment(clock.grid.buckets))
    drafts = [[_Draft(policy) for policy in setting.policies] for setting in aims.settings]
    demand: list[Demand] = []
    launched: list[float] = []
    spells: list[list[Numbers]] = [[] for _ in aims.spells]
    devices = 0
    for number, machine in enumerate(machines):
        demand.append(demand_of(machine, clock, aims.work, context))
        started = machine.resource.fields.get("launched")
        launched.append(started.timestamp() if isinstance(started, datetime) else 0.0)
        devices += len(machine.tracks)
        for found, below in zip(spells, aims.spells, strict=True):
            found += [
                spell_lengths(track.at, track.values[USE], below) for track in machine.tracks if USE in track.values
            ]
        made = _Made(number, machine, clock, context, installation, aims.one_signal)
        for setting in drafts:
            for draft in setting:
                made.judge(draft)
    parts = tuple(
        tuple(_part(draft, clock, context_at, one_signal=aims.one_signal) for draft in setting) for setting in drafts
    )
    return Prepared(
        Fleet(tuple(demand), np.array(launched, float)), parts, tuple(tuple(found) for found in spells), devices
    )


def demand_of(machine: Machine, clock: Clock, work: float, context: Context) -> Demand:
    """Return when the machine worked: by its use, or where none was recorded by power above rest."""
    if any(USE in track.values for track in machine.tracks):
        level, known = levels(machine, clock.grid, USE)
    else:
        level, known = levels(machine, clock.grid, POWER)
        work = context.watts.get(str(machine.resource.fields.get("accelerator.model")), np.inf)
    with np.errstate(invalid="ignore"):
        return Demand.of(level >= work, known)


class _Made:
    """One machine under all settings; what they share is made once."""

    def __init__(
        self,
        number: int,
        machine: Machine,
        clock: Clock,
        context: Context,
        installation: Installation,
        one_signal: bool,
    ) -> None:
        self._number, self._machine, self._clock = number, machine, clock
        self._context, self._installation, self._one_signal = context, installation, one_signal
        self._columns: MachineColumns | None = None
        self._answers: dict[tuple[str, bool], Truth] = {}

    def judge(self, draft: _Draft) -> None:
        """Add the machine to `draft` if it is the policy's business."""
        policy, resource = draft.policy, self._machine.resource
        if resource.kind not in {kind.name for kind in policy.kinds}:
            return
        scope = self._answer(policy.where, closed=False) if policy.where and lasting(policy.where) else True
        if scope is False:
            return
        draft.looked_at += 1
        check, devices = idle_of(policy), plain_devices(self._machine)
        kind = self._context.catalog.kinds[resource.kind]
        if check is None or devices is None or protected(policy, kind, self._machine):
            draft.slow.append(self._candidate(policy))
            draft.kept.append((self._number, self._machine))
            return
        excused = any_of([self._answer(clause, closed=True) for clause in policy.unless])
        if excused is True:
            return
        codes = self._made_columns(devices).codes(check, self._clock.ends, one_signal=self._one_signal)
        if isinstance(scope, Unknown) or isinstance(excused, Unknown):
            codes[codes >= Code.REPORTED] = Code.UNKNOWN
        draft.rows.append(codes)
        draft.fast.append(self._candidate(policy))

    def _answer(self, clause: Expression, *, closed: bool) -> Truth:
        key = (clause.text, closed)
        if key not in self._answers:
            answer = interpret(clause.node, self._machine.resource, self._context.env(), closed=closed)
            self._answers[key] = truth(answer)
        return self._answers[key]

    def _made_columns(self, devices: int) -> MachineColumns:
        if self._columns is None:
            model = self._machine.resource.fields.get("accelerator.model")
            rest = self._context.watts.get(str(model)) if isinstance(model, str) else None
            self._columns = MachineColumns(self._machine, self._clock.grid, devices=devices, rest=rest)
        return self._columns

    def _candidate(self, policy: Policy) -> Candidate:
        """Return what would be found of the machine and done to it, as a plan has it."""
        resource, draft = self._machine.resource, Draft()
        verdict = Verdict(policy.name, subject_of(resource), Outcome.VIOLATION, "found by a replay")
        tallies = Tallies(counts={policy.name: {Outcome.VIOLATION: 1}})
        take(draft, policy, verdict, resource, tallies, self._context, self._installation)
        return Candidate(self._number, draft.findings[0], tuple(draft.steps))


def _part(draft: _Draft, clock: Clock, context_at: ContextAt, *, one_signal: bool) -> Part:
    check = idle_of(draft.policy)
    window = check.window.total_seconds() if check else 0.0
    numbers = np.array([candidate.machine for candidate in draft.fast], np.int64)
    judge: Judge = IdleJudge(stacked(draft.rows, len(clock.ends)), numbers, window, clock)
    if draft.slow:
        slow = CheckJudge(draft.policy, tuple(draft.kept), clock, context_at, one_signal)
        judge = BothJudges(judge, slow) if draft.fast else slow
    return Part(draft.policy, judge, (*draft.fast, *draft.slow), draft.looked_at)


def settings_of(policies: Sequence[Policy]) -> tuple[Setting, ...]:
    """Return the one setting of policies as they are."""
    return (Setting((), tuple(policies)),)
