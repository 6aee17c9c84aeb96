"""What is kept of what collectors read, and how truth combines."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import Resource, age_of, read_field, read_tag
from engine.values import Reason, Unknown, all_of, any_of, clean, negation

A, B = Unknown(Reason.DENIED, "a"), Unknown(Reason.MISSING, "b")
NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)


class Zoneless(tzinfo):
    """A zone that does not say its offset."""

    def utcoffset(self, when):
        return None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (True, True),
        (0, 0),
        (10**40, 10**40),
        (1.5, 1.5),
        (Decimal("0.1"), Decimal("0.1")),
        ("", ""),
        ("\x00\ud800", "\x00\ud800"),
        (timedelta(hours=1), timedelta(hours=1)),
        (datetime(2026, 3, 4, 17, tzinfo=timezone(timedelta(hours=1))), NOW),
        ([], ()),
        (["a", "b"], ("a", "b")),
        (({"a": "b"},), ({"a": "b"},)),
        ({"a": "b"}, {"a": "b"}),
    ],
)
def test_what_is_kept(value, kept):
    """Values of the engine's types stay; lists become tuples, times become UTC."""
    found = clean(value, "p")
    assert (type(found), found) == (type(kept), kept)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.NULL),
        (float("nan"), Reason.NAN),
        (float("-inf"), Reason.NAN),
        (Decimal("NaN"), Reason.NAN),
        (Decimal("sNaN"), Reason.NAN),
        (Decimal("Infinity"), Reason.NAN),
        (datetime(2026, 3, 4), Reason.WRONG_TYPE),  # noqa: DTZ001
        (datetime(2026, 3, 4, tzinfo=Zoneless()), Reason.WRONG_TYPE),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), Reason.WRONG_TYPE),
        (date(2026, 3, 4), Reason.WRONG_TYPE),
        (["a", None], Reason.NULL),
        ([1.0, [float("nan")]], Reason.NAN),
        ({"a": 1}, Reason.WRONG_TYPE),
        ({1: "a"}, Reason.WRONG_TYPE),
        (b"a", Reason.WRONG_TYPE),
        (object(), Reason.WRONG_TYPE),
        ({"a"}, Reason.WRONG_TYPE),
        (1j, Reason.WRONG_TYPE),
    ],
    ids=lambda part: re.sub(r" object at 0x[0-9a-f]+", "", repr(part)),
)
def test_what_is_not_kept(value, reason):
    """Everything else is unknown, with the path it was meant for."""
    found = clean(value, "resource.x")
    assert isinstance(found, Unknown)
    assert (found.reason, found.path) == (reason, "resource.x")


def test_unknown_is_no_condition():
    """Ignorance can not slip through an `if`."""
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(A)


@pytest.mark.parametrize(
    ("unknown", "text"),
    [
        (Unknown(Reason.MISSING), "missing"),
        (Unknown(Reason.DENIED, "no access"), "denied (no access)"),
        (Unknown(Reason.NAN, "nan", "resource.x"), "resource.x: nan (nan)"),
    ],
)
def test_unknown_as_text(unknown, text):
    """Path, reason and detail, as far as there are any."""
    assert str(unknown) == text


def test_nothing():
    """All of nothing is true, any of nothing is false."""
    assert (all_of([]), any_of([])) == (True, False)


@pytest.mark.parametrize("answers", [p for n in (1, 2, 3) for p in product([True, False, A], repeat=n)], ids=repr)
def test_strong_kleene(answers):
    """False ends a conjunction, true ends a disjunction, and unknown waits for them."""
    unknown = any(isinstance(answer, Unknown) for answer in answers)
    every = False if False in answers else (A if unknown else True)
    some = True if True in answers else (A if unknown else False)
    assert all_of(answers) == every
    assert any_of(answers) == some


def test_the_first_reason_is_kept():
    """Of several unknowns the first is the answer."""
    for order in permutations([A, B]):
        assert all_of([True, *order]) is order[0]
        assert any_of([False, *order]) is order[0]


@given(st.lists(st.sampled_from([True, False, A])))
def test_de_morgan(answers):
    """What is not all true is something untrue."""
    assert negation(all_of(answers)) == any_of(negation(answer) for answer in answers)


# --- fields of a resource


def resource(gaps=None, **fields) -> Resource:
    return Resource("k", "i", "a", "r", fields=fields, gaps=gaps or {})


def test_absence_depends_on_the_group():
    """A field that is not there is missing where its group is complete, and has the reason of the gap elsewhere."""
    assert read_field(resource(), "x", "core", NOW) == Unknown(Reason.MISSING, "", "resource.x")
    found = read_field(resource({"hardware": A}), "x", "hardware", NOW)
    assert found == Unknown(Reason.DENIED, "a", "resource.x")
    assert read_tag(resource(), "t") == Unknown(Reason.MISSING, "", "tags['t']")
    assert read_tag(resource({"tags": A}), "t") == Unknown(Reason.DENIED, "a", "tags['t']")


@pytest.mark.parametrize(
    ("name", "value"), [("kind", "k"), ("id", "i"), ("account", "a"), ("region", "r"), ("name", "i")]
)
def test_identity(name, value):
    """What a resource is needs no collector; without a name it goes by its id."""
    assert read_field(resource(), name, "core", NOW) == value


@pytest.mark.parametrize(
    ("fields", "age"),
    [
        ({"created": NOW - timedelta(days=2)}, timedelta(days=2)),
        ({"created": NOW}, timedelta(0)),
        ({"created": NOW + timedelta(seconds=1)}, Reason.FUTURE_TIMESTAMP),
        ({"created": A}, Reason.DENIED),
        ({"created": "2026"}, Reason.WRONG_TYPE),
        ({"created": NOW.replace(tzinfo=None)}, Reason.WRONG_TYPE),
        ({}, Reason.MISSING),
    ],
)
def test_age(fields, age):
    """Time since creation; a creation in the future is not believed."""
    found = age_of(resource(**fields), NOW)
    assert (found.reason if isinstance(found, Unknown) else found) == age
    assert read_field(resource(**fields), "age", "core", NOW) == found
