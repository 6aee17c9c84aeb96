"""
What expressions mean on values that may be unknown: every rule of the three-valued logic, held by
the interpreter and the compiler alike (the `evaluate` fixture runs both).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from time import perf_counter

import pytest

from engine.expr.check import resolve
from engine.expr.env import Env
from engine.expr.interpret import Reading, interpret
from engine.expr.parse import parse
from engine.model import Resource
from engine.values import Reason, Unknown, clean
from tests.engine.expr.resources import KIND, NOW

T, F, U = "true", "false", "unknown"
UNKNOWNS = {reason: Unknown(reason, "seen") for reason in Reason}


def words(answer: object) -> object:
    """Return an answer as `true`, `false` or `unknown`."""
    if isinstance(answer, Unknown):
        return U
    return {True: T, False: F}[answer]  # type: ignore[index]


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, T, T), (T, F, F, T), (T, U, U, T),
        (F, T, F, T), (F, F, F, F), (F, U, F, U),
        (U, T, U, T), (U, F, F, U), (U, U, U, U),
    ],
)  # fmt: skip
def test_kleene(evaluate, left, right, both, either):
    """`and` and `or` are strong Kleene, for two operands and for three."""
    values = {T: True, F: False, U: UNKNOWNS[Reason.DENIED]}
    fields = {"running": values[left], "encrypted": values[right]}
    a, b = "resource.running", "resource.encrypted"
    assert both == words(evaluate(f"{a} and {b}", fields=fields))
    assert either == words(evaluate(f"{a} or {b}", fields=fields))
    assert both == words(evaluate(f"{a} && {b} && {a}", fields=fields))
    assert either == words(evaluate(f"{b} || {a} || {b}", fields=fields))


@pytest.mark.parametrize(("value", "expected"), [(True, F), (False, T), (UNKNOWNS[Reason.STALE], U)])
def test_not(evaluate, value, expected):
    """The negation of what is not known is not known."""
    assert expected == words(evaluate("not resource.running", fields={"running": value}))
    assert expected == words(evaluate("!resource.running", fields={"running": value}))


def test_the_first_reason_is_given(evaluate):
    """Of several things that are not known, the one written first is the reason, however many there are."""
    fields = {"running": Unknown(Reason.STALE), "encrypted": Unknown(Reason.DENIED)}
    for text in (
        "resource.running and resource.encrypted",
        "resource.running or resource.encrypted",
        "true and resource.running and resource.encrypted",
        "false or resource.running or resource.encrypted",
        "['a', 'b'].exists(x, resource.running or x == tags.a)",
    ):
        answer = evaluate(text, fields=fields)
        assert answer == Unknown(Reason.STALE, "", "resource.running"), text


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize(
    "text",
    [
        "resource.model == 'a'", "resource.model != 'a'", "'a' == resource.model", "resource.model < 'a'",
        "resource.model in ['a', 'b']", "resource.model not in ['a', 'b']", "not (resource.model in [])",
        "resource.model in resource.types", "resource.model.startsWith('a')", "resource.model.endsWith('a')",
        "resource.model.contains('a')", "'abc'.contains(resource.model)", "resource.model.matches('a')",
        "not resource.model.matches('a')", "resource.model.lowerAscii() == 'a'", "resource.model + 'a' == 'a'",
        "resource.model == tags.owner", "size(resource.model) > 0", "resource.model >= resource.region",
    ],
)  # fmt: skip
def test_whatever_is_asked_of_the_unknown_is_unknown(evaluate, reason, text):
    """Every comparison, `!=`, `not in` and patterns too, is unknown with the reason of its operand."""
    fields = {"model": UNKNOWNS[reason], "types": ("a",)}
    assert evaluate(text, fields=fields, tags={"owner": "a"}) == Unknown(reason, "seen", "resource.model")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("resource.model == 'a'", F), ("'a' == resource.model", F), ("resource.model != 'a'", T),
        ("resource.model in ['a']", F), ("resource.model not in ['a']", T), ("resource.model.startsWith('a')", F),
        ("resource.model.contains('')", F), ("resource.model.matches('')", F), ("not resource.model.matches('')", T),
        ("resource.model == tags.owner", F), ("tags.nothing == resource.model", F),
        ("resource.model < 'a'", U), ("resource.model.lowerAscii() == 'a'", F), ("resource.vcpus > 1", U),
        ("resource.vcpus == 1", U), ("resource.vcpus + 1 == 2", U), ("resource.running", U),
        ("not resource.running", U),
        ("resource.model == null", T), ("has(resource.model)", F), ("size(resource.model) == 0", F),
    ],
)  # fmt: skip
def test_closed_conditions_take_absence_for_an_answer(evaluate, text, expected):
    """
    In `unless`, what is known to be absent equals nothing; conditions and orders stay unknown.

    The absence of a field that every resource of the kind has (`vcpus`) is no knowledge.
    """
    gone = Unknown(Reason.MISSING)
    fields = {"model": gone, "vcpus": gone, "running": gone}
    assert expected == words(evaluate(text, closed=True, fields=fields, tags={"owner": "a"}))


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.MISSING}))
@pytest.mark.parametrize("text", ["resource.model == 'a'", "resource.model != 'a'", "resource.model in ['a']",
                                  "resource.model.startsWith('a')", "resource.model.matches('a')",
                                  "resource.model == tags.nothing", "tags.nothing == resource.model"])  # fmt: skip
def test_closed_conditions_do_not_take_ignorance_for_an_answer(evaluate, text, reason):
    """In `unless`, a failed call never looks like an absence, even beside one."""
    assert words(evaluate(text, closed=True, fields={"model": UNKNOWNS[reason]})) == U


# --- absence


@pytest.mark.parametrize(
    ("text", "complete", "gap"),
    [
        ("has(tags.team)", F, U), ('has(tags["team"])', F, U), ("'team' in tags", F, U), ("'team' not in tags", T, U),
        ("tags.team == null", T, U), ("tags.team != null", F, U), ("tags.team == 'a'", U, U),
        ("has(tags.owner)", T, T), ("'owner' in tags", T, T), ("tags.owner == null", F, F),
        ("null != tags.owner", T, T),
        ("size(tags) == 1", T, U), ("tags.size() > 0", T, U),
        ("tags.exists(k, k == 'owner')", T, T), ("tags.exists(k, k == 'team')", F, U),
        ("tags.all(k, k != 'team')", T, U), ("tags.all(k, k != 'owner')", F, F),
    ],
)  # fmt: skip
def test_a_failed_tag_call_never_looks_like_no_tags(evaluate, text, complete, gap):
    """Absence is known only where the tags are attested complete; what is there is known either way."""
    tags = {"owner": "ann"}
    assert complete == words(evaluate(text, tags=tags))
    assert gap == words(evaluate(text, tags=tags, gaps={"tags": Unknown(Reason.DENIED, "no access")}))


def test_the_gap_of_the_fields_own_group_counts(evaluate):
    """A field that is not there is missing where its group is complete, and has the gap's reason where it is not."""
    gaps = {"hardware": Unknown(Reason.SOURCE_ERROR, "throttled")}
    assert evaluate("resource.vcpus > 1", gaps=gaps) == Unknown(Reason.SOURCE_ERROR, "throttled", "resource.vcpus")
    assert evaluate("resource.model == 'a'", gaps=gaps) == Unknown(Reason.MISSING, "", "resource.model")
    assert evaluate("has(resource.model)", gaps=gaps) is False
    assert words(evaluate("has(resource.vcpus)", gaps=gaps)) == U
    assert words(evaluate("resource.encrypted", gaps=gaps)) == U


