"""
Processes that are killed in the middle of acting, again and again, and what must hold when they are left alone.

A process is forked for every run and every vote. It works on a real SQLite store and on a cloud in another SQLite
file, and kills itself with SIGKILL at a boundary that was drawn: before or after any call to the store, to the
actions, to people, before any statement of a transaction and around its commit.
"""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import event

from engine.acting.run import begin, proceed
from engine.ids import finding_id
from engine.state.ledger import breaks_of
from engine.state.records import ActionRecord, ApprovalRecord, Decision, FindingRecord, Progress, RunRecord, Status
from integrations.store.sql import SqlStore
from integrations.store.sql_open import open_sqlite
from tests.engine.acting.world import ASKED, ENFORCED, NOW, Cloud, World, entry, loaded

TWO_STEPS = entry("two", "enforce", remediate="[{tag: {idle: yes}}, stop]")
MACHINES = {"i-dev-1": "dev", "i-dev-2": "dev", "i-yes": "test", "i-no": "test", "i-two": "two"}
TO_STOP = ("i-dev-1", "i-dev-2", "i-yes", "i-two")
PACE = timedelta(minutes=30)
BOUNDARIES = (
    "after acquire",
    "after get",
    "after scan",
    "before commit",
    "in a transaction",
    "before its commit",
    "after commit",
    "after release",
    "warn",
    "warned",
    "ask",
    "asked",
    "look",
    "check",
    "do",
    "did",
    "verify",
    "do tag",
    "did tag",
    "verify tag",
)
MOST = 500
"""Boundaries of a run with much to do, about."""
ROUNDS = 16
"""Runs in which processes are killed."""
QUIET = 14
"""Runs after that in which nobody is killed: enough for every retry, and for the day that a resource is left alone."""


@dataclass
class Tally:
    """What came out of many worlds."""

    kills: int = 0
    effects: int = 0
    double: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    died: Counter[str] = field(default_factory=Counter)
    """At which boundaries."""

    def add(self, other: Tally) -> None:
        self.kills += other.kills
        self.effects += other.effects
        self.double += other.double
        self.lost += other.lost
        self.wrong += other.wrong
        self.died += other.died


class Fuse:
    """Counts boundaries, and ends the process at one of them."""

    def __init__(self, at: int, only: str, log: Path) -> None:
        self.left, self.only, self.log = at, only, log

    def __call__(self, what: str) -> None:
        self.left -= self.only in ("", what)
        if self.left == 0 and self.only in ("", what):
            with self.log.open("a") as file:
                file.write(f"{what}\n")
            os.kill(os.getpid(), signal.SIGKILL)


