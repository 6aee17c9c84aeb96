"""The view follows the ledger: one by one, whole, or from the start where the state is another one."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bursar.server.history import History
from bursar.server.keeper import FEW, Keeper
from bursar.server.pool import StorePool
from engine.policy.model import Severity
from engine.state.ledger import Entry, Note
from engine.state.store import Put, StateError, Table
from tests.bursar.server.company import NOW, ask, company, found, remember, stop
from tests.engine.state.fakes import Memory, MemoryStore


@dataclass
class Watched:
    """A keeper over a store in memory that counts what is read."""

    store: MemoryStore = field(default_factory=MemoryStore)
    scans: int = 0
    decided: int = 0
    down: bool = False

    def __post_init__(self):
        self.reader = MemoryStore(self.store.memory, before=self._count)
        self.keeper = Keeper(StorePool(self._opened), lambda: NOW)
        self.keeper.on_decision = lambda: setattr(self, "decided", self.decided + 1)

    def _opened(self):
        from contextlib import nullcontext

        return nullcontext(self.reader)

    def _count(self, method):
        if self.down:
            raise StateError.of("state-unavailable", "it is down", where="memory")
        self.scans += method == "scan"

    def look(self):
        """Look, and return whether all findings were read again."""
        before = self.scans
        self.keeper.look()
        return self.scans - before


IDLE = found(1, "one", "mira", "1", Severity.HIGH)


def test_nothing_new_reads_nothing():
    """As long as the ledger ends where it did, nothing but its end is read."""
    here = Watched()
    company(here.store)
    assert here.look() > 0
    view = here.keeper.view
    assert here.look() == 0
    assert here.keeper.view is view


def test_a_decision_is_followed_alone():
    """A few entries lead to the records they are about; what others hold stays the very same object."""
    here = Watched()
    remember(here.store, [IDLE, found(2, "two", "", "1", Severity.LOW)], [stop(IDLE)])
    here.look()
    before = here.keeper.view
    ask(here.store, IDLE, stop(IDLE))
    here.look()
    after = here.keeper.view
    assert after.rows[IDLE.id].status == "pending"
    assert [a.finding for a in after.pending(NOW)] == [IDLE.id]
    other = next(id_ for id_ in before.rows if id_ != IDLE.id)
    assert after.rows[other] is before.rows[other]
    assert [event.kind for event in here.keeper.history.of(IDLE.id)] == [
        "finding.pending", "approval.asked", "finding.open"]  # fmt: skip


def test_many_entries_are_read_whole():
    """More entries than can be followed, and a run, lead to reading everything."""
    here = Watched()
    remember(here.store, [IDLE])
    here.look()
    many = [found(n, f"n{n}", "", "1", Severity.LOW) for n in range(10, 12 + FEW)]
    remember(here.store, many)
    here.keeper._rested = 0
    here.look()
    assert len(here.keeper.view.rows) == len(many) + 1
    assert here.keeper.view.head == here.store.head()


@pytest.mark.parametrize(
    ("kind", "subject"), [("finding.approved", IDLE.id), ("action.undo-asked", f"{IDLE.id}-stop.1")]
)
def test_a_decision_is_told_once(kind, subject):
    """What a person wants the next run to do, by any door, is told; a run's own entries and those before are not."""
    here = Watched()
    remember(here.store, [IDLE])
    here.store.commit([], [Note(NOW, kind, subject, actor="slack:mira")])
    here.look()
    assert here.decided == 0
    here.store.commit([], [Note(NOW, kind, subject, actor="slack:mira")])
    here.look()
    assert here.decided == 1
    here.store.commit([], [Note(NOW, kind, subject, run="20260304-160000-abcdef")])
    here.look()
    assert here.decided == 1


def test_a_state_that_is_down():
    """What was read stays, with why it is not newer; once the state is back the view goes on."""
    here = Watched()
    remember(here.store, [IDLE])
    here.look()
    here.down = True
    remember(here.store, [found(3, "three", "", "1", Severity.LOW)])
    here.look()
    assert here.keeper.trouble == "it is down"
    assert len(here.keeper.view.rows) == 1
    here.down = False
    here.look()
    assert here.keeper.trouble == ""
    assert len(here.keeper.view.rows) == 2


@pytest.mark.parametrize("body", [{}, {"subject": 7}, {"subject": {"name": "x"}, "shown": {"cost": "much"}}])
def test_a_damaged_detail(body):
    """A record that is not one is named, and the view of before stays."""
    here = Watched()
    remember(here.store, [IDLE])
    here.look()
    view, looked = here.keeper.view, here.keeper.looked
    here.store.commit([Put(Table.DETAIL, "f" * 16, "", body, 0)], [Note(NOW, "run.finished", "r", "r")])
    here.keeper._rested = 0
    here.look()
    assert "detail `ffffffffffffffff` is damaged" in here.keeper.trouble
    assert (here.keeper.view, here.keeper.looked) == (view, looked)


def test_a_defect_is_said():
    """What nobody thought of does not end the looking, and does not look like a fresh view."""
    here = Watched()
    remember(here.store, [IDLE])
    here.keeper.ahead = lambda _view: 1 / 0
    here.look()
    assert "a defect of the server: ZeroDivisionError" in here.keeper.trouble
    here.keeper.ahead = lambda _view: None
    here.look()
    assert (here.keeper.trouble, len(here.keeper.view.rows)) == ("", 1)


@pytest.mark.parametrize("lineage", ["memory", "another"])
def test_a_state_that_was_replaced(lineage):
    """Another store, or an older state of it, is read from the start and keeps nothing of before."""
    here = Watched()
    remember(here.store, [IDLE, found(2, "two", "", "1", Severity.LOW)])
    here.look()
    other = Memory(lineage)
    remember(MemoryStore(other), [found(7, "seven", "", "1", Severity.LOW)])
    here.reader.memory = other
    here.look()
    assert [row.name for row in here.keeper.view.rows.values()] == ["seven"]
    assert here.keeper.history.of(IDLE.id) == ()


def test_history_is_bounded():
    """The oldest entries are forgotten, and it is known from where on there are all."""
    history = History(kept=3)
    for serial in range(1, 6):
        history.add(Entry(serial, Note(NOW + timedelta(hours=serial), "finding.open", f"f{serial % 2}"), "", ""))
    assert history.first == 2
    assert [event.serial for event in history.of("f1")] == [5, 3]
    assert [event.serial for event in history.of("f0")] == [4]


@pytest.mark.parametrize(
    ("kind", "subject", "body", "finding"),
    [
        ("finding.open", "abc", {}, "abc"),
        ("approval.yes", "q", {"finding": "abc"}, "abc"),
        ("approval.yes", "q", {}, ""),
        ("approval.yes", "q", {"finding": 7}, ""),
        ("action.done", "abc-stop.1", {}, "abc"),
        ("saving.over", "abc-stop.1", {}, "abc"),
        ("run.finished", "r", {}, ""),
        ("breaker.accepted", "finding-surge", {}, ""),
    ],
)
def test_which_finding_an_entry_is_about(kind, subject, body, finding):
    """Entries of findings, approvals, acts and savings belong to a finding; others to none."""
    history = History()
    history.add(Entry(1, Note(NOW, kind, subject, body=body), "", ""))
    assert bool(history.of(finding)) is bool(finding)
