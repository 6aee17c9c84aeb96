"""What the engine relies on in every store: the same tests for memory, SQLite, PostgreSQL and DynamoDB."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.state.ledger import Head, Note, breaks_of, origin
from engine.state.store import ConflictError, LeaseLostError, Put, StateError, Stored, Table

NOW = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOSTILE = "a\0b\ud800\u202e\x1b[31m'; DROP TABLE bursar_record; -- \U0001f4a3"
BODIES = [
    {},
    {"text": HOSTILE, HOSTILE: "a key"},
    {"big": 2**63, "negative": -(2**70), "yes": True, "no": False, "nothing": None},
    {"list": [1, [2, {"deep": []}]], "empty": {}, "amount": "1234.5600"},
    {"long": "x" * 50_000},
]


def put(key, *, expected=0, status="open", table=Table.FINDING, **body):
    return Put(table, key, status, body, expected)


def note(number, **changes):
    given = {"at": NOW + timedelta(seconds=number), "kind": "finding.opened", "subject": f"f{number}", "run": "r1"}
    return Note(**{**given, **changes})


def code_of(error):
    return error.value.problems[0].code


def test_a_new_store_is_empty(store):
    """Nothing is there, and the ledger ends where its lineage begins."""
    head = store.head()
    assert head == Head(head.lineage, 0, origin(head.lineage))
    assert (list(store.entries()), list(store.scan(Table.FINDING)), store.get(Table.RUN, "x")) == ([], [], None)


def test_two_stores_have_two_lineages(tmp_path):
    """A lineage is made with the store and is never the same twice."""
    from integrations.store.sql_open import open_sqlite

    first, second = open_sqlite(tmp_path / "a.db"), open_sqlite(tmp_path / "b.db")
    assert first.head().lineage != second.head().lineage
    first.close()
    second.close()


def test_the_lineage_stays(reopen):
    """Opening it again is the same store."""
    first = reopen()
    first.commit([], [note(1)])
    assert reopen().head() == first.head()


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_record_comes_back(store, body):
    """A body comes back as it was, whatever characters and numbers it holds."""
    store.commit([Put(Table.FINDING, "k", "open", body, 0)])
    assert store.get(Table.FINDING, "k") == Stored(Table.FINDING, "k", 1, "open", body)
    assert list(store.scan(Table.FINDING)) == [Stored(Table.FINDING, "k", 1, "open", body)]


def test_a_body_that_is_no_json_writes_nothing(store):
    """Values that JSON has not are refused before anything is written."""
    with pytest.raises((TypeError, ValueError)):
        store.commit([put("a"), put("b", amount=float("nan"))], [note(1)])
    assert (list(store.scan(Table.FINDING)), store.head().serial) == ([], 0)


def test_versions_count_up(store):
    """Every put is a version more."""
    for expected in range(3):
        store.commit([put("k", expected=expected, n=expected)])
    assert store.get(Table.FINDING, "k") == Stored(Table.FINDING, "k", 3, "open", {"n": 2})


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_another_version_is_a_conflict(store, expected):
    """Over another version than is there nothing is written: no other record and no note either."""
    store.commit([put("k", n=1)])
    store.commit([put("k", expected=1, n=2)], [note(1)])
    with pytest.raises(ConflictError) as caught:
        store.commit([put("new"), put("k", expected=expected, n=9)], [note(2)])
    assert code_of(caught) == "state-conflict"
    assert "finding k changed" in str(caught.value)
    assert store.get(Table.FINDING, "k").body == {"n": 2}
    assert (store.get(Table.FINDING, "new"), store.head().serial) == (None, 1)


def test_a_version_over_nothing_is_a_conflict(store):
    """A record that is gone, or never was, is not made anew by an update."""
    with pytest.raises(ConflictError):
        store.commit([put("k", expected=1)])


def test_tables_do_not_mix(store):
    """The same key in another table is another record."""
    store.commit([put("k", table=Table.FINDING, n=1), put("k", table=Table.RUN, n=2)])
    assert store.get(Table.FINDING, "k").body == {"n": 1}
    assert [record.body for record in store.scan(Table.RUN)] == [{"n": 2}]


def test_scans_are_in_order_of_keys(store):
    """Keys come in order of code points, and only those with the status that is asked for."""
    keys = ["b", "a", "B", "a/b", "é", "z", "Z", "10", "9", "\U0001f4a3", "a b", "ab", "_"]
    store.commit([put(key, status="open" if number % 2 else "warned") for number, key in enumerate(keys)])
    assert [record.key for record in store.scan(Table.FINDING)] == sorted(keys)
    warned = sorted(key for number, key in enumerate(keys) if number % 2 == 0)
    assert [record.key for record in store.scan(Table.FINDING, "warned")] == warned
    assert list(store.scan(Table.FINDING, "nobody")) == []


def test_a_status_that_changed(store):
    """A record is found by the status it has now."""
    store.commit([put("k", status="open")])
    store.commit([put("k", expected=1, status="")])
    assert list(store.scan(Table.FINDING, "open")) == []
    assert [record.version for record in store.scan(Table.FINDING, "")] == [2]


def test_writing_while_a_scan_runs(store):
    """Whoever goes through the records may write as it goes, and sees every record once."""
    keys = [f"k{number:04d}" for number in range(90)]
    store.commit([put(key) for key in keys])
    seen = []
    for record in store.scan(Table.FINDING):
        seen.append(record.key)
        if record.version == 1:
            store.commit([put(record.key, expected=1, status="warned")])
    assert seen == keys
    assert {record.version for record in store.scan(Table.FINDING, "warned")} == {2}


@pytest.mark.parametrize("key", ["", "x" * 513, "a\0b", "\ud800", "ä" * 513, "\U0001f4a3" * 300])
def test_keys_that_cannot_be_kept(store, key):
    """A key that some store could not keep is refused by all of them, before anything is written."""
    with pytest.raises(StateError) as caught:
        store.commit([put("fine"), put(key)])
    assert code_of(caught) == "state-record"
    assert store.get(Table.FINDING, "fine") is None


@pytest.mark.parametrize("key", ["x" * 512, "ä" * 512, "\U0001f4a3" * 256, " ", "'\"%_\\"])
def test_keys_at_the_limit(store, key):
    """512 characters are fine, and so are quotes and percent signs."""
    store.commit([put(key)])
    assert store.get(Table.FINDING, key).version == 1


def test_the_same_record_twice(store):
    """A commit that writes a record twice is refused: which of the two would hold is not said."""
    with pytest.raises(StateError) as caught:
        store.commit([put("k", n=1), put("k", expected=1, n=2)])
    assert code_of(caught) == "state-record"


def test_a_commit_that_is_too_large(store):
    """One more than `batch` is refused whole; exactly `batch` is not."""
    half = min(store.batch, 300) // 2
    store.commit([put(f"k{n}") for n in range(half)], [note(n) for n in range(half)])
    assert store.head().serial == half
    with pytest.raises(StateError) as caught:
        store.commit([], [note(n) for n in range(store.batch + 1)])
    assert code_of(caught) == "state-record"
    assert store.head().serial == half


def test_a_full_batch_under_a_lease(store):
    """`batch` counts puts and notes alone: the lease and the ledger's end go on top of it."""
    lease = store.acquire("act", "me", HOUR, NOW)
    size = min(store.batch, 1000)
    store.commit([put(f"k{n}") for n in range(size - 1)], [note(1)], lease)
    assert len(list(store.scan(Table.FINDING))) == size - 1