@pytest.mark.parametrize(
    ("text", "fields", "tags", "expected"),
    [
        ("default(tags.tier, 'none') == 'none'", {}, {}, T),
        ("default(tags.tier, 'none') == 'none'", {}, {"tier": "gold"}, F),
        ("default(tags.tier, 'none') == ''", {}, {"tier": ""}, T),
        ("default(resource.vcpus, 4) == 4", {"vcpus": UNKNOWNS[Reason.DENIED]}, {}, T),
        ("default(resource.vcpus, 4) == 4", {"vcpus": "four"}, {}, T),
        ("default(resource.vcpus, 4) == 0", {"vcpus": 0}, {}, T),
        ("default(resource.running, true)", {}, {}, T),
        ("default(resource.running, true)", {"running": False}, {}, F),
        ("default(resource.uptime, 4h) == 240m", {}, {}, T),
        ("default(cost.hourly, 5) == 5", {}, {}, T),
        ("default(max(metrics.gpu.utilization, 4h), 100%) > 99", {}, {}, T),
    ],
)
def test_default_is_taken_only_for_what_is_not_known(evaluate, text, fields, tags, expected):
    """`default` answers for anything unknown and for nothing else; falsy values are values."""
    unknown = Unknown(Reason.INSUFFICIENT_SAMPLES)
    assert expected == words(evaluate(text, fields=fields, tags=tags, cost=unknown, metric=unknown))


