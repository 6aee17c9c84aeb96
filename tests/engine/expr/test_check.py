"""What is wrong with an expression before any resource is seen: code, place and hint of each mistake."""

from __future__ import annotations

import re

import pytest

from engine.codes import CODES
from engine.expr.check import resolve
from engine.expr.parse import parse
from engine.expr.syntax import Comparison, FieldRef, Literal, MetricCall, TagRef
from engine.kinds import Field, Kind, Metric, Type
from tests.engine.expr.resources import KIND

OTHER = Kind(
    "test.disk",
    "Test disk",
    ("storage.volume",),
    (
        Field("state", Type.STRING, "State.", values=("available", "stopped"), group="other"),
        Field("running", Type.NUMBER, "Not a condition here."),
        Field("volume.size_gib", Type.NUMBER, "In another unit.", unit="TiB"),
    ),
    (Metric("network.in", "packets", 60, "network", "In another unit."),),
)


@pytest.mark.parametrize(
    ("marked", "code", "message", "hint"),
    [
        # names
        (
            "resource.‹stat› == 'running'",
            "unknown-field",
            "unknown field `stat` of `test.machine`",
            "did you mean `state`?",
        ),
        (
            "true and resource.‹accelerator.cuont› > 1",
            "unknown-field",
            "unknown field `accelerator.cuont` of `test.machine`",
            "did you mean `accelerator.count`?",
        ),
        ("resource.‹zzz› == 1", "unknown-field", "unknown field `zzz` of `test.machine`", ""),
        (
            "resource.‹tags.owner› == 'a'",
            "unknown-field",
            "unknown field `tags.owner` of `test.machine`",
            "write `tags.<key>`",
        ),
        (
            "has(‹resource›)",
            "unknown-field",
            "`resource` by itself has no value",
            "name a field, such as `resource.state`",
        ),
        (
            "‹tags.cost.center› == 'a'",
            "unknown-field",
            "a tag is text and has no members",
            'write `tags["cost.center"]`',
        ),
        ("‹cost.hourley› > 1", "unknown-field", "unknown cost `hourley`", "did you mean `hourly`?"),
        ("‹cost› > 1", "unknown-field", "unknown cost ``", "write `cost.hourly` or `cost.monthly`"),
        ("‹now.year› > 1", "unknown-field", "`now` is a time and has no members", ""),
        ("‹'a'.b› == 'c'", "unknown-field", "only `resource`, `tags` and `cost` have members", ""),
        ("resource.types.exists(t, ‹t.b› == 'c')", "unknown-field", "`t` is text and has no members", ""),
        ("‹state› == 'running'", "unknown-name", "unknown name `state`", "write `resource.state`"),
        ("‹accelerator›.count > 1", "unknown-name", "unknown name `accelerator`", "write `resource.accelerator.count`"),
        ("‹tag›.owner == 'a'", "unknown-name", "unknown name `tag`", "did you mean `tags`?"),
        ("tags.env == ‹production›", "unknown-name", "unknown name `production`", 'put text in quotes: `"production"`'),
        (
            "resource.types.exists(t, true) and ‹t› == 'a'",
            "unknown-name",
            "unknown name `t`",
            'put text in quotes: `"t"`',
        ),
        # functions
        (
            "‹foo›(tags.a)",
            "unknown-function",
            "unknown function `foo`",
            "one of has, size, duration, timestamp, default, avg, max, min, sum",
        ),
        ("‹len›(tags) > 1", "unknown-function", "unknown function `len`", "did you mean `size`?"),
        ("‹exists›(tags.a)", "unknown-function", "unknown function `exists`", "did you mean `has`?"),
        (
            "‹startsWith›(tags.a, 'b')",
            "unknown-function",
            "unknown function `startsWith`",
            "write it behind the value: `tags.owner.startsWith(...)`",
        ),
        ("tags.a.‹has›()", "unknown-function", "unknown method `has`", "write it before the value: `has(...)`"),
        ("tags.a.‹startswith›('b')", "unknown-function", "unknown method `startswith`", "did you mean `startsWith`?"),
        ("tags.a.‹matchs›('b')", "unknown-function", "unknown method `matchs`", "did you mean `matches`?"),
        ("‹has()›", "type-mismatch", "`has` takes 1 argument, 0 given", "write `has(tags.owner)`"),
        (
            "‹tags.a.startsWith()›",
            "type-mismatch",
            "`startsWith` takes 1 argument, 0 given",
            'write `resource.name.startsWith("ml-")`',
        ),
        ("has(‹'a'›)", "type-mismatch", "`has` asks for a field, a tag or a cost", ""),
        ("has(‹tags›)", "type-mismatch", "`has` asks for a field, a tag or a cost", ""),
        ("size(‹resource.running›) > 1", "type-mismatch", "true or false has no size", ""),
        ("‹size()› > 1", "type-mismatch", "`size` takes 1 argument", "write `size(tags)`"),
        ("‹resource.vcpus›.startsWith('a')", "type-mismatch", "`startsWith` asks about text, this is a number", ""),
        ("tags.a.contains(‹5›)", "type-mismatch", "`contains` takes text, this is a number", ""),
        ("tags.a.matches(‹tags.b›)", "type-mismatch", "`matches` takes a pattern in quotes", ""),
        ("tags.a.matches(‹'('›)", "bad-regex", "`(` is not a pattern: missing ): (", "the syntax is RE2's"),
        (
            r"tags.a.matches(‹r'(a)\1'›)",
            "bad-regex",
            r"`(a)\1` is not a pattern: invalid escape sequence: \1",
            "the syntax is RE2's",
        ),
        (
            "tags.a.matches(‹'(?=a)'›)",
            "bad-regex",
            "`(?=a)` is not a pattern: invalid perl operator: (?=",
            "the syntax is RE2's",
        ),
        ("‹tags.a›.exists(t, true)", "type-mismatch", "`exists` goes through a list or the tags, this is text", ""),
        (
            "tags.exists(‹'t'›, true)",
            "type-mismatch",
            "the first argument names the element",
            'write `resource.instance.types.exists(t, t.startsWith("ml.p"))`',
        ),
        (
            "tags.exists(‹tags›, true)",
            "type-mismatch",
            "the first argument names the element",
            'write `resource.instance.types.exists(t, t.startsWith("ml.p"))`',
        ),
        ("tags.all(t, ‹t›)", "type-mismatch", "`all` needs a condition, this is text", ""),
        # default
        ("‹default(tags.a, 5)› == 'b'", "type-mismatch", "`default` gives a number for text", ""),
        ("default(‹'a'›, 'b') == 'b'", "type-mismatch", "`default` is for a field, a tag, a cost or a metric", ""),
        ("default(tags.a, ‹tags.b›) == 'b'", "type-mismatch", "the second argument of `default` is a constant", ""),
        ("default(tags.a, ‹null›) == 'b'", "type-mismatch", "the second argument of `default` is a constant", ""),
        ("default(resource.vcpus, ‹5%›) > 1", "type-mismatch", "`default` gives `5%` for a number", ""),
        ("default(resource.vcpus, ‹40GiB›) > 1", "type-mismatch", "`default` gives `40GiB` for a number", ""),
        # times
        ("resource.age > duration(‹'4 h'›)", "wrong-value", "`4 h` is not a duration", "write `4h`"),
        (
            "resource.age > duration(‹4›)",
            "type-mismatch",
            "`duration` takes a text in quotes",
            'write `duration("4h")`',
        ),
        (
            "now > timestamp(‹'2026-01-31'›)",
            "wrong-value",
            "`2026-01-31` is not a timestamp: it has no zone",
            'write `timestamp("2026-01-31T00:00:00Z")`',
        ),
        (
            "now > timestamp(‹'0001-01-01T00:00:00+05:00'›)",
            "wrong-value",
            "`0001-01-01T00:00:00+05:00` is not a timestamp: date value out of range",
            'write `timestamp("2026-01-31T00:00:00Z")`',
        ),
        # metrics
        (
            "max(‹metrics.gpu.utilisation›, 4h) < 5",
            "unknown-metric",
            "unknown metric `gpu.utilisation` of `test.machine`",
            "did you mean `gpu.utilization`?",
        ),
        (
            "‹metrics.gpu.utilization› < 5",
            "type-mismatch",
            "a metric is read over a window",
            "write for example `max(metrics.gpu.utilization, 4h)`",
        ),
        (
            "‹max(metrics.gpu.utilization)› < 5",
            "type-mismatch",
            "`max` takes 2 arguments, 1 given",
            "write `max(metrics.gpu.utilization, 4h)`",
        ),
        ("max(‹tags.a›, 4h) < 5", "type-mismatch", "`max` reads a metric", "write `max(metrics.gpu.utilization, 4h)`"),
        (
            "max(metrics.gpu.utilization, ‹4›) < 5",
            "type-mismatch",
            "the window is a duration longer than zero, as a constant",
            "write `max(metrics.gpu.utilization, 4h)`",
        ),
        (
            "max(metrics.gpu.utilization, ‹0h›) < 5",
            "type-mismatch",
            "the window is a duration longer than zero, as a constant",
            "write `max(metrics.gpu.utilization, 4h)`",
        ),
        (
            "max(metrics.gpu.utilization, ‹-4h›) < 5",
            "type-mismatch",
            "the window is a duration longer than zero, as a constant",
            "write `max(metrics.gpu.utilization, 4h)`",
        ),
        # types
        (
            "‹resource.vcpus > '8'›",
            "type-mismatch",
            "`>` compares a number with text",
            "numbers are written without quotes, texts with them",
        ),
        (
            "‹tags.keep == true›",
            "type-mismatch",
            "`==` compares text with true or false",
            'tags are text: write `== "true"`',
        ),
        (
            "‹resource.age > 30›",
            "type-mismatch",
            "`>` compares a duration with a number",
            "write a unit, such as `30d`",
        ),
        ("‹resource.running == 1›", "type-mismatch", "`==` compares true or false with a number", ""),
        ("‹resource.running > false›", "type-mismatch", "`>` does not compare true or false", ""),
        ("‹tags == tags›", "type-mismatch", "`==` does not compare the map of all tags", ""),
        ("‹tags.a > null›", "type-mismatch", "nothing is `>` null", ""),
        ("‹null == null›", "type-mismatch", "only a field or a tag can be null", ""),
        (
            "resource.state == ‹'runing'›",
            "wrong-value",
            "`runing` is not one of the field's values",
            "did you mean `running`?",
        ),
        (
            "resource.state in ['running', ‹'gone'›]",
            "wrong-value",
            "`gone` is not one of the field's values",
            "one of running, stopped",
        ),
        (
            "‹'gone'› != resource.state",
            "wrong-value",
            "`gone` is not one of the field's values",
            "one of running, stopped",
        ),
        (
            "resource.running and ‹tags.a›",
            "type-mismatch",
            "`and` joins conditions, this is text",
            "compare it with something",
        ),
        (
            "not ‹resource.vcpus›",
            "type-mismatch",
            "`not` joins conditions, this is a number",
            "compare it with something",
        ),
        ("-‹tags.a› == 'b'", "type-mismatch", "`-` needs a number, this is text", ""),
        ("-‹true›", "type-mismatch", "`-` needs a number, this is true or false", ""),
        ("‹tags.a + 5› == 'b'", "type-mismatch", "`+` does not go with text and a number", ""),
        ("‹now + now› > now", "type-mismatch", "`+` does not go with a time and a time", ""),
        ("tags.a in ‹'abc'›", "type-mismatch", "`in` needs a list, this is text", 'write a list: `in ["a", "b"]`'),
        ("‹5› in tags", "type-mismatch", "a tag's key is text, this is a number", ""),
        ("‹tags.a in [1, 2]›", "type-mismatch", "`in` looks for text in a list of numbers", ""),
        ("tags.a in ['x', ‹2›]", "type-mismatch", "a list holds one type: text and a number", ""),
        ("tags.a in ['x', ‹tags.b›]", "type-mismatch", "a list holds only constants", ""),
        ("size([‹null›]) == 1", "type-mismatch", "a list holds only constants", ""),
        # units
        ("resource.vcpus > ‹5%›", "type-mismatch", "`5%` is compared with something that is a plain number", ""),
        ("resource.vcpus > ‹40GiB›", "type-mismatch", "`40GiB` is compared with something that is a plain number", ""),
        (
            "resource.vcpus in [‹40GiB›]",
            "type-mismatch",
            "`40GiB` is compared with something that is a plain number",
            "",
        ),
        ("resource.share > ‹1.5GiB›", "type-mismatch", "`1.5GiB` is compared with something that is in percent", ""),
        ("resource.volume.size_gib > ‹5%›", "type-mismatch", "`5%` is compared with something that is in GiB", ""),
        ("‹cost.hourly > resource.share›", "type-mismatch", "a number (usd) is compared with a number (percent)", ""),
        (
            "‹resource.share + resource.volume.size_gib› > 1",
            "type-mismatch",
            "`+` does not go with a number (percent) and a number (GiB)",
            "",
        ),
        (
            "cost.monthly * ‹10%› > 5",
            "type-mismatch",
            "`10%` is the number 10, not a share to multiply with",
            "write `0.1`",
        ),
        # the whole
        (
            "‹resource.vcpus + 1›",
            "not-a-condition",
            "this is a number, not a condition, true or false",
            "compare it with something",
        ),
        ("‹tags.a›", "not-a-condition", "this is text, not a condition, true or false", "compare it with something"),
        (
            "‹tags›",
            "not-a-condition",
            "this is the map of all tags, not a condition, true or false",
            "compare it with something",
        ),
        ("‹null›", "not-a-condition", "this is null, not a condition, true or false", "compare it with something"),
    ],
)
def test_each_mistake(problems, marked, code, message, hint):
    """Each mistake gives one problem, with its code, the characters it is about and what to write instead."""
    before, accused, after = re.split("[‹›]", marked)
    (problem,) = problems(before + accused + after)
    assert code in CODES
    assert (code, message, hint) == (problem.code, problem.message, problem.hint)
    assert (len(before), len(before + accused)) == (problem.start, problem.end)


