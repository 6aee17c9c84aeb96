"""What operators decide by hand: once where it is said twice, over what they saw, in the name of whoever decides."""

from datetime import timedelta

import pytest

from bursar.operating import Excuse, accept, exempt, set_freeze, snooze, withdraw
from engine.acting.freeze import frozen
from engine.errors import ConfigError
from engine.state.ledger import Note
from engine.state.lifecycle import opened
from engine.state.records import ExemptionRecord, put, restored
from engine.state.settings import Freeze
from engine.state.store import ConflictError, Table
from tests.bursar.server.company import NOW, subject
from tests.engine.state.fakes import MemoryStore

FINDING = "a" * 16
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store():
    """A state with one finding."""
    made = MemoryStore()
    made.commit([put(opened(FINDING, "stop-idle-gpus", subject(1, "old"), NOW), 0)])
    return made


def said(store):
    return [entry.note.kind for entry in store.entries()]


DECISIONS = {
    "freeze.set": lambda store, now: set_freeze(store, frozen=True, reason="x", now=now, by="web:ana"),
    "finding.snooze": lambda store, now: snooze(store, FINDING, timedelta(days=3), "x", now, "web:ana"),
    "breaker.accepted": lambda store, now: accept(store, "clock-skew", timedelta(hours=4), "x", now, "web:ana"),
    "exemption.made": lambda store, now: exempt(
        store, Excuse("ana", "x", NOW + timedelta(days=9), FINDING), now, "web:ana"
    ),
}


@pytest.mark.parametrize("kind", DECISIONS)
def test_twice_in_a_minute_is_once(store, kind):
    """A second click writes nothing; the same said later is said again, and is in the ledger."""
    first = DECISIONS[kind](store, NOW)
    assert DECISIONS[kind](store, NOW + MINUTE) == first
    assert said(store) == [kind]
    DECISIONS[kind](store, NOW + 2 * MINUTE)
    assert said(store) == [kind] * 2


@pytest.mark.parametrize("kind", DECISIONS)
def test_who_decides(store, kind):
    """It is whom the door names; at the command line it is the user of the machine."""
    DECISIONS[kind](store, NOW)
    assert [entry.note.actor for entry in store.entries()] == ["web:ana"]
    set_freeze(store, frozen=False, reason="y", now=NOW)
    assert list(store.entries())[-1].note.actor.startswith("user:")


def test_another_person_or_reason_is_another_decision(store):
    """Only the very same is the same: the last one who froze is the one who is named."""
    set_freeze(store, frozen=True, reason="x", now=NOW, by="web:ana")
    set_freeze(store, frozen=True, reason="x", now=NOW, by="web:ben")
    set_freeze(store, frozen=True, reason="z", now=NOW, by="web:ben")
    assert said(store) == ["freeze.set"] * 3
    assert "web:ben" in frozen(store)


def test_over_what_was_seen(store):
    """A decision over what is not there any more is refused, whoever was faster; freezing is not."""
    set_freeze(store, frozen=True, reason="x", now=NOW, by="web:ana")
    set_freeze(store, frozen=True, reason="y", now=NOW, by="web:ben")
    with pytest.raises(ConflictError):
        set_freeze(store, frozen=False, reason="over", now=NOW, by="web:ana", seen=1)
    assert frozen(store)
    set_freeze(store, frozen=False, reason="over", now=NOW, by="web:ana", seen=2)
    assert not frozen(store)


def test_frozen_at_the_moment_of_unfreezing(store):
    """Somebody who freezes between the look and the write is not overruled."""
    set_freeze(store, frozen=True, reason="x", now=NOW, by="web:ana")
    once = iter([True])

    def meanwhile(method):
        if method == "commit" and next(once, False):
            other = MemoryStore(store.memory)
            other.commit([put(Freeze(True, "web:ben", NOW, "fire"), 1)], [Note(NOW, "freeze.set", "freeze")])

    hurried = MemoryStore(store.memory, before=meanwhile)
    with pytest.raises(ConflictError):
        set_freeze(hurried, frozen=False, reason="over", now=NOW, by="web:ana", seen=1)
    assert "fire" in frozen(store)


def test_a_freeze_goes_through_whoever_writes(store):
    """Freezing is tried again where somebody writes at the same moment."""
    rest = iter(range(5))

    def meanwhile(method):
        if method == "commit" and (number := next(rest, None)) is not None:
            MemoryStore(store.memory).commit([put(Freeze(False, "web:ben", NOW, str(number)), number)])

    set_freeze(MemoryStore(store.memory, before=meanwhile), frozen=True, reason="fire", now=NOW, by="web:ana")
    assert "fire" in frozen(store)


def test_an_exemption_that_was_withdrawn_and_is_made_again(store):
    """The same exemption is the same record: withdrawn it excuses nothing, made again it does."""
    made = DECISIONS["exemption.made"](store, NOW)
    withdraw(store, made.id, NOW, "web:ben")
    (stored,) = store.scan(Table.EXEMPTION)
    assert restored(ExemptionRecord, stored).record.status == "withdrawn"
    assert DECISIONS["exemption.made"](store, NOW).status == "active"
    assert said(store) == ["exemption.made", "exemption.withdrawn", "exemption.made"]


def test_what_would_excuse_everything(store):
    """An exemption without a finding, a policy or a condition is refused."""
    with pytest.raises(ConfigError, match="exempt everything"):
        exempt(store, Excuse("ana", "x", NOW + timedelta(days=9)), NOW)
