"""`bursar audit`, on a state beside the configuration."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from engine.state.ledger import Note
from integrations.store.anchor_file import FileAnchor
from integrations.store.sql_open import open_sqlite

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\u202e\n[bold]x"


@pytest.fixture
def state(here):
    """The file of a state with six entries, one of them hostile, in the current folder."""
    with closing(open_sqlite(here / "bursar.db")) as store:
        store.commit(
            [],
            [
                Note(NOW, "run.started", "r1", "r1"),
                Note(NOW + timedelta(minutes=1), "finding.opened", "f1", "r1", body={"policy": "stop-idle-gpus"}),
                Note(NOW + timedelta(minutes=2), "finding.warned", "f1", "r1"),
                Note(NOW + timedelta(hours=2), "approval.granted", "ap1", "", "slack:U024BE7LH", {"reason": HOSTILE}),
                Note(NOW + timedelta(hours=3), HOSTILE, HOSTILE, HOSTILE, HOSTILE),
                Note(datetime.now(UTC), "freeze.set", "freeze", "", "cli:mira"),
            ],
        )
    return here / "bursar.db"


def tampered(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def listed(ran):
    return [json.loads(line)["serial"] for line in ran.out.splitlines()]


# --- list ----------------------------------------------------------------------------------------


def test_list(bursar, state):
    """Newest first, with what each is about."""
    ran = bursar("audit", "list")
    lines = ran.out.splitlines()
    assert ran.status == 0
    assert lines[0] == "sqlite bursar.db: 6 entries, 6 shown"
    assert [line.split()[0] for line in lines[2:] if line[:6].strip().isdigit()] == ["6", "5", "4", "3", "2", "1"]
    assert "2026-11-25 12:01:00Z  finding.opened" in ran.out
    assert "policy stop-idle-" in ran.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [6, 5, 4, 3, 2, 1]),
        (["-n", "2"], [6, 5]),
        (["--subject", "f1"], [3, 2]),
        (["--kind", "finding"], [3, 2]),
        (["--kind", "finding.opened"], [2]),
        (["--run", "r1", "--kind", "run"], [1]),
        (["--since", "2026-11-25T12:02:00Z"], [6, 5, 4, 3]),
        (["--since", "1h", "--kind", "freeze"], [6]),
        (["--subject", "nobody"], []),
    ],
)
def test_filters(bursar, state, options, expected):
    """Filters choose what is shown, in every format alike."""
    assert listed(bursar("audit", "list", "-f", "jsonl", *options)) == expected


def test_jsonl(bursar, state):
    """One entry a line, whole, in ASCII."""
    ran = bursar("audit", "list", "-f", "jsonl", "--kind", "approval")
    assert ran.out.isascii()
    found = json.loads(ran.out)
    assert found["body"] == {"reason": HOSTILE}
    assert (found["actor"], found["at"]) == ("slack:U024BE7LH", "2026-11-25T14:00:00+00:00")


def test_csv_to_a_file(bursar, state, here):
    """What a spreadsheet takes for a formula is defused."""
    ran = bursar("audit", "list", "-f", "csv", "-o", "audit.csv")
    assert (ran.status, ran.out) == (0, "")
    rows = list(csv.DictReader(io.StringIO((here / "audit.csv").read_text(encoding="utf-8"))))
    assert [row["Serial"] for row in rows] == ["6", "5", "4", "3", "2", "1"]
    assert rows[1]["Subject"].startswith("'=cmd")


@pytest.mark.parametrize(("command", "shown"), [(["list"], "[bold]x"), (["show", "5"], "[bold]x"), (["verify"], "")])
def test_hostile_text(bursar, state, command, shown):
    """Escapes, marks that reorder and line breaks are shown as what they are; markup is text."""
    ran = bursar("audit", *command)
    assert not set("\x1b\u202e\r") & set(ran.out)
    assert shown in ran.out.replace("\n", "")


def test_bad_since(bursar, state):
    """A time that is none is told with one that is."""
    ran = bursar("audit", "list", "--since", "yesterday")
    assert ran.status == 2
    assert "is neither such as 7d nor a time such as" in ran.err


# --- show ----------------------------------------------------------------------------------------


def test_show(bursar, state):
    """Every part of one entry, and that its digest holds."""
    ran = bursar("audit", "show", "2")
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0] == "entry 2 of 6"
    assert "  kind      finding.opened" in lines
    assert '              "policy": "stop-idle-gpus"' in lines
    assert lines[-1].endswith("  holds")


def test_show_a_changed_one(bursar, state):
    """An entry that was changed is shown as such, with status 4."""
    tampered(state, "UPDATE bursar_ledger SET content = replace(content, 'stop', 'keep') WHERE serial = 2")
    ran = bursar("audit", "show", "2")
    assert ran.status == 4
    assert "it does not hold: the entry was changed" in ran.out


@pytest.mark.parametrize(("serial", "said"), [("7", "there is no entry 7"), ("0", "0 is not in the range"), ("x", "x")])
def test_show_nothing(bursar, state, serial, said):
    """A number that no entry has is told, with the last that there is."""
    ran = bursar("audit", "show", serial)
    assert ran.status == 2
    assert said in ran.err


# --- verify --------------------------------------------------------------------------------------


def test_verify(bursar, state):
    """A whole ledger is status 0; without an anchor it says what cannot be told."""
    ran = bursar("audit", "verify")
    assert ran.status == 0
    assert ran.out.startswith("whole  6 entries of sqlite bursar.db")
    assert "that the end was not cut off cannot be told" in ran.out


def test_verify_with_breaks(bursar, state):
    """Every break is named with its entry, and the status is 4."""
    tampered(state, "DELETE FROM bursar_ledger WHERE serial = 2")
    tampered(state, "UPDATE bursar_ledger SET digest = 'x' WHERE serial = 5")
    ran = bursar("audit", "verify")
    assert ran.status == 4
    lines = [line.strip() for line in ran.out.splitlines()]
    assert lines[0] == "BROKEN  3 breaks in 6 entries of sqlite bursar.db"
    assert lines[1:4] == [
        "entry 3       entry 2 is missing",
        "entry 5       the entry was changed",
        "entry 6       it does not follow the entry before",
    ]


def test_verify_against_the_anchor(bursar, state, here):
    """The configured anchor finds an old state that was put back, and so does one on the command line."""
    (here / "bursar.yaml").write_text("version: 1\nanchor: kept/anchor.jsonl\n")
    assert "which holds nothing yet" in bursar("audit", "verify").out
    (here / "kept").mkdir()
    old = state.read_bytes()
    with closing(open_sqlite(state)) as store:
        head = store.commit([], [Note(NOW, "approval.denied", "ap1")])
    FileAnchor(here / "kept" / "anchor.jsonl").keep(head, NOW)
    ran = bursar("audit", "verify")
    assert (ran.status, "anchor.jsonl, up to entry 7" in ran.out) == (0, True)
    state.write_bytes(old)
    for options in ([], ["--anchor", "kept/anchor.jsonl"]):
        ran = bursar("audit", "verify", *options)
        assert ran.status == 4
        assert "an older state was put back: entries up to 7 were anchored" in ran.out


def test_an_anchor_that_is_none(bursar, state):
    """An address that is none is told."""
    ran = bursar("audit", "verify", "--anchor", "gs://x/y")
    assert ran.status == 2
    assert "`gs` is not an anchor" in ran.err


# --- export --------------------------------------------------------------------------------------


def test_export_and_verify(bursar, state, here):
    """The exported file verifies without the state, and shows every change as the state would."""
    ran = bursar("audit", "export", "-o", "ledger.jsonl")
    assert (ran.status, ran.out) == (0, "6 entries written to ledger.jsonl\n")
    state.unlink()
    assert bursar("audit", "verify", "ledger.jsonl").status == 0
    text = (here / "ledger.jsonl").read_text()
    (here / "ledger.jsonl").write_text(text.replace("stop-idle", "keep-idle"))
    ran = bursar("audit", "verify", "ledger.jsonl")
    assert ran.status == 4
    assert "entry 2       the entry was changed" in ran.out


def test_export_against_an_anchor(bursar, state, here):
    """An export is compared with an anchor where one is named, and with that of the configuration never."""
    (here / "bursar.yaml").write_text("version: 1\nanchor: anchor.jsonl\n")
    bursar("audit", "export", "-o", "ledger.jsonl")
    with closing(open_sqlite(state)) as store:
        FileAnchor(here / "anchor.jsonl").keep(store.commit([], [Note(NOW, "k", "s")]), NOW)
    assert bursar("audit", "verify", "ledger.jsonl").status == 0
    assert bursar("audit", "verify", "ledger.jsonl", "--anchor", "anchor.jsonl").status == 4


def test_export_replaces_nothing(bursar, state, here):
    """A file that exists is replaced with --force alone, and an export that fails leaves it as it was."""
    (here / "x").write_text("mine")
    ran = bursar("audit", "export", "-o", "x")
    assert (ran.status, (here / "x").read_text()) == (2, "mine")
    tampered(state, "DROP TABLE bursar_ledger")
    ran = bursar("audit", "export", "-o", "x", "--force")
    assert (ran.status, (here / "x").read_text()) == (4, "mine")
    assert sorted(file.name for file in here.iterdir() if not file.name.startswith("bursar.db")) == ["x"]


# --- no state ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["list"], ["show", "1"], ["verify"], ["export", "-o", "x"]])
def test_no_state(bursar, here, command):
    """Where there is no state yet that is told, and none is made."""
    ran = bursar("audit", *command)
    assert ran.status == 4
    assert "there is no state here yet [state-unavailable]" in ran.err
    assert list(here.iterdir()) == []


def test_a_damaged_state(bursar, here):
    """A file that is no database is told, with status 4."""
    (here / "bursar.db").write_bytes(b"\x7f" * 5000)
    ran = bursar("audit", "verify")
    assert ran.status == 4
    assert "[state-damaged]" in ran.err
