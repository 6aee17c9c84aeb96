"""
The runs of an installation over recorded telemetry: found, warned, asked, held back, done.

The life of a finding, its limits and its rest after an act are those of real runs; only people, who answer after a
while, and the machine, which is off from an act until it is wanted, are made up. Breakers are left out: they wait for a
person to look, and are taken to be accepted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from engine.acting.agenda import Bounds, agenda
from engine.backtest.model import (
    OBSERVED,
    Act,
    Assessed,
    Candidate,
    Clock,
    Conduct,
    Demand,
    Fleet,
    Outcome,
    Part,
    Played,
)
from engine.backtest.verdicts import Code, Codes
from engine.evaluate import Tallies
from engine.findings import Outcome as Verdicts
from engine.limits import holds_of
from engine.plan import Step
from engine.policy.model import Mode
from engine.state import lifecycle
from engine.state.lifecycle import Cleared, Sighting, Unseen, Violated, Wish
from engine.state.reconcile import Task, sighting_of
from engine.state.records import ActionRecord, FindingRecord, Held, Progress, Status

EXPIRES = timedelta(hours=8)
"""How long a question waits where the policy does not say."""
OVER = Cleared("it is not a violation any more")
UNKNOWN, REPORTED, FOUND = int(Code.UNKNOWN), int(Code.REPORTED), int(Code.FOUND)
"""As plain numbers: comparing arrays with members of an enumeration is slow."""


def replay(parts: tuple[Part, ...], fleet: Fleet, clock: Clock, conduct: Conduct, runs: range | None = None) -> Played:
    """Return what the `runs` of `clock`, all if not given, would have done; nothing is known before the first."""
    chosen = range(len(clock.ends)) if runs is None else runs
    course = _Course(fleet, clock, conduct)
    for run in chosen:
        course.run(parts, run)
    return course.played(len(chosen))


@dataclass
class _Course:
    """The state of the simulated installation."""

    fleet: Fleet
    clock: Clock
    conduct: Conduct
    records: dict[str, FindingRecord] = field(default_factory=dict)
    decided: dict[str, datetime] = field(default_factory=dict)
    recent: dict[str, ActionRecord] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    alive: dict[str, set[int]] = field(default_factory=dict)
    """By policy: the places of candidates whose finding is not over."""
    sightings: dict[tuple[str, bool], Violated] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.launched = self.fleet.launched.copy()
        self.off_until = np.zeros(len(self.launched))
        """Seconds since 1970."""
        self.numbers: dict[str, Candidate] = {}

    def run(self, parts: tuple[Part, ...], run: int) -> None:
        """Do one run: everything it sees was recorded before it."""
        now, seconds = self.clock.moment(run), self.clock.grid.start + int(self.clock.ends[run]) * self.clock.grid.step
        off = self.off_until > seconds
        tasks: list[Task] = []
        violating: dict[str, list[Step]] = {}
        for part in parts:
            codes = part.judge.codes(run, self.launched, off)
            self.counts["judged"] += part.looked_at
            self.counts["undecided"] += int((codes == UNKNOWN).sum())
            alive = self.alive.setdefault(part.policy.name, set())
            found = np.flatnonzero(codes >= REPORTED).tolist()
            self._rest(part, codes, alive.difference(found), now)
            for place in found:
                candidate = part.candidates[place]
                steps = candidate.steps if codes[place] == FOUND else ()
                violating.setdefault(part.policy.name, []).extend(steps)
                tasks += self._seen(candidate, self._violated(candidate, steps), steps, now)
            alive.update(found)
        self._carry_on(tasks, parts, violating, now, int(self.clock.ends[run]))

    def _rest(self, part: Part, codes: Codes, places: set[int], now: datetime) -> None:
        """Move on the findings that were not seen by this run, and forget those that are over."""
        for place in sorted(places):
            candidate = part.candidates[place]
            self._seen(candidate, Unseen() if codes[place] == UNKNOWN else OVER, (), now)
            if self.records[candidate.finding.id].status is Status.RESOLVED:
                self.alive[part.policy.name].discard(place)

    def _violated(self, candidate: Candidate, steps: tuple[Step, ...]) -> Violated:
        """Return how the candidate is seen; its digest is made once."""
        key = (candidate.finding.id, bool(steps))
        if key not in self.sightings:
            self.sightings[key] = sighting_of(candidate.finding, steps, Mode.ENFORCE)
        return self.sightings[key]

    def _seen(
        self, candidate: Candidate, sighting: Sighting, steps: tuple[Step, ...], now: datetime
    ) -> tuple[Task, ...]:
        finding = candidate.finding
        before = self.records.get(finding.id)
        if before is None:
            before = lifecycle.opened(finding.id, finding.verdict.policy, finding.subject, now)
            self.numbers[finding.id] = candidate
            self.counts["findings"] += 1
        answered = self._answered(before, now)
        after = lifecycle.advance(answered, sighting, now)
        self.counts["findings"] += after.episode - before.episode
        self.records[finding.id] = after
        wish = lifecycle.wish(after, sighting)
        return () if wish is Wish.NOTHING else (Task(finding, steps, Held(after, 1), wish),)

    def _answered(self, record: FindingRecord, now: datetime) -> FindingRecord:
        """Return the record once people have decided, or had their time to."""
        if record.status is not Status.PENDING:
            return record
        expires = record.since + self._expires(record)
        decided = self.decided[record.approval]
        if decided <= now and decided < expires:
            return lifecycle.answered(record, Status.APPROVED, now)
        if now >= expires:
            self.counts["expired"] += 1
            return lifecycle.answered(record, Status.EXPIRED, now, "nobody decided in time")
        return record

    def _expires(self, record: FindingRecord) -> timedelta:
        approval = self.numbers[record.id].steps[0].approval
        return approval.expires if approval is not None else EXPIRES

    def _carry_on(
        self, tasks: list[Task], parts: tuple[Part, ...], violating: dict[str, list[Step]], now: datetime, bucket: int
    ) -> None:
        """Warn, ask and act as one run does."""
        tasks = [moved for task in tasks for moved in self._warned(task, now)]
        if not tasks:
            return
        holds = tuple(
            hold
            for part in parts
            for hold in holds_of((part.policy,), violating.get(part.policy.name, ()), _looked_at(part))
        )
        chosen = agenda(tasks, Bounds(holds, (), self.conduct.limits, recent=self.recent), now)
        for blocked in chosen.blocked:
            self.held[_kind_of(blocked.reason)] += 1
        for task in chosen.ask:
            question = f"{task.finding.id}.{task.held.record.episode}.{task.held.record.asked}"
            self.decided[question] = self.conduct.latency.decided(now, question, self.conduct.zones)
            sighting = self._violated(self.numbers[task.finding.id], task.steps)
            self.records[task.finding.id] = lifecycle.asked(task.held.record, question, sighting.fingerprint, now)
            self.counts["asked"] += 1
        for task in chosen.act:
            self._act(task, now, bucket)

    def _warned(self, task: Task, now: datetime) -> tuple[Task, ...]:
        """Return what a task waits for once its warning is out; a grace of nothing is over at once."""
        if task.wish is not Wish.WARN:
            return (task,)
        self.counts["warned"] += 1
        sighting = self._violated(self.numbers[task.finding.id], task.steps)
        told = lifecycle.advance(lifecycle.warned(task.held.record, sighting, now), sighting, now)
        self.records[task.finding.id] = told
        wish = lifecycle.wish(told, sighting)
        return () if wish is Wish.NOTHING else (Task(task.finding, task.steps, Held(told, 1), wish),)

    def _act(self, task: Task, now: datetime, bucket: int) -> None:
        record, step = task.held.record, task.steps[-1]
        number = self.numbers[record.id].machine
        done = lifecycle.done(lifecycle.intended(record, now), now)
        self.records[record.id] = done
        self.recent[record.subject.uid] = ActionRecord(
            step.id, step.id, record.id, record.episode, record.policy, step.remediation, record.subject,
            Progress.DONE, "", "", "replay", now, finished=now,
        )  # fmt: skip
        until = self.fleet.demand[number].next_work(bucket)
        self.acts.append(Act(record.policy, number, record.id, bucket, now, until, task.finding.savings))
        if any(one.remediation in self.conduct.stopping for one in task.steps):
            again = np.inf if until is None else self.clock.grid.start + until * self.clock.grid.step
            self.off_until[number] = self.launched[number] = again

    def played(self, runs: int) -> Played:
        counts, hours = self.counts, self.clock.hours
        return Played(
            runs, tuple(self.acts), counts["findings"], counts["warned"], counts["asked"],
            counts["expired"], self.held, counts["undecided"] * hours, counts["judged"] * hours,
        )  # fmt: skip


def _looked_at(part: Part) -> Tallies:
    return Tallies(counts={part.policy.name: {Verdicts.COMPLIANT: part.looked_at}})


def _kind_of(reason: str) -> str:
    """Return the limit that a reason is about."""
    if "left alone" in reason:
        return "rest after an act"
    return reason.partition(" is ")[0]


def assess(played: Played, fleet: Fleet, clock: Clock, horizon: timedelta, end: int | None = None) -> Outcome:
    """
    Return what the recording shows of the time after each act: the one place that looks ahead.

    Nothing from the bucket `end` on is looked at, if it is given.
    """
    length, last = clock.grid.length(horizon), clock.grid.buckets if end is None else end
    found = tuple(_assessed(act, fleet.demand[act.machine], clock, length, last) for act in played.acts)
    return Outcome(played, found, horizon)


def _assessed(act: Act, demand: Demand, clock: Clock, length: int, last: int) -> Assessed:
    hours = clock.grid.step / 3600
    end = last if act.until is None else min(act.until, last)
    recorded = demand.recorded()
    known = int(recorded[act.bucket : end].sum())
    after = slice(act.bucket, min(act.bucket + length, last))
    displaced = int(demand.worked()[after].sum())
    seen = recorded[after].sum() >= length * OBSERVED
    return Assessed(
        act,
        saved=known * hours,
        unrecorded=(end - act.bucket - known) * hours,
        displaced=displaced * hours,
        regretted=displaced > 0,
        observed=displaced > 0 or bool(seen),
    )
