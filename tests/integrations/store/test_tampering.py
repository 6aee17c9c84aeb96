"""Ledgers that somebody, or something, has changed behind Bursar's back: every change is named."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.state.anchoring import anchor_break, check_anchor
from engine.state.ledger import Head, Note, breaks_of, chained, origin
from engine.state.store import Put, StateError, Table
from integrations.store.encoding import encode_entry
from integrations.store.sql_open import open_sqlite

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ENTRIES = 9


def notes(first, last):
    return [Note(NOW, "approval.granted", f"a{number}", body={"by": "mira"}) for number in range(first, last + 1)]


@pytest.fixture
def file(tmp_path):
    """A state whose ledger has nine entries."""
    path = tmp_path / "state.db"
    with closing(open_sqlite(path)) as store:
        store.commit([Put(Table.FINDING, "f", "open", {}, 0)], notes(1, ENTRIES))
    return path


def tampered(path, *statements):
    """Change the file with SQL, as whoever may write it can."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(*(statement if isinstance(statement, tuple) else (statement,)))


def verified(path, anchor=None):
    """Return what is found to be broken, as serial and words."""
    with closing(open_sqlite(path)) as store:
        found = list(breaks_of(store.entries(), store.head(), anchor))
        cheap = None if anchor is None else anchor_break(store, anchor)
    assert found or cheap is None, "the cheap look sees what the whole one does not"
    return [(one.serial, one.what) for one in found]


def head_of(path):
    with closing(open_sqlite(path)) as store:
        return store.head()


def rechained(path, lineage, changed):
    """Write the whole ledger anew, as somebody who knows how digests are made."""
    entries = chained(Head(lineage, 0, origin(lineage)), changed)
    rows = [("INSERT INTO bursar_ledger VALUES (?, ?, ?)", (e.serial, encode_entry(e), e.digest)) for e in entries]
    last = ("UPDATE bursar_state SET serial = ?, digest = ?", (entries[-1].serial, entries[-1].digest))
    tampered(path, "DELETE FROM bursar_ledger", *rows, last)


def test_untouched(file):
    """Nothing is broken, also against its own head."""
    assert verified(file, head_of(file)) == []


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (
            ["UPDATE bursar_ledger SET content = replace(content, 'mira', 'mara') WHERE serial = 4"],
            [(4, "the entry was changed")],
        ),
        (
            ["UPDATE bursar_ledger SET digest = replace(digest, substr(digest, 1, 1), 'x') WHERE serial = 4"],
            [(4, "the entry was changed"), (5, "it does not follow the entry before")],
        ),
        (
            ["UPDATE bursar_ledger SET content = 'no JSON' WHERE serial = 4"],
            [(4, "it does not follow the entry before"), (4, "the entry was changed")],
        ),
        (["DELETE FROM bursar_ledger WHERE serial = 4"], [(5, "entry 4 is missing")]),
        (["DELETE FROM bursar_ledger WHERE serial BETWEEN 1 AND 3"], [(4, "entries 1 to 3 are missing")]),
        (
            ["DELETE FROM bursar_ledger WHERE serial > 6"],
            [(9, "the ledger should end with entry 9 and ends with entry 6")],
        ),
        (["DELETE FROM bursar_ledger"], [(9, "the ledger should end with entry 9 and ends with entry 0")]),
        (
            [
                "UPDATE bursar_ledger SET serial = 100 WHERE serial = 4",
                "UPDATE bursar_ledger SET serial = 4 WHERE serial = 5",
                "UPDATE bursar_ledger SET serial = 5 WHERE serial = 100",
            ],
            [
                (4, "it does not follow the entry before"),
                (4, "the entry was changed"),
                (5, "it does not follow the entry before"),
                (5, "the entry was changed"),
                (6, "it does not follow the entry before"),
            ],
        ),
        (
            ["UPDATE bursar_state SET lineage = 'another'"],
            [(1, "it does not follow the entry before")],
        ),
    ],
    ids=["changed", "digest", "no-json", "removed", "beginning", "cut", "emptied", "reordered", "lineage"],
)
def test_changed_by_hand(file, statements, broken):
    """Each change is told with the entry where it shows; an emptied record table is another matter."""
    tampered(file, *statements)
    assert verified(file) == broken


def test_cut_with_its_end(file):
    """Who cuts the ledger and moves its end as well is found out by the anchor, and by nothing else."""
    anchor = head_of(file)
    sixth = "(SELECT digest FROM bursar_ledger WHERE serial = 6)"
    tampered(
        file, "DELETE FROM bursar_ledger WHERE serial > 6", f"UPDATE bursar_state SET serial = 6, digest = {sixth}"
    )
    assert verified(file) == []
    assert verified(file, anchor) == [(6, "an older state was put back: entries up to 9 were anchored")]


