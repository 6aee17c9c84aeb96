"""
A small world to act in: a cloud of machines in a SQLite database, actions on it, people who are told, a clock.

The cloud logs every effect and every call. In a file it is shared by processes; in memory it belongs to one test.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from engine.acting.action import ActError, Action, Effect, Ready, Refused, Target
from engine.acting.ports import Ports, Result, Sight
from engine.acting.run import Report, Rules, begin, proceed, take_back
from engine.errors import CollectError
from engine.findings import Subject
from engine.model import Resource, Scope, ScopeReport, ScopeStatus
from engine.plan import Plan
from engine.policy.model import Mode, PolicySet
from engine.state.approvals import finding_after, voted
from engine.state.reconcile import Task
from engine.state.records import (
    ActionRecord,
    ApprovalRecord,
    FindingRecord,
    Kept,
    SavingRecord,
    SnoozeRecord,
    Vote,
    put,
    restored,
)
from engine.state.settings import Freeze
from engine.state.store import Store, Table
from tests.engine.estates import ALL_LIMITS, INSTANCE, NOW, context, instance, plan, policies
from tests.engine.state.fakes import MemoryStore

HOUR = timedelta(hours=1)
ACCOUNT, REGION = "111122223333", "us-east-1"
Tick = Callable[[str], None]


def entry(environment: str, mode: str, remediate: str = "[stop]", grace: str = "1h", more: str = "") -> str:
    """Return a policy about the running machines of an environment."""
    approval = '\n    approval: {channel: "#gpu", approvers: ["@ml"], expires: 8h}'
    return (
        f'resource: aws.ec2.instance\n    where: tags.environment == "{environment}"\n    rule: resource.running\n'
        f"    mode: {mode}\n    grace: {grace}\n    remediate: {remediate}\n    {ALL_LIMITS}{approval}{more}"
    )


@cache
def loaded(*entries: str) -> PolicySet:
    return policies(*entries)


ENFORCED = entry("dev", "enforce")
ASKED = entry("test", "approve")


# --- the cloud -----------------------------------------------------------------------------------


class Cloud:
    """Machines as a provider knows them. Each call is one transaction, as far as the provider is concerned."""

    def __init__(self, path: str = ":memory:") -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.db.executescript(
            """PRAGMA synchronous=OFF;
            CREATE TABLE IF NOT EXISTS machine (id TEXT PRIMARY KEY, running INT, until TEXT, tags TEXT, fields TEXT);
            CREATE TABLE IF NOT EXISTS effect (machine TEXT, what TEXT, token TEXT, at TEXT);
            CREATE TABLE IF NOT EXISTS call (machine TEXT, what TEXT, token TEXT, at TEXT);
            CREATE TABLE IF NOT EXISTS told (finding TEXT, what TEXT, at TEXT);"""
        )

    def add(self, identity: str, environment: str = "dev", **fields: Any) -> None:
        tags = json.dumps({"environment": environment, "owner": "ana"})
        self.db.execute("INSERT INTO machine VALUES (?, 1, '', ?, ?)", (identity, tags, json.dumps(fields)))

    def resources(self, now: datetime) -> list[Resource]:
        rows = self.db.execute("SELECT id FROM machine ORDER BY id").fetchall()
        return [found for (identity,) in rows if (found := self.read(identity, now)) is not None]

    def read(self, identity: str, now: datetime) -> Resource | None:
        row = self.db.execute("SELECT running, until, tags, fields FROM machine WHERE id = ?", (identity,)).fetchone()
        if row is None:
            return None
        running = bool(row[0]) and not (row[1] and row[1] <= now.isoformat())
        fields = {"running": running, "state": "running" if running else "stopped", **json.loads(row[3])}
        return instance(identity, fields=fields, tags=json.loads(row[2]))

    def change(self, identity: str, **columns: Any) -> None:
        for name, value in columns.items():
            self.db.execute(f"UPDATE machine SET {name} = ? WHERE id = ?", (value, identity))

    def remove(self, identity: str) -> None:
        self.db.execute("DELETE FROM machine WHERE id = ?", (identity,))

    def stop(self, identity: str, token: str, now: datetime, *, by_token: bool, takes: timedelta) -> None:
        """Stop a machine; `by_token` says whether a second call of a token has no second effect."""

        def change() -> None:
            until = (now + takes).isoformat() if takes else ""
            self.change(identity, **({"until": until} if takes else {"running": 0}))

        self._once(identity, "stop", token, now, by_token, change)

    def tag(self, identity: str, tags: Mapping[str, str], token: str, now: datetime, *, by_token: bool) -> None:
        def change() -> None:
            (text,) = self.db.execute("SELECT tags FROM machine WHERE id = ?", (identity,)).fetchone()
            self.change(identity, tags=json.dumps({**json.loads(text), **tags}))

        self._once(identity, "tag", token, now, by_token, change)

    def start(self, identity: str) -> None:
        self.change(identity, running=1, until="")

    def _once(
        self, identity: str, what: str, token: str, now: datetime, by_token: bool, change: Callable[[], None]
    ) -> None:
        with self.db:
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute("INSERT INTO call VALUES (?, ?, ?, ?)", (identity, what, token, now.isoformat()))
            known = self.db.execute("SELECT 1 FROM effect WHERE what = ? AND token = ?", (what, token)).fetchone()
            if by_token and known:
                return
            self.db.execute("INSERT INTO effect VALUES (?, ?, ?, ?)", (identity, what, token, now.isoformat()))
            change()

    def effects(self, identity: str | None = None) -> list[tuple[str, str, datetime]]:
        rows = self.db.execute("SELECT machine, what, at FROM effect ORDER BY rowid").fetchall()
        return [(m, what, datetime.fromisoformat(at)) for m, what, at in rows if identity in (None, m)]

    def stopped(self) -> list[str]:
        """Return the machines that were stopped, in order; one that was stopped twice stands there twice."""
        return [machine for machine, what, _ in self.effects() if what == "stop"]

    def tell(self, finding: str, what: str, now: datetime) -> None:
        self.db.execute("INSERT INTO told VALUES (?, ?, ?)", (finding, what, now.isoformat()))

    def told(self, what: str) -> list[tuple[str, datetime]]:
        rows = self.db.execute("SELECT finding, at FROM told WHERE what = ? ORDER BY rowid", (what,)).fetchall()
        return [(finding, datetime.fromisoformat(at)) for finding, at in rows]


@dataclass
class Stop:
    """Stop a machine of the cloud."""

    world: World
    remediation: str = "stop"
    kinds: frozenset[str] = frozenset({INSTANCE})
    permissions: frozenset[str] = frozenset({"ec2:StopInstances"})

    def check(self, target: Target) -> Ready | Refused:
        self.world.tick("check")
        if self.world.refusal:
            return Refused(self.world.refusal)
        found = self.world.cloud.read(target.resource.id, self.world.now)
        if found is None or found.fields["running"] is not True:
            return Refused("it is stopped", settled=True)
        return Ready({"running": True}, self.world.caution)

    def do(self, target: Target) -> None:
        world = self.world
        world.tick("do")
        world.fail_where_told("do")
        world.cloud.stop(target.resource.id, target.token, world.now, by_token=world.by_token, takes=world.takes)
        world.tick("did")
        world.fail_where_told("did")

    def verify(self, target: Target) -> Effect:
        world = self.world
        world.tick("verify")
        world.fail_where_told("verify")
        found = world.cloud.read(target.resource.id, world.now)
        if found is None:
            return Effect.GONE
        if found.fields["running"] is not True:
            return Effect.DONE
        (until,) = world.cloud.db.execute("SELECT until FROM machine WHERE id = ?", (target.resource.id,)).fetchone()
        return Effect.PENDING if until else Effect.ABSENT

    def undo(self, target: Target) -> None:
        self.world.tick("undo")
        self.world.fail_where_told("undo")
        self.world.cloud.start(target.resource.id)

    def undone(self, target: Target) -> Effect:
        found = self.world.cloud.read(target.resource.id, self.world.now)
        if found is None:
            return Effect.GONE
        return Effect.DONE if found.fields["running"] is True else Effect.ABSENT


@dataclass
class Tag:
    """Write tags to a machine of the cloud."""

    world: World
    remediation: str = "tag"
    kinds: frozenset[str] = frozenset({INSTANCE})
    permissions: frozenset[str] = frozenset({"ec2:CreateTags"})

    def check(self, target: Target) -> Ready | Refused:
        self.world.tick("check tag")
        done = self.verify(target) is Effect.DONE
        return Refused("it has them", settled=True) if done else Ready({"tags": dict(target.resource.tags)})

    def do(self, target: Target) -> None:
        world = self.world
        world.tick("do tag")
        world.fail_where_told("do tag")
        tags = target.parameters
        world.cloud.tag(target.resource.id, tags, target.token, world.now, by_token=world.by_token)
        world.tick("did tag")

    def verify(self, target: Target) -> Effect:
        self.world.tick("verify tag")
        found = self.world.cloud.read(target.resource.id, self.world.now)
        if found is None:
            return Effect.GONE
        return Effect.DONE if dict(found.tags) | dict(target.parameters) == dict(found.tags) else Effect.ABSENT

    def undo(self, target: Target) -> None:
        raise ActError("not part of these tests", code="irreversible")

    def undone(self, target: Target) -> Effect:
        return Effect.ABSENT


# --- people --------------------------------------------------------------------------------------


@dataclass
class People:
    """Whoever is told; each message that arrives is kept in the cloud's log."""

    world: World

    def warn(self, tasks: Sequence[Task], now: datetime) -> frozenset[str]:
        self.world.tick("warn")
        if self.world.deaf:
            return frozenset()
        for task in tasks:
            self.world.cloud.tell(task.finding.id, "warn", self.world.now)
        self.world.tick("warned")
        return frozenset(task.finding.id for task in tasks)

    def ask(self, approval: ApprovalRecord, task: Task) -> bool:
        self.world.tick("ask")
        if self.world.deaf:
            return False
        self.world.cloud.tell(approval.id, "ask", self.world.now)
        self.world.tick("asked")
        return True


