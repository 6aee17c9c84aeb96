"""Undoings that somebody asked for: done by the next run, in his name, once, in time, whatever is frozen or dies."""

from datetime import timedelta

import pytest

from engine.acting.action import ActError
from engine.acting.ports import Result
from engine.acting.undo_asked import HOLDS
from engine.state.records import ActionRecord, FindingRecord, Progress, Status, UndoRecord, put
from engine.state.store import ConflictError, Put, Table
from tests.engine.acting.world import HOUR, World, due, entry, freeze, loaded

MIRA = "web:mira@example.com"


def acted(**knobs) -> World:
    """Return a world in which `i-dev` was stopped."""
    here = due(**knobs)
    here.run()
    assert here.cloud.stopped() == ["i-dev"]
    return here


def ask(here: World, id_: str = "", version: int = 0) -> UndoRecord:
    """Ask to undo an act, by default the one on `i-dev`."""
    asked = UndoRecord(id_ or here.action("i-dev").id, MIRA, here.now, here.now + HOLDS, "it was needed")
    here.store.commit([put(asked, version)])
    return asked


def wish(here: World) -> UndoRecord:
    (found,) = here.records(UndoRecord)
    return found


def running(here: World, identity: str = "i-dev") -> bool:
    found = here.cloud.read(identity, here.now)
    return found is not None and found.fields["running"] is True


def test_the_next_run_does_it():
    """It is undone, in the name of whoever asked; what it saved is over, and it is not done again within a day."""
    here = acted()
    ask(here)
    report = here.after(HOUR)
    assert [(one.undone.result, one.asked.by, one.asked.status) for one in report.undone] == [
        (Result.DONE, MIRA, "done")]  # fmt: skip
    assert running(here)
    assert here.action("i-dev").status is Progress.UNDONE
    assert [saving.reason for saving in here.savings()] == ["undone"]
    said = [(e.note.kind, e.note.actor) for e in here.store.entries() if e.note.subject == here.action("i-dev").id]
    assert said[-3:] == [("action.undoing", MIRA), ("action.undone", MIRA), ("action.undo-answered", "bursar")]
    for _ in range(23):
        assert here.after(HOUR).undone == ()
    assert here.cloud.stopped() == ["i-dev"]


def test_a_freeze_does_not_hold_it():
    """While everything is frozen what was asked to be undone is undone, as by hand."""
    here = acted()
    freeze(here)
    ask(here)
    here.after(HOUR)
    assert running(here)


@pytest.mark.parametrize(("wait", "done"), [(HOLDS - timedelta(seconds=1), True), (HOLDS, False)])
def test_it_waits_for_a_day(wait, done):
    """A run that comes a day later does it no more: by then the state of now may be the one that is wanted."""
    here = acted()
    ask(here)
    here.after(wait)
    assert running(here) is done
    assert wish(here).status == ("done" if done else "lapsed")
    assert here.after(HOUR).undone == ()


def test_taken_back():
    """What was taken back before a run came is left as it is."""
    here = acted()
    asked = ask(here)
    here.store.commit([Put(Table.UNDO, asked.key, "withdrawn", put(asked, 0).body | {"status": "withdrawn"}, 1)])
    assert here.after(HOUR).undone == ()
    assert not running(here)


def test_what_fails_for_now_is_tried_again():
    """An undoing that is throttled is tried by the next run too, and people are told each time."""
    here = acted()
    here.faults["undo"] = ActError("no capacity", retryable=True)
    ask(here)
    report = here.after(HOUR)
    assert report.failed
    assert report.run.status == "failed"
    assert (wish(here).status, wish(here).outcome) == ("asked", "no capacity")
    here.faults.clear()
    assert not here.after(HOUR).failed
    assert running(here)
    assert (wish(here).status, wish(here).outcome) == ("done", "")


def test_what_fails_for_good_is_not():
    """An undoing that the provider refuses is answered with the reason, and the act stands."""
    here = acted()
    here.faults["undo"] = ActError("it is not allowed")
    ask(here)
    assert here.after(HOUR).failed
    here.faults.clear()
    assert here.after(HOUR).undone == ()
    assert not running(here)
    assert (wish(here).status, wish(here).outcome) == ("refused", "it is not allowed")
    assert here.action("i-dev").status is Progress.DONE


def test_what_is_undone_already():
    """Asked for again after it was undone, it is refused, and nothing is done."""
    here = acted()
    asked = ask(here)
    here.after(HOUR)
    here.cloud.db.execute("UPDATE machine SET running = 0 WHERE id = 'i-dev'")
    ask(here, asked.action, 2)
    here.after(HOUR)
    assert (wish(here).status, wish(here).outcome) == ("refused", "it is undone")
    assert not running(here)


def test_an_act_that_is_not_remembered():
    """An id of nothing is answered, and keeps no run from its work."""
    here = acted()
    ask(here, "abcdef-stop.1")
    report = here.after(HOUR)
    assert [(one.undone, one.asked.status) for one in report.undone] == [(None, "refused")]
    assert not report.failed


def test_the_last_act_first():
    """Of two that were asked for, the later act is undone first, whoever was asked about first."""
    here = World(loaded(entry("dev", "enforce", grace="0h")))
    for number in (1, 2):
        here.cloud.add(f"i-{number}")
        here.run()
        here.pass_(HOUR)
    first, second = sorted(here.records(ActionRecord), key=lambda one: one.intended)
    for act in (first, second):
        ask(here, act.id)
    report = here.run()
    assert [one.asked.action for one in report.undone] == [second.id, first.id]


@pytest.mark.parametrize("number", range(1, 7))
def test_it_dies_anywhere(number):
    """A run that dies in the middle of an undoing leaves it to the next one: the machine runs in the end."""
    here = acted()
    ask(here)
    commits = 0
    whole = here.store.commit

    def dying(*given, **named):
        nonlocal commits
        commits += 1
        if commits == number:
            raise KeyboardInterrupt
        return whole(*given, **named)

    here.store.commit = dying
    try:
        here.run("first")
    except KeyboardInterrupt:
        here.store.commit = whole
    here.store.commit = whole
    here.pass_(HOUR)
    here.run("second")
    assert running(here)
    assert here.action("i-dev").status is Progress.UNDONE
    assert wish(here).status in ("done", "refused")


def test_taken_back_at_this_moment():
    """Whoever takes it back while it is done is not overruled in the record, and the run goes on."""
    here = acted()
    asked = ask(here)
    whole = here.store.commit

    def late(puts, *rest):
        if any(one.table is Table.UNDO for one in puts):
            here.store.commit = whole
            whole([Put(Table.UNDO, asked.key, "withdrawn", put(asked, 0).body | {"status": "withdrawn"}, 1)])
            with pytest.raises(ConflictError):
                whole(puts, *rest)
            raise ConflictError.of("state-conflict", "somebody was faster", where="memory")
        return whole(puts, *rest)

    here.store.commit = late
    here.after(HOUR)
    assert wish(here).status == "withdrawn"
    assert here.action("i-dev").status is Progress.UNDONE
    (dev,) = [one for one in here.records(FindingRecord) if one.subject.id == "i-dev"]
    assert dev.status is Status.VERIFIED