# --- no coercion


@pytest.mark.parametrize(
    ("text", "fields", "reason"),
    [
        ("resource.vcpus == 1", {"vcpus": True}, Reason.WRONG_TYPE),
        ("resource.vcpus > 1", {"vcpus": "8"}, Reason.WRONG_TYPE),
        ("resource.vcpus > 1", {"vcpus": float("nan")}, Reason.NAN),
        ("resource.vcpus != 1", {"vcpus": float("nan")}, Reason.NAN),
        ("resource.vcpus > 1", {"vcpus": float("inf")}, Reason.NAN),
        ("resource.vcpus > 1", {"vcpus": Decimal("NaN")}, Reason.NAN),
        ("resource.vcpus > 1", {"vcpus": Decimal("sNaN")}, Reason.NAN),
        ("resource.vcpus > 1", {"vcpus": Decimal("-Infinity")}, Reason.NAN),
        ("resource.running", {"running": 1}, Reason.WRONG_TYPE),
        ("resource.running", {"running": "true"}, Reason.WRONG_TYPE),
        ("resource.running == true", {"running": 1}, Reason.WRONG_TYPE),
        ("resource.model == '8'", {"model": 8}, Reason.WRONG_TYPE),
        ("resource.model in ['8']", {"model": b"8"}, Reason.WRONG_TYPE),
        ("resource.region == 'eu'", {"region": UNKNOWNS[Reason.STALE]}, Reason.STALE),
        ("resource.id < 'x'", {"id": 5}, Reason.WRONG_TYPE),
        ("resource.launched < now", {"launched": "2026-01-01"}, Reason.WRONG_TYPE),
        ("resource.launched < now", {"launched": NOW.replace(tzinfo=None)}, Reason.WRONG_TYPE),
        ("resource.uptime > 1h", {"uptime": 7200}, Reason.WRONG_TYPE),
        ("'a' in resource.types", {"types": "abc"}, Reason.WRONG_TYPE),
        ("'a' in resource.types", {"types": ("a", 5)}, Reason.WRONG_TYPE),
        ("resource.types.exists(t, t == 'a')", {"types": {"a": "b"}}, Reason.WRONG_TYPE),
        ("size(resource.types) == 1", {"types": 5}, Reason.WRONG_TYPE),
        ("resource.vcpus / 0 > 1", {"vcpus": 8}, Reason.WRONG_TYPE),
        ("resource.vcpus / resource.accelerator.count > 1", {"vcpus": 8, "accelerator.count": 0.0}, Reason.WRONG_TYPE),
        ("resource.vcpus * resource.vcpus > 1", {"vcpus": 1e200}, Reason.NAN),
        ("resource.vcpus * 1.5 > 1", {"vcpus": Decimal("9e999999")}, Reason.NAN),
        ("resource.vcpus / 3 > 1", {"vcpus": 10**400}, Reason.NAN),
        ("resource.model.matches('a')", {"model": "\ud800"}, Reason.WRONG_TYPE),
        ("now - resource.uptime < now", {"uptime": timedelta.max}, Reason.NAN),
        ("-resource.uptime < 1h", {"uptime": timedelta.max}, Reason.NAN),
        ("resource.model == 'a'", {"model": 10**5000}, Reason.WRONG_TYPE),
    ],
)  # fmt: skip
def test_wrong_values_are_unknown(evaluate, text, fields, reason):
    """What has not its declared type, and what cannot be counted with, is unknown and never a crash."""
    answer = evaluate(text, fields=fields)
    assert isinstance(answer, Unknown)
    assert answer.reason is reason