def test_all_mistakes_are_found_in_one_pass(problems):
    """Every mistake of an expression is reported, in the order they stand."""
    found = problems("resource.stat == 'a' and (foo() or tags.keep == true) and prod")
    assert [p.code for p in found] == ["unknown-field", "unknown-function", "type-mismatch", "unknown-name"]


def test_one_mistake_gives_one_problem(problems):
    """What contains a mistake is not accused of another."""
    (problem,) = problems("not (-size(resource.zzz) + 1 > 2 and resource.running)")
    assert problem.message == "unknown field `zzz` of `test.machine`"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("resource.volume.size_gib > 40GiB", 40),
        ("resource.volume.size_gib > 1TiB", 1024),
        ("512MiB < resource.volume.size_gib", 0.5),
        ("sum(metrics.network.in, 4h) > 40GiB", 40 * 2**30),
        ("sum(metrics.network.in, 4h) > 2kB", 2000),
        ("resource.share > 5%", 5),
    ],
)
def test_sizes_are_converted_to_the_unit_beside_them(text, value):
    """`40GiB` is 40 beside a field in GiB and 42,949,672,960 beside bytes; `5%` is 5."""
    node, problems = resolve(parse(text), [KIND])
    assert problems == ()
    assert isinstance(node, Comparison)
    literal = node.right if isinstance(node.right, Literal) else node.left
    assert isinstance(literal, Literal)
    assert value == literal.value


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("resource.volume.size_gib + 10GiB == 50", {"volume.size_gib": 40}, True),
        ("10GiB + resource.volume.size_gib == 50GiB", {"volume.size_gib": 40}, True),
        ("10GiB + 1MiB > 10GiB", {}, True),
        ("1GiB == 1024MiB", {}, True),
        ("1GB < 1GiB", {}, True),
        ("resource.volume.size_gib in [1TiB, 2TiB]", {"volume.size_gib": 2048}, True),
        ("default(resource.volume.size_gib, 1TiB) == 1024", {}, True),
        ("default(sum(metrics.network.in, 4h), 1kB) == 1000", {}, False),
        ("default(resource.state, 'none') == 'none'", {}, True),
    ],
)
def test_sizes_are_converted_everywhere(evaluate, text, fields, expected):
    """Beside `+`, in lists and in `default`, a size has the unit of what it goes with."""
    assert expected is evaluate(text, fields=fields, metric=1.0)