def test_the_ledger(store):
    """Notes come back as they were, in order, each with the digest of the one before."""
    notes = [
        note(1),
        note(2, at=NOW.astimezone(timezone(timedelta(hours=-3))), body={"text": HOSTILE, "n": 2**64}),
        note(3, kind=HOSTILE, subject=HOSTILE, run="", actor=HOSTILE),
    ]
    first = store.commit([], notes[:1])
    last = store.commit([put("k")], notes[1:])
    entries = list(store.entries())
    assert [entry.serial for entry in entries] == [1, 2, 3]
    assert [(e.note.kind, e.note.subject, e.note.body) for e in entries] == [(n.kind, n.subject, n.body) for n in notes]
    assert [entry.note.at for entry in entries] == [n.at for n in notes]
    assert (first.serial, first.digest) == (1, entries[0].digest)
    assert last == store.head() == Head(first.lineage, 3, entries[2].digest)
    assert list(breaks_of(entries, last)) == []


@pytest.mark.parametrize("after", [0, 1, 2, 3, 10])
def test_entries_after(store, after):
    """Reading goes on behind any entry."""
    store.commit([], [note(n) for n in range(3)])
    assert [entry.serial for entry in store.entries(after)] == list(range(after + 1, 4))


def test_nothing_to_write(store):
    """A commit without puts and notes changes nothing and says where the ledger ends."""
    head = store.commit([], [note(1)])
    assert store.commit([]) == head == store.head()