def test_wrong_values_of_tags_costs_and_metrics_are_unknown(evaluate):
    """Tags that are no text, costs and metrics that are no numbers are unknown too."""
    assert words(evaluate("tags.a == 'b'", tags={"a": 5})) == U
    assert words(evaluate("tags.a in ['b']", tags={"a": 5})) == U
    assert words(evaluate("cost.hourly > 1", cost=Decimal("NaN"))) == U
    assert words(evaluate("cost.monthly > 1", cost=Decimal("sNaN"))) == U
    assert words(evaluate("cost.monthly > 1", cost=Decimal("9e999999"))) == U
    assert words(evaluate("max(metrics.gpu.utilization, 1h) > 1", metric=float("nan"))) == U
    assert words(evaluate("max(metrics.gpu.utilization, 1h) > 1", metric=True)) == U


def test_long_wrong_values_are_shown_in_short(evaluate):
    """The evidence names a wrong value without repeating all of it."""
    answer = evaluate("resource.vcpus > 1", fields={"vcpus": "x" * 10_000})
    assert isinstance(answer, Unknown)
    assert len(answer.detail) < 120


# --- numbers and money


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("0.1 + 0.2 == 0.3", {}, T),
        ("resource.vcpus == 0.1", {"vcpus": 0.1}, T),
        ("0.1 == resource.vcpus", {"vcpus": Decimal("0.1")}, T),
        ("resource.vcpus <= 0.3", {"vcpus": 0.1 + 0.2}, F),
        ("resource.vcpus == 8", {"vcpus": 8.0}, T),
        ("resource.vcpus == 8", {"vcpus": Decimal("8.00")}, T),
        ("resource.vcpus == 8.0", {"vcpus": 8}, T),
        ("resource.vcpus in [1, 8.0]", {"vcpus": 8}, T),
        ("resource.vcpus in [0.1]", {"vcpus": 0.1}, T),
        ("resource.vcpus / 2 == 3.5", {"vcpus": 7}, T),
        ("resource.vcpus - 10 < -2", {"vcpus": 7}, T),
        ("-resource.vcpus == -7", {"vcpus": 7}, T),
        ("2 + 3 * 4 == 14", {}, T),
        ("resource.vcpus == 9007199254740993", {"vcpus": 2**53 + 1}, T),
        ("resource.vcpus == 9007199254740993", {"vcpus": float(2**53)}, F),
        ("resource.vcpus > 1e30", {"vcpus": 10**400}, T),
    ],
)  # fmt: skip
def test_numbers(evaluate, text, fields, expected):
    """Integers, decimals and floats are one type; what is written is what is compared."""
    assert expected == words(evaluate(text, fields=fields))


def test_money_is_decimal(evaluate):
    """Costs stay decimals through arithmetic with numbers of any sort; a month has 730 hours."""
    assert evaluate("cost.hourly * 3", cost=Decimal("0.10")) == Decimal("0.30")
    answer = evaluate("cost.hourly * resource.vcpus", cost=Decimal("0.1"), fields={"vcpus": 0.2})
    assert answer == Decimal("0.02")
    assert isinstance(answer, Decimal)
    assert evaluate("cost.monthly", cost=Decimal("0.1")) == Decimal("73.0")
    assert evaluate("cost.monthly == 73", cost=Decimal("0.1")) is True
    assert evaluate("cost.hourly == resource.vcpus", cost=Decimal("0.1"), fields={"vcpus": 0.1}) is True
    unknown = Unknown(Reason.NOT_COLLECTED, "no price")
    assert evaluate("cost.monthly > 5", cost=unknown) == Unknown(Reason.NOT_COLLECTED, "no price", "cost.monthly")


# --- texts


