"""Records: what is put comes back as it was, and what is damaged is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Subject
from engine.state.records import (
    ActionRecord,
    ApprovalRecord,
    Decision,
    ExemptionRecord,
    FindingRecord,
    PolicyFigures,
    Progress,
    RunRecord,
    SavingRecord,
    ScopeFigures,
    SnoozeRecord,
    Status,
    Vote,
    put,
    restored,
)
from engine.state.settings import Acceptance, Figures, Freeze
from engine.state.store import StateError, Stored

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
SUBJECT = Subject("k/1/r/i", "k", "i", "i", "1", "r")
VOTE = Vote("ana", "cli", True, NOW)
RECORDS = [
    FindingRecord("f", "p", SUBJECT, Status.WARNED, NOW, warned=NOW, due=NOW, announced="stop"),
    ActionRecord(
        "a", "s", "f", 1, "p", "stop", SUBJECT, Progress.DONE, "t", "r", "bursar", NOW,
        parameters={"to": "0"}, inverse={"tags": {"a": "b"}, "size": 3, "none": None}, hourly=Decimal("98.3200"),
    ),
    ApprovalRecord(
        "q", "f", 1, "p", SUBJECT, Decision.PENDING, ("stop",), "d", "f", NOW, NOW, "#c", ("@ml",), votes=(VOTE,)
    ),
    ExemptionRecord("x", "ana", "a demo", NOW, NOW, ("p",)),
    SnoozeRecord("f", NOW, "ana"),
    SavingRecord("a", "p", SUBJECT, "stop", Decimal("0.1"), "list", NOW),
    RunRecord("r", NOW, held=("p: frozen",)),
    Figures(NOW, (ScopeFigures("1/r/k", 3),), (PolicyFigures("p", 3, 2, 1),)),
    Freeze(True, "ana", NOW, "an incident"),
    Acceptance("finding-surge", "ana", NOW, NOW),
]  # fmt: skip


def kept(record) -> Stored:
    """Return `record` as a store gives it back."""
    written = put(record, 4)
    return Stored(written.table, written.key, 5, written.status, json.loads(json.dumps(written.body)))


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: type(one).__name__)
def test_what_is_put_comes_back(record):
    """A record survives the store, amounts, moments and order included."""
    held = restored(type(record), kept(record))
    assert held.record == record
    assert held.version == 5
    assert put(held.record, 4) == put(record, 4)


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: type(one).__name__)
def test_what_is_damaged_is_refused(record):
    """A record without one of its needed values, or with a wrong one, is refused by name, never half understood."""
    whole = kept(record)
    for name in [n for n, value in whole.body.items() if isinstance(value, str) and n in ("since", "at", "began")]:
        with pytest.raises(StateError) as error:
            restored(type(record), replace(whole, body={**whole.body, name: "soon"}))
        assert error.value.problems[0].code == "state-damaged"
    with pytest.raises(StateError):
        restored(type(record), replace(whole, body={}))


@given(st.decimals(0, 10**6, places=4), st.timedeltas(timedelta(0), timedelta(days=999)))
def test_what_was_saved(hourly, length):
    """Realised savings are hours times the price; they do not go on after their end, and never run backwards."""
    over = SavingRecord("a", "p", SUBJECT, "stop", hourly, "list", NOW, NOW + length)
    assert over.realised(NOW + length) == over.realised(NOW + length * 2)
    assert over.hours(NOW) == Decimal(length // timedelta(seconds=1)) / 3600
    running = replace(over, until=None)
    assert running.realised(NOW - timedelta(days=1)) == 0
    assert replace(over, hourly=None).realised(NOW) is None