def test_fields_have_to_be_those_of_all_kinds(problems):
    """A policy about several kinds may only use what all of them declare, alike."""
    kinds = (KIND, OTHER)
    (lacking,) = problems("resource.vcpus > 1", kinds)
    assert (
        lacking.code,
        lacking.message,
        lacking.hint,
    ) == (
        "unknown-field",
        "unknown field `vcpus` of `test.disk`",
        "name only kinds that have it under `resource`",
    )
    (typed,) = problems("resource.running == 1", kinds)
    assert typed.message == "`running` does not have the same type for all kinds of the policy"
    (measured,) = problems("resource.volume.size_gib > 1", kinds)
    assert measured.message == "`volume.size_gib` does not have the same unit for all kinds of the policy"
    (metric,) = problems("max(metrics.network.in, 1h) > 1", kinds)
    assert metric.message == "`network.in` does not have the same unit for all kinds of the policy"
    (unknown,) = problems("max(metrics.gpu.utilization, 1h) > 1", kinds)
    assert unknown.message == "unknown metric `gpu.utilization` of `test.disk`"


def test_values_of_several_kinds_are_joined(problems):
    """An enumerated field may be compared with the values of any kind of the policy, and knows each kind's group."""
    assert problems("resource.state == 'available' or resource.state == 'running'", (KIND, OTHER)) == ()
    node, _ = resolve(parse("resource.state == 'available'"), [KIND, OTHER])
    assert isinstance(node, Comparison)
    assert isinstance(node.left, FieldRef)
    assert node.left.groups == {"test.machine": "core", "test.disk": "other"}
    assert node.left.values == ("running", "stopped", "available")