@pytest.mark.parametrize(
    ("text", "model", "expected"),
    [
        ("resource.model.startsWith('ml-')", "ml-1", T), ("resource.model.startsWith('')", "", T),
        ("resource.model.startsWith('ML')", "ml-1", F), ("resource.model.endsWith('-1')", "ml-1", T),
        ("resource.model.contains('l-')", "ml-1", T), ("resource.model.contains('')", "", T),
        ("resource.model.matches('l.1')", "ml-1", T), ("resource.model.matches('^l')", "ml-1", F),
        ("resource.model.matches('^ml-[0-9]+$')", "ml-12", T), (r"resource.model.matches(r'^\w+$')", "é", F),
        ("resource.model.matches('^.$')", "😀", T), ("resource.model.matches('^a$')", "a\nb", F),
        ("resource.model.matches('(?i)PROD')", "my-prod-1", T), ("resource.model.matches('')", "", T),
        ("resource.model.lowerAscii() == 'ml'", "ML", T), ("resource.model.lowerAscii() == 'éİ'", "éİ", T),
        ("resource.model.lowerAscii() == 'é'", "É", F), ("size(resource.model) == 2", "é😀", T),
        ("resource.model.size() == 0", "", T), ("resource.model + '-x' == 'a-x'", "a", T),
        ("resource.model < 'b'", "a", T), ("resource.model == 'a'", "A", F),
        ("resource.model in ['a', 'b']", "b", T), ("resource.model in []", "b", F), ("'x' in ['x']", "b", T),
    ],
)  # fmt: skip
def test_texts(evaluate, text, model, expected):
    """Text is compared by its characters; patterns are searched for; only A to Z have a lower case."""
    assert expected == words(evaluate(text, fields={"model": model}))


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*b", "(a+)+$", "(a|aa)+b", "(a|a?)+b", "(.*a){20}b", "([a-zA-Z]+)*[^a]$", "^(([a-z])+.)+[A-Z]([a-z])+$"],
)
def test_nasty_patterns_take_no_time(evaluate, pattern):
    """Patterns that take a backtracking engine for ever are linear in the text."""
    before = perf_counter()
    assert isinstance(evaluate(f"resource.model.matches('{pattern}')", fields={"model": "a" * 20_000}), bool)
    assert perf_counter() - before < 5


def test_patterns_that_grow_too_large_are_refused(problems):
    """A pattern whose program would need much memory is an error when it is read."""
    (problem,) = problems("resource.model.matches('((a{100}){100}){100}')")
    assert problem.code == "bad-regex"


# --- lists


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("resource.types.exists(t, t == 'a')", ("a", "b"), T), ("resource.types.exists(t, t == 'c')", ("a", "b"), F),
        ("resource.types.exists(t, true)", (), F), ("resource.types.all(t, false)", (), T),
        ("resource.types.all(t, t < 'c')", ("a", "b"), T), ("resource.types.all(t, t == 'a')", ("a", "b"), F),
        ("resource.types.exists(t, t == 'a' or t == tags.no)", ("b", "a"), T),
        ("resource.types.exists(t, t == tags.no)", ("a",), U), ("resource.types.all(t, t == tags.no)", ("a",), U),
        ("resource.types.all(t, t == 'b' or t == tags.no)", ("a", "b"), U),
        ("resource.types.all(t, t == 'b' and t == tags.no)", ("b", "a"), F),
        ("resource.types.exists(t, ['a'].all(u, u == t))", ("b", "a"), T),
        ("resource.types.exists(t, ['b'].exists(t, t == 'b'))", ("a",), T),
        ("resource.types.all(a, resource.types.exists(b, a < b or a == 'z'))", ("a", "z"), T),
        ("[1, 2, 3].exists(n, n > 2)", (), T), ("size(resource.types) == 2", ("a", "b"), T),
        ("'a' in resource.types", ("a",), T), ("'a' not in resource.types", ("b",), T),
        ("[1h, 2h].all(d, d < 1d)", (), T), ("[true, false].all(b, b)", (), F),
    ],
)  # fmt: skip
def test_lists(evaluate, text, types, expected):
    """`exists` and `all` are Kleene's or and and over the elements."""
    assert expected == words(evaluate(text, fields={"types": types}))


