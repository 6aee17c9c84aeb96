"""A ledger in a file of its own."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.state.ledger import Head, Note, breaks_of, chained, head_after, origin
from integrations.store.ledger_file import open_ledger, write_ledger

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
START = Head("abc", 0, origin("abc"))
HOSTILE = "a\0b\ud800\u202e\x1b[31m\n\u2028"


@pytest.fixture
def file(tmp_path):
    """A ledger of eight entries in a file."""
    entries = chained(START, [Note(NOW, "k", f"s{n}", body={HOSTILE: [HOSTILE, n]}) for n in range(8)])
    path = tmp_path / "ledger.jsonl"
    with path.open("w", encoding="utf-8") as out:
        assert write_ledger(head_after(START, entries), entries, out) == 8
    return path


def read(path):
    with open_ledger(path) as (head, entries):
        found = list(entries)
    return head, found, [(one.serial, one.what) for one in breaks_of(found, head)]


def test_it_comes_back(file):
    """Head and entries come back, one a line, and nothing is broken."""
    head, entries, broken = read(file)
    assert broken == []
    assert (head.serial, head.lineage) == (8, "abc")
    assert [entry.note.body for entry in entries] == [{HOSTILE: [HOSTILE, n]} for n in range(8)]
    assert len(file.read_text().splitlines()) == 9


def test_it_verifies_without_bursar(file):
    """The digest of a line is SHA-256 over its JSON without `digest`: keys sorted, no spaces, ASCII."""
    first, *lines = map(json.loads, file.read_text().splitlines())
    previous = hashlib.sha256(f"bursar ledger {first['lineage']}".encode()).hexdigest()
    for line in lines:
        digest = line.pop("digest")
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        assert (hashlib.sha256(text.encode()).hexdigest(), line["previous"]) == (digest, previous)
        previous = digest
    assert first["digest"] == previous


def test_up_to_the_end(tmp_path):
    """What was appended after the export began is not part of it."""
    entries = chained(START, [Note(NOW, "k", "s") for _ in range(5)])
    path = tmp_path / "ledger.jsonl"
    with path.open("w") as out:
        assert write_ledger(head_after(START, entries[:3]), entries, out) == 3
    assert read(path)[2] == []


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda lines: [*lines[:3], *lines[4:]], [(4, "entry 3 is missing")]),
        (lambda lines: lines[:6], [(8, "the ledger should end with entry 8 and ends with entry 5")]),
        (
            lambda lines: [*lines[:3], "no JSON", *lines[4:]],
            [
                (3, "it does not follow the entry before"),
                (3, "the entry was changed"),
                (4, "it does not follow the entry before"),
            ],
        ),
        (lambda lines: [*lines[:3], lines[3].replace("s2", "s9"), *lines[4:]], [(3, "the entry was changed")]),
        (
            lambda lines: [*lines, lines[1]],
            [
                (1, "it stands behind entry 8"),
                (8, "the ledger should end with entry 8 and ends with entry 1"),
            ],
        ),
    ],
)
def test_changes(file, change, broken):
    """Each change is named by the entry where it shows."""
    lines = file.read_text().splitlines()
    file.write_text("\n".join(change(lines)) + "\n")
    assert read(file)[2] == broken


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bit(file, where, bit):
    """Whatever bit of the file is flipped: it reads the same, a break is named, or it is refused."""
    _, before, _ = read(file)
    whole = file.read_bytes()
    offset = int(where * len(whole))
    other = file.with_name("flipped.jsonl")
    other.write_bytes(whole[:offset] + bytes([whole[offset] ^ (1 << bit)]) + whole[offset + 1 :])
    try:
        _, after, broken = read(other)
    except ConfigError:
        return
    assert broken or after == before


@pytest.mark.parametrize("text", ["", "{}", "[]", "name,owner\n", '{"bursar.ledger": 2}', "\xff\xfe", "[" * 10_000])
def test_what_is_no_ledger(tmp_path, text):
    """Anything else is refused, with what writes one."""
    path = tmp_path / "x"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert caught.value.problems[0].code == "bad-ledger"
    assert "bursar audit export" in caught.value.problems[0].hint


def test_no_file(tmp_path):
    """A file that is not there is told."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "x")
    assert "No such file" in str(caught.value)