def test_names_are_resolved():
    """Fields, tags and metrics become references with their declared types."""
    node, _ = resolve(parse('resource["accelerator.count"]'), [KIND], expect=None)
    assert isinstance(node, FieldRef)
    assert (node.name, node.type) == ("accelerator.count", Type.NUMBER)
    tag, _ = resolve(parse('tags["bursar/keep"]'), [KIND], expect=Type.STRING)
    assert isinstance(tag, TagRef)
    assert tag.path == 'tags["bursar/keep"]'
    metric, _ = resolve(parse("max(metrics.gpu.utilization, duration('1h30m'))"), [KIND], expect=Type.NUMBER)
    assert isinstance(metric, MetricCall)
    assert (
        metric.function, metric.metric, metric.unit, metric.window.total_seconds(),
    ) == ("max", "gpu.utilization", "percent", 5400.0)  # fmt: skip


def test_another_type_may_be_wanted(problems):
    """`group_by` wants text, and any type goes where none is named."""
    assert problems("tags.team", expect=Type.STRING) == ()
    assert problems("resource.vcpus + 1", expect=None) == ()
    (problem,) = problems("resource.running", expect=Type.STRING)
    assert problem.message == "this is true or false, not string"


def test_variables_are_seen_only_inside(problems):
    """The inner variable hides an outer one of its name, and neither is seen outside."""
    assert problems("resource.types.exists(t, tags.all(t, t != 'a') and t == 'b')") == ()
    assert problems("[1, 2].all(n, n > 0) and ['a'].exists(t, t == tags.team)") == ()
    (problem,) = problems("[1, 2].all(n, n == 'a')")
    assert problem.message == "`==` compares a number with text"