# --- the world -----------------------------------------------------------------------------------


@dataclass
class World:
    """Everything a run needs, with the knobs that tests turn."""

    policies: PolicySet = field(default_factory=lambda: loaded(ENFORCED, ASKED))
    cloud: Cloud = field(default_factory=Cloud)
    store: Store = field(default_factory=MemoryStore)
    now: datetime = NOW
    max_mode: Mode = Mode.ENFORCE
    rules: Rules = field(default_factory=Rules)
    tick: Tick = lambda _what: None
    """Called with the name of everything that a run does outside itself."""
    by_token: bool = True
    takes: timedelta = timedelta(0)
    """How long a stop takes until it is seen."""
    deaf: bool = False
    """Whether no message arrives."""
    refusal: str = ""
    caution: str = ""
    faults: dict[str, ActError] = field(default_factory=dict)
    """What a call raises, by its name."""
    status: ScopeStatus = ScopeStatus.COMPLETE
    unreadable: bool = False
    """Whether single resources cannot be read again."""
    operator: dict[str, Any] = field(default_factory=dict)
    runs: int = 0

    def fail_where_told(self, what: str) -> None:
        if what in self.faults:
            raise self.faults[what]

    def pass_(self, span: timedelta) -> None:
        self.now += span

    def plan(self, resources: Sequence[Resource] | None = None, found: PolicySet | None = None) -> Plan:
        """Return the plan over all machines, or over `resources`."""
        seen = self.cloud.resources(self.now) if resources is None else list(resources)
        report = ScopeReport(Scope(ACCOUNT, REGION, INSTANCE), self.status, len(seen))
        items = [*(seen if self.status is ScopeStatus.COMPLETE else []), report]
        return plan(found or self.policies, items, context(self.now), max_mode=self.max_mode, **self.operator)

    def look(self, policy: str, subject: Subject) -> Sight:
        self.tick("look")
        if self.unreadable:
            raise CollectError.of("no-credentials", "throttled", where=subject.name)
        resource = self.cloud.read(subject.id, self.now)
        named = replace(self.policies, policies=tuple(p for p in self.policies.policies if p.name == policy))
        return Sight(resource, self.plan([resource] if resource is not None else [], named))

    def ports(self, run: str) -> Ports:
        actions: dict[tuple[str, str], Action] = {("stop", INSTANCE): Stop(self), ("tag", INSTANCE): Tag(self)}
        return Ports(self.store, actions, self.look, People(self), lambda: self.now, run)

    def run(self, name: str = "") -> Report:
        """Return the report of one whole run."""
        self.runs += 1
        begun = begin(self.ports(name or f"run-{self.runs}-{self.now:%H%M%S}"))
        assert begun is not None, "another run holds the lease"
        take_back(begun)
        return proceed(begun, self.plan(), self.rules)

    def after(self, span: timedelta) -> Report:
        """Return the report of a run `span` later."""
        self.pass_(span)
        return self.run()

    # --- what is remembered

    def records(self, kind: type[Kept]) -> list[Kept]:
        return [restored(kind, stored).record for stored in self.store.scan(kind.table)]

    def finding(self, identity: str) -> FindingRecord:
        (found,) = [record for record in self.records(FindingRecord) if record.subject.id == identity]
        return found

    def action(self, identity: str) -> ActionRecord:
        (found,) = [record for record in self.records(ActionRecord) if record.subject.id == identity]
        return found

    def savings(self) -> list[SavingRecord]:
        return self.records(SavingRecord)

    def approvals(self) -> Iterator[ApprovalRecord]:
        yield from self.records(ApprovalRecord)

    def decide(self, identity: str, *, yes: bool, who: str = "mira@example.com") -> None:
        """Vote on the pending approval about a machine, as every door does: one commit of vote and finding."""
        for stored in list(self.store.scan(Table.APPROVAL, "pending")):
            held = restored(ApprovalRecord, stored)
            if held.record.subject.id != identity:
                continue
            after = voted(held.record, Vote(who, "cli", yes, self.now), entitled=True)
            assert isinstance(after, ApprovalRecord), after
            puts = [put(after, held.version)]
            found = self.store.get(Table.FINDING, held.record.finding)
            assert found is not None
            finding = restored(FindingRecord, found)
            moved = finding_after(finding.record, after, self.now)
            if moved is not finding.record:
                puts.append(put(moved, finding.version))
            self.store.commit(puts)


# --- what tests begin with, and hands that interfere


def world(**knobs) -> World:
    """Return a world with one enforced and one asked-about machine."""
    found = World(**knobs)
    found.cloud.add("i-dev", "dev")
    found.cloud.add("i-test", "test")
    return found


def due(**knobs) -> World:
    """Return a world whose findings were warned of, and whose grace is over at the next run."""
    found = world(**knobs)
    found.run()
    found.pass_(HOUR)
    return found


def results(report) -> dict[str, Result]:
    return {outcome.step.subject.id: outcome.result for outcome in report.outcomes}


def freeze(here: World, version: int = 0) -> None:
    here.store.commit([put(Freeze(True, "ana", here.now, "an incident"), version)])


def thaw(here: World, version: int = 1) -> None:
    here.store.commit([put(Freeze(False, "ana", here.now), version)])


def snooze(here: World, identity: str, span: timedelta = HOUR) -> None:
    here.store.commit([put(SnoozeRecord(here.finding(identity).id, here.now + span, "ana"), 0)])
