"""Reading the ledger from its end, and verifying all of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.state.audit import Wanted, entry_at, newest, verify
from engine.state.ledger import Break, Entry, Head, Note, breaks_of, chained, head_after, origin
from tests.engine.state.fakes import MemoryStore

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def filled(count, size=500):
    """A store whose ledger has `count` entries, one a minute; each tenth is an approval."""
    store = MemoryStore()
    notes = [
        Note(
            NOW + timedelta(minutes=number),
            "approval.granted" if number % 10 == 0 else "finding.opened",
            f"s{number % 3}",
            f"r{number // 100}",
        )
        for number in range(1, count + 1)
    ]
    for start in range(0, count, size):
        store.commit([], notes[start : start + size])
    return store


def serials(store, limit=50, **wanted):
    return [entry.serial for entry in newest(store, Wanted(**wanted), limit)]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_newest_first(count):
    """The newest come first, whatever the windows they are read in."""
    assert serials(filled(count), 3) == [n for n in (count, count - 1, count - 2) if n > 0]
    assert serials(filled(count), 10**6) == list(range(count, 0, -1))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"kind": "approval"}, [2500, 2490, 2480]),
        ({"kind": "approval.granted"}, [2500, 2490, 2480]),
        ({"kind": "approval.grant"}, []),
        ({"kind": "app"}, []),
        ({"subject": "s1"}, [2500, 2497, 2494]),
        ({"subject": "s1", "kind": "approval"}, [2500, 2470, 2440]),
        ({"run": "r3"}, [399, 398, 397]),
        ({"run": "r"}, []),
        ({"since": NOW + timedelta(minutes=2499)}, [2500, 2499]),
        ({"since": NOW + timedelta(minutes=5000)}, []),
    ],
)
def test_wanted(wanted, expected):
    """Filters go together; a kind is whole or ends before a dot."""
    assert serials(filled(2500), 3, **wanted) == expected


def test_since_ends_reading():
    """Nothing that lies a whole window before `since` is read."""
    store, read = filled(5000), []
    store.before = read.append
    assert len(serials(store, 10**6, since=NOW + timedelta(minutes=4500))) == 501
    assert read.count("entries") == 2


def test_clocks_that_differ():
    """An entry that is out of order by the clock is found as well."""
    store = MemoryStore()
    times = [5, 1, 9, 2, 8]
    store.commit([], [Note(NOW + timedelta(minutes=minute), "k", "s") for minute in times])
    assert serials(store, since=NOW + timedelta(minutes=5)) == [5, 3, 1]


def test_entry_at():
    """One entry by its number; nothing where there is none."""
    store = filled(5)
    assert entry_at(store, 3).serial == 3
    assert entry_at(store, 6) is None
    del store.memory.entries[2]
    assert entry_at(store, 6) is None


def test_verify():
    """Nothing is broken in a whole ledger, and every entry was looked at."""
    store, done = filled(1200), []
    assert verify(store, store.head(), done.append).breaks == ()
    assert sum(done) == 1200


def test_verify_while_others_append():
    """What is appended while it is verified is no break."""
    store = filled(10)
    other = MemoryStore(store.memory)
    appended = verify(store, None, lambda _: other.commit([], [Note(NOW, "other", "x")]))
    assert appended.breaks == ()
    assert appended.head.serial == 10


class Longer(MemoryStore):
    """A store whose ledger goes on behind its end."""

    def head(self):
        entries = self.memory.entries[:-2]
        return head_after(Head(self.memory.lineage, 0, origin(self.memory.lineage)), entries)


def test_entries_behind_the_end():
    """Entries behind the end, which nobody has appended, are named."""
    store = Longer(filled(10).memory)
    assert verify(store).breaks == (Break(9, "it stands behind the end of the ledger, which is entry 8"),)


NOTES = st.builds(
    Note,
    st.datetimes(timezones=st.just(UTC)),
    st.text(max_size=8),
    st.text(max_size=8),
    body=st.dictionaries(st.text(max_size=4), st.none() | st.integers() | st.text(max_size=4), max_size=2),
)


@given(notes=st.lists(NOTES, min_size=1, max_size=6), data=st.data())
def test_any_change_is_a_break(notes, data):
    """Removing, repeating, exchanging or changing any entry of any ledger is a break; leaving it is none."""
    start = Head("x", 0, origin("x"))
    entries = chained(start, notes)
    head = head_after(start, entries)
    assert list(breaks_of(entries, head)) == []
    changed = data.draw(st.one_of([removed(entries), repeated(entries), exchanged(entries), altered(entries)]))
    assert changed == entries or list(breaks_of(changed, head))


def removed(entries):
    return st.integers(0, len(entries) - 1).map(lambda n: entries[:n] + entries[n + 1 :])


def repeated(entries):
    return st.integers(0, len(entries) - 1).map(lambda n: entries[: n + 1] + entries[n:])


def exchanged(entries):
    return st.permutations(entries)


def altered(entries):
    def change(number, note):
        old = entries[number]
        return [*entries[:number], Entry(old.serial, note, old.previous, old.digest), *entries[number + 1 :]]

    return st.builds(change, st.integers(0, len(entries) - 1), NOTES)