def test_rewritten_as_a_whole(file):
    """A ledger that was written anew with right digests is found out by the anchor."""
    anchor = head_of(file)
    changed = notes(1, ENTRIES)
    changed[3] = Note(NOW, "approval.denied", "a4", body={"by": "mira"})
    rechained(file, anchor.lineage, changed)
    assert verified(file) == []
    assert verified(file, anchor) == [(9, "the anchored entry was replaced")]


@pytest.mark.parametrize("more", [0, 1, 5])
def test_an_old_copy_put_back(file, tmp_path, more):
    """A copy of the database from before is found out, also when it has grown past the anchored serial since."""
    copy = tmp_path / "copy.db"
    shutil.copy(file, copy)
    with closing(open_sqlite(file)) as store:
        anchor = store.commit([], notes(10, 12))
    with closing(open_sqlite(copy)) as store:
        store.commit([], notes(20, 19 + more))
    expected = {
        0: (9, "an older state was put back: entries up to 12 were anchored"),
        1: (10, "an older state was put back: entries up to 12 were anchored"),
        5: (12, "the anchored entry was replaced"),
    }
    assert verified(copy, anchor) == [expected[more]]
    with closing(open_sqlite(copy)) as store, pytest.raises(StateError) as caught:
        check_anchor(store, anchor)
    assert caught.value.problems[0].code == "state-replaced"


def test_another_store(file, tmp_path):
    """A new database in the place of the anchored one is found out, however many entries it has."""
    anchor = head_of(file)
    with closing(open_sqlite(tmp_path / "new.db")) as store:
        store.commit([], notes(1, 20))
        lineage = store.head().lineage
    expected = f"this is another store than the anchored one: lineage {lineage}, not {anchor.lineage}"
    assert verified(tmp_path / "new.db", anchor) == [(0, expected)]


def test_grown_since(file):
    """A ledger that has grown from the anchored head holds."""
    anchor = head_of(file)
    with closing(open_sqlite(file)) as store:
        store.commit([], notes(10, 30))
        assert list(breaks_of(store.entries(), store.head(), anchor)) == []
        assert anchor_break(store, anchor) is None
        check_anchor(store, Head(anchor.lineage, 0, origin(anchor.lineage)))
        check_anchor(store, None)


def test_the_anchored_entry_itself(file):
    """The cheap look sees when the anchored entry was removed or changed."""
    anchor = head_of(file)
    with closing(open_sqlite(file)) as store:
        store.commit([], notes(10, 12))
    tampered(file, "UPDATE bursar_ledger SET content = replace(content, 'mira', 'mara') WHERE serial = 9")
    with closing(open_sqlite(file)) as store:
        assert anchor_break(store, anchor).what == "the anchored entry was replaced"
    tampered(file, "DELETE FROM bursar_ledger WHERE serial = 9")
    with closing(open_sqlite(file)) as store:
        assert anchor_break(store, anchor).what == "entry 9 is missing"


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bit_of_the_file(file, where, bit):
    """Whatever bit of the database is flipped: the ledger reads the same, a break is named, or it is refused."""
    whole = file.read_bytes()
    with closing(open_sqlite(file)) as store:
        before, head = list(store.entries()), store.head()
    flipped = file.with_name("flipped.db")
    offset = int(where * len(whole))
    flipped.write_bytes(whole[:offset] + bytes([whole[offset] ^ (1 << bit)]) + whole[offset + 1 :])
    for stale in ("flipped.db-wal", "flipped.db-shm"):
        file.with_name(stale).unlink(missing_ok=True)
    try:
        with closing(open_sqlite(flipped)) as store:
            after = list(store.entries())
            broken = list(breaks_of(after, store.head(), head))
    except StateError:
        return
    assert broken or after == before


@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_short(file, share):
    """Wherever the file of the database is cut: the ledger reads the same, a break is named, or it is refused."""
    whole = file.read_bytes()
    with closing(open_sqlite(file)) as store:
        before, head = list(store.entries()), store.head()
    cut = file.with_name("cut.db")
    cut.write_bytes(whole[: int(share * len(whole))])
    for stale in ("cut.db-wal", "cut.db-shm"):
        file.with_name(stale).unlink(missing_ok=True)
    try:
        with closing(open_sqlite(cut)) as store:
            after = list(store.entries())
            broken = list(breaks_of(after, store.head(), head))
    except StateError:
        return
    assert broken or after == before