class Fused:
    """A store that burns a fuse before and after each of its calls."""

    def __init__(self, store: SqlStore, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse
        event.listen(store.engine, "before_cursor_execute", lambda *_: fuse("in a transaction"))
        event.listen(store.engine, "commit", lambda *_: fuse("before its commit"))

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def called(*args: object, **named: object) -> object:
            self._fuse(f"before {name}")
            given = found(*args, **named)
            self._fuse(f"after {name}")
            return given

        return called


@dataclass
class Place:
    """Where one world's files are."""

    folder: Path
    by_token: bool
    takes: timedelta
    favourite: str = ""
    """The boundary at which most processes of this world die."""

    def fuse(self, rng: Random, round_: int) -> Fuse:
        """Return a fuse for a boundary of a certain name, or for any of them."""
        early = ("warn", "warned") if round_ < 2 else ("ask", "asked") if round_ < 6 else ()
        if early and rng.random() < 0.3:
            return Fuse(1, rng.choice(early), self.folder / "died")
        if rng.random() < 0.7:
            return Fuse(
                rng.choice((1, 1, 1, 2, 3, 4)),
                self.favourite if rng.random() < 0.5 else rng.choice(BOUNDARIES),
                self.folder / "died",
            )
        return Fuse(rng.randrange(1, MOST), "", self.folder / "died")

    def world(self, now: datetime, fuse: Fuse | None = None) -> World:
        """Open the world, as a new process does."""
        store = open_sqlite(self.folder / "state.db")
        return World(
            loaded(ENFORCED, ASKED, TWO_STEPS),
            Cloud(str(self.folder / "cloud.db")),
            store if fuse is None else Fused(store, fuse),  # type: ignore[arg-type]
            now,
            tick=fuse or (lambda _what: None),
            by_token=self.by_token,
            takes=self.takes,
        )


def fork() -> int:
    """Fork, also where the test runner has a thread of its own: the child touches nothing of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def forked(work: Callable[[], None]) -> bool:
    """Do `work` in a process of its own; return whether it was killed."""
    child = fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    assert os.WIFSIGNALED(ended) or os.WEXITSTATUS(ended) == 0, "a process ended with an error of its own"
    return os.WIFSIGNALED(ended)


def run_once(world: World) -> None:
    begun = begin(world.ports(f"run-{world.now:%d-%H%M}"))
    if begun is not None:
        proceed(begun, world.plan(), world.rules)


def vote(world: World) -> None:
    """Let people vote: a yes for one machine, a no for the other."""
    world.decide("i-yes", yes=True)
    world.decide("i-no", yes=False)


def one_world(folder: Path, seed: int, share: int) -> Tally:
    """Let one world go through its kills, then leave it alone, and return what is wrong with it."""
    rng = Random(f"kill {share} {seed}")
    takes = rng.choice((timedelta(0), timedelta(0), timedelta(minutes=10)))
    place = Place(folder, rng.random() < 0.5, takes, BOUNDARIES[seed % len(BOUNDARIES)])
    world = place.world(NOW)
    for machine, environment in MACHINES.items():
        world.cloud.add(machine, environment)
    world.store.close()
    world.cloud.db.close()
    now, tally = NOW, Tally()
    for number in range(ROUNDS):
        fuse = place.fuse(rng, number)
        tally.kills += forked(lambda fuse=fuse, now=now: run_once(place.world(now, fuse)))
        now += PACE / 2
        fuse = Fuse(rng.randrange(1, 60), "", folder / "died")
        if rng.random() < 0.4:
            tally.kills += forked(lambda fuse=fuse, now=now: vote(place.world(now, fuse)))
        now += PACE / 2
    tally.died.update((folder / "died").read_text().splitlines() if (folder / "died").exists() else ())
    left_alone(place, now)
    judge(place, now + QUIET * timedelta(hours=9), tally)
    return tally


def left_alone(place: Place, now: datetime) -> None:
    """Go on in this process, which nobody kills; people who saw no confirmation click again."""
    world = place.world(now)
    for number in range(QUIET):
        run_once(world)
        world.pass_(PACE / 2)
        vote(world)
        world.pass_(PACE / 2 if number < QUIET - 4 else timedelta(hours=9))
    world.store.close()
    world.cloud.db.close()


def judge(place: Place, now: datetime, tally: Tally) -> None:
    """Add to `tally` what one effect, no lost decision and a whole ledger would not have."""
    world = place.world(now)
    stops = world.cloud.stopped()
    tags = [machine for machine, what, _ in world.cloud.effects() if what == "tag"]
    tally.effects += len(stops) + len(tags)
    tally.double += sum(seen.count(m) - 1 for seen in (stops, tags) for m in set(seen))
    say = lambda text: tally.wrong.append(f"{place.folder.name}: {text}")  # noqa: E731
    for machine in TO_STOP:
        done = [a for a in world.records(ActionRecord) if a.subject.id == machine and a.remediation == "stop"]
        ended = world.finding(machine).status in (Status.RESOLVED, Status.VERIFIED)
        if machine not in stops or [a.status for a in done] != [Progress.DONE] or not ended:
            tally.lost += 1
            say(f"{machine}: {stops.count(machine)} stops, {done}, {world.finding(machine)}")
    if "i-no" in stops or world.finding("i-no").status is not Status.DENIED:
        tally.lost += 1
        say(f"a no was lost: {world.finding('i-no')}")
    if {a.status for a in world.records(ApprovalRecord)} - {Decision.APPROVED, Decision.DENIED, Decision.EXPIRED}:
        say(f"an approval has no end: {list(world.approvals())}")
    if len(world.savings()) != len(TO_STOP):
        say(f"{len(world.savings())} savings")
    warned = world.cloud.told("warn")
    for machine, _, at in world.cloud.effects():
        environment = ("dev", "test", "two").index(MACHINES[machine])
        subject = next(r.uid for r in world.cloud.resources(now) if r.id == machine)
        told = [when for id_, when in warned if id_ == finding_id(f"p{environment}", subject)]
        if not any(at - when >= timedelta(hours=1) for when in told):
            say(f"{machine} was acted on at {at} without its grace: {told}")
    if [r for r in world.records(RunRecord) if r.status == "running"]:
        say("a dead run is running")
    if {r.status for r in world.records(FindingRecord)} & {Status.ACTING, Status.PENDING, Status.FAILED}:
        say("a finding hangs")
    tally.wrong += [f"{place.folder.name}: {found}" for found in breaks_of(world.store.entries(), world.store.head())]
    world.store.close()
    world.cloud.db.close()