# --- times


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("resource.age > 24h", {"created": NOW - timedelta(days=1)}, F),
        ("resource.age >= 24h", {"created": NOW - timedelta(days=1)}, T),
        ("24h <= resource.age", {"created": NOW - timedelta(days=1)}, T),
        ("resource.age > 24h", {"created": NOW - timedelta(days=1, microseconds=1)}, T),
        ("resource.age == 0s", {"created": NOW}, T),
        ("resource.age > 1h", {"created": NOW + timedelta(microseconds=1)}, U),
        ("resource.age > 1h", {}, U),
        ("resource.age > 1h", {"created": "yesterday"}, U),
        ("resource.age == 1h", {"age": timedelta(hours=1), "created": NOW}, T),
        ("now - resource.launched > 1d", {"launched": NOW - timedelta(days=2)}, T),
        ("resource.launched + 30d < now", {"launched": NOW - timedelta(days=31)}, T),
        ("1d + resource.launched == now", {"launched": NOW - timedelta(days=1)}, T),
        ("now - 30d < resource.launched", {"launched": NOW - timedelta(days=29)}, T),
        ("resource.launched > now", {"launched": NOW + timedelta(days=1)}, T),
        ("now == timestamp('2026-03-01T12:00:00Z')", {}, T),
        ("now == timestamp('2026-03-01T13:00:00+01:00')", {}, T),
        ("1h30m == 90m and 1w == 7d and 1d == 24h and 60s == 1m", {}, T),
        ("duration('1h') + 30m - 15m == 75m", {}, T),
        ("-resource.uptime == -2h", {"uptime": timedelta(hours=2)}, T),
        ("resource.uptime + 1h > 2h", {"uptime": timedelta(hours=2)}, T),
        ("now - 999999w < now", {}, U),
    ],
)  # fmt: skip
def test_times(evaluate, text, fields, expected):
    """Times and durations go together as expected, `now` stands still, and the future is not believed."""
    assert expected == words(evaluate(text, fields=fields))


def test_zones_do_not_matter(evaluate):
    """A creation time in another zone is the same moment."""
    berlin = timezone(timedelta(hours=1))
    created = datetime(2026, 3, 1, 12, 30, tzinfo=berlin)
    assert evaluate("resource.age == 30m", fields={"created": created}) is True
    assert clean(created, "resource.created") == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


# --- identity and traces


def test_the_identity_is_always_there(evaluate):
    """Kind, id, account and region are read from the resource; the name falls back to the id."""
    assert evaluate("resource.kind == 'test.machine' and resource.id == 'i-1'") is True
    assert evaluate("resource.name == 'i-1'") is True
    assert evaluate("resource.name == 'n'", name="n") is True
    assert evaluate("resource.region in ['eu']") is True
    assert evaluate("resource.region == 'us'", fields={"region": "us"}) is True
    assert evaluate("resource.region != 'eu'", fields={"region": ""}) is True


def test_a_trace_holds_everything_that_could_matter():
    """The interpreter reads every leaf, also behind a False, and names it as a policy does."""
    text = 'resource.share > 5% and (tags["a/b"] == "x" or cost.hourly > 1) and max(metrics.gpu.utilization, 1h) < 5'
    node, problems = resolve(parse(text), [KIND])
    assert problems == ()
    assert node is not None
    resource = Resource(KIND.name, "i", "", "", fields={"share": 1})
    env = Env(NOW, lambda _: Decimal(2), lambda *_: 3.0)
    trace: list[Reading] = []
    assert interpret(node, resource, env, trace=trace) is False
    missing = Unknown(Reason.MISSING, "", "tags['a/b']")
    assert trace == [
        Reading("resource.share", 1, "percent"),
        Reading('tags["a/b"]', missing),
        Reading("cost.hourly", Decimal(2), "usd"),
        Reading("max(metrics.gpu.utilization)", 3.0, "percent"),
    ]


def test_metrics_are_asked_for_what_is_written():
    """A metric call passes its function, name and window on."""
    node, _ = resolve(parse("avg(metrics.network.in, 1h30m)"), [KIND], expect=None)
    assert node is not None
    asked: list[object] = []

    def metric(resource: Resource, *rest: object) -> float:
        asked.append((resource.id, *rest))
        return 1.0

    interpret(node, Resource(KIND.name, "i", "", ""), Env(NOW, lambda _: Decimal(0), metric))
    assert asked == [("i", "avg", "network.in", timedelta(minutes=90))]
