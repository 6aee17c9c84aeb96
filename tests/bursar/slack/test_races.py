"""T35: double clicks, several approvers and a no at the same moment: one end, whoever was first."""

import threading
import time
from collections import Counter
from random import Random

import pytest

from bursar.approving import decide
from engine.people import Door
from engine.state.approvals import NotCounted
from engine.state.audit import verify
from engine.state.records import ApprovalRecord, Decision, FindingRecord, Status, Vote, restored
from engine.state.store import Table
from integrations.store.sql_open import open_sqlite
from tests.bursar.slack.conftest import NOW, finding_of, keep, question_of
from tests.engine.state.fakes import Memory, MemoryStore

THREADS = 50


def race(open_store, id_: str, seed: int) -> tuple[Counter, list]:
    """Let fifty people click at once, some twice, some No; return the ends in the store, and what they were told."""
    random = Random(seed)
    answers: list = []
    barrier = threading.Barrier(THREADS)
    votes = [
        Vote(f"p{random.randrange(30)}@example.com", Door.SLACK.value, random.random() < 0.7, NOW, "no")
        for _ in range(THREADS)
    ]

    def click(vote: Vote) -> None:
        store = open_store()
        try:
            barrier.wait()
            answers.append(decide(store, id_, vote, entitled=True, now=NOW))
        finally:
            store.close()

    threads = [threading.Thread(target=click, args=(vote,)) for vote in votes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = open_store()
    ends = Counter(
        entry.note.body["status"]
        for entry in store.entries()
        if entry.note.subject == id_ and entry.note.kind in ("approval.yes", "approval.no")
        and entry.note.body["status"] != "pending"
    )  # fmt: skip
    store.close()
    return ends, answers


def holds(store, approval: ApprovalRecord, ends: Counter, answers: list) -> None:
    """Assert that there was one end, that record, finding and ledger agree on it, and that the others were told."""
    assert len(answers) == THREADS
    after = restored(ApprovalRecord, store.get(Table.APPROVAL, approval.id)).record
    finding = restored(FindingRecord, store.get(Table.FINDING, approval.finding)).record
    assert ends.total() == 1
    assert after.status.value == next(iter(ends))
    assert finding.status is {Decision.APPROVED: Status.APPROVED, Decision.DENIED: Status.DENIED}[after.status]
    assert len({vote.principal for vote in after.votes if vote.yes}) == len([v for v in after.votes if v.yes])
    ended = [one for one in answers if not isinstance(one, NotCounted) and one.status is not Decision.PENDING]
    assert len(ended) == 1
    assert (after.status is Decision.DENIED) == any(not vote.yes for vote in after.votes)


def give_way(_method: str) -> None:
    """Let another thread go on between reading and writing: a decision is made faster than threads take turns."""
    time.sleep(0)


def rounds(number: int) -> None:
    for seed in range(number):
        memory = Memory()
        store = MemoryStore(memory)
        approval = question_of(quorum=seed % 3 + 1)
        keep(store, approval, finding_of(approval))
        ends, answers = race(lambda memory=memory: MemoryStore(memory, before=give_way), approval.id, seed)
        holds(store, approval, ends, answers)


def test_fifty_at_once():
    """T35: thirty rounds of fifty clicks."""
    rounds(30)


@pytest.mark.slow
def test_fifty_at_once_a_thousand_times():
    """T35: a thousand rounds of fifty clicks, yes and no, with a quorum of one, two and three: one end each."""
    rounds(1000)


def test_fifty_at_once_on_sqlite(tmp_path):
    """T35: the same on a real database, each thread with a connection of its own; its ledger verifies."""
    path = tmp_path / "bursar.db"
    store = open_sqlite(path, create=True)
    for seed in range(3):
        approval = question_of(f"{seed:012x}", quorum=seed % 3 + 1)
        keep(store, approval, finding_of(approval))
        ends, answers = race(lambda: open_sqlite(path, create=False), approval.id, seed)
        holds(store, approval, ends, answers)
    assert verify(store).breaks == ()
    store.close()