def test_puts_alone_leave_the_ledger(store):
    """Without notes the ledger ends where it did."""
    head = store.head()
    assert store.commit([put("k")]) == head == store.head()


def test_a_lease(store):
    """One holds it; nobody else gets it before it has expired or was given back."""
    lease = store.acquire("act", "a", HOUR, NOW)
    assert (lease.name, lease.holder, lease.expires) == ("act", "a", NOW + HOUR)
    assert store.acquire("act", "b", HOUR, NOW + HOUR - timedelta(microseconds=1)) is None
    assert store.acquire("other", "b", HOUR, NOW) is not None
    store.release(lease)
    assert store.acquire("act", "b", HOUR, NOW).token > lease.token


def test_an_expired_lease(store):
    """The moment it expires another may take it, with a greater token; the first one's work is refused from then on."""
    first = store.acquire("act", "a", HOUR, NOW)
    store.commit([put("k")], [note(1)], first)
    second = store.acquire("act", "b", HOUR, NOW + HOUR)
    assert second.token > first.token
    with pytest.raises(LeaseLostError) as caught:
        store.commit([put("k", expected=1)], [note(2)], first)
    assert code_of(caught) == "state-lease"
    with pytest.raises(LeaseLostError):
        store.commit([], [], first)
    with pytest.raises(LeaseLostError):
        store.renew(first, HOUR, NOW)
    store.release(first)
    assert (store.get(Table.FINDING, "k").version, store.head().serial) == (1, 1)
    assert store.commit([put("k", expected=1)], [note(2)], second).serial == 2


def test_a_lease_that_expired_and_was_not_taken(store):
    """It still holds: only somebody else's taking ends it."""
    lease = store.acquire("act", "a", HOUR, NOW)
    assert store.renew(lease, HOUR, NOW + 5 * HOUR).expires == NOW + 6 * HOUR
    assert store.acquire("act", "b", HOUR, NOW + 5 * HOUR) is None
    store.commit([put("k")], (), lease)


def test_a_lease_that_was_given_back(store):
    """Nothing can be written under it, also when nobody took it."""
    lease = store.acquire("act", "a", HOUR, NOW)
    store.release(lease)
    store.release(lease)
    with pytest.raises(LeaseLostError):
        store.commit([put("k")], (), lease)


def test_acquiring_it_again(store):
    """Its holder may take it again, as after a crash; what it held before ends."""
    first = store.acquire("act", "a", HOUR, NOW)
    second = store.acquire("act", "a", HOUR, NOW)
    assert second.token > first.token
    with pytest.raises(LeaseLostError):
        store.commit([put("k")], (), first)


def test_a_lost_lease_is_told_before_a_conflict(store):
    """Who lost the lease is told that, whatever else is wrong."""
    store.commit([put("k")])
    first = store.acquire("act", "a", HOUR, NOW)
    store.release(first)
    with pytest.raises(LeaseLostError):
        store.commit([put("k")], (), first)


def test_two_objects_see_each_other(reopen):
    """What one commits the other reads at once, and its old versions conflict."""
    one, other = reopen(), reopen()
    one.commit([put("k")], [note(1)])
    assert other.get(Table.FINDING, "k").version == 1
    other.commit([put("k", expected=1)], [note(2)])
    with pytest.raises(ConflictError):
        one.commit([put("k", expected=1)])
    assert list(breaks_of(one.entries(), other.head())) == []


def test_a_clock(store):
    """The store's time, where it has one, is in UTC and about now."""
    now = store.clock()
    assert now is None or abs(now - datetime.now(UTC)) < timedelta(seconds=5)
    assert now is None or now.utcoffset() == timedelta(0)


def test_a_name(store):
    """The name is for people."""
    assert store.name.split(" ")[0] in ("memory", "sqlite", "postgresql", "dynamodb")
