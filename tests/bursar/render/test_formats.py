"""Every format: what it says, and that hostile text does no harm in it."""

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.render.formats import formats
from bursar.render.outputs import FORMATS
from bursar.render.scopes import told
from engine.findings import Cost
from engine.model import Asked, Scope, ScopeReport, ScopeStatus
from engine.values import Reason, Unknown

HOSTILE = {
    "escape": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "formula": '=HYPERLINK("http://evil","x")',
    "pipes": "a | b || c",
    "html": "<script>alert(1)</script><img src=x onerror=y>",
    "markup": "[bold]x[/bold] [link=http://evil]y[/link] :boom:",
    "mention": "@everyone @octo-org/security #1 http://evil.example/x",
    "fence": "```\n# heading\n```",
    "lines": "one\ntwo\r\nthree\u2028four",
    "bidi": "abc\u202egnp.exe\u2066",
    "emoji": "🤖 naïve 日本語",
    "long": "x" * 10_000,
    "surrogate": "half \ud83d character",
    "null": "a\x00b",
}


def text_of(name, plan, width=120, color=False) -> str:
    out = io.StringIO()
    formats()[name](plan, out, width=width, color=color)
    return out.getvalue()


def test_the_formats_are_those_of_the_command_line():
    """What the command line offers is what there is."""
    assert list(formats()) == list(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_plan(plans, name):
    """A plan without anything in it renders."""
    assert text_of(name, plans.empty()) or name == "csv"


def test_nothing_where_it_was_looked(plans):
    """A plan over no resource at all says where to name another region; one with gaps has said what is wrong."""
    said = "--region or `aws.regions` names other places"
    assert said in text_of("table", plans.empty())
    assert said not in text_of("table", replace(plans.empty(), resources=3))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_hidden_comes_through(plans, name, text):
    """No control character, escape or reordering mark of a cloud's text reaches a reader."""
    shown = text_of(name, plans.hostile(text))
    assert re.findall("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\u2028\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown) == []


def test_json_says_what_telemetry_was_asked_for(plans):
    """Of each scope and in all, with what the source takes for it."""
    scopes = [
        ScopeReport(Scope("1", region, "aws.ec2.instance"), ScopeStatus.COMPLETE, 1, "", Asked(n, n * Decimal("1e-5")))
        for region, n in (("us-east-1", 400), ("us-west-2", 12))
    ]
    found = json.loads(text_of("json", plans.plan(scopes=tuple(scopes))))
    assert [scope["asked"] for scope in found["scopes"]] == [
        {"metrics": 400, "usd": "0.004000"},
        {"metrics": 12, "usd": "0.000120"},
    ]
    assert found["asked"] == {"metrics": 412, "usd": "0.004120"}


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (Asked(), ""),
        (Asked(1, Decimal("0.00001")), "1 metric asked of CloudWatch: less than a cent at list price\n"),
        (Asked(412_000, Decimal("4.12")), "412,000 metrics asked of CloudWatch: about $4.12 at list price\n"),
    ],
)
def test_what_was_asked_in_a_line(asked, line):
    """For people; nothing where nothing was asked."""
    assert told(asked) == line


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_json_keeps_every_text(plans, text):
    """JSON and JSON Lines give back exactly what went in."""
    found = json.loads(text_of("json", plans.hostile(text)))
    assert found["findings"][0]["subject"]["name"] == text
    assert found["undecided"][0]["unknowns"][0]["detail"] == text
    lines = [json.loads(line) for line in text_of("jsonl", plans.hostile(text)).splitlines()]
    assert [line["subject"]["name"] for line in lines if line["type"] == "finding"] == [text]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_csv_has_one_row_a_finding_and_no_formula(plans, text):
    """Rows and columns stay what they are, and no cell begins as a formula does."""
    rows = list(csv.reader(io.StringIO(text_of("csv", plans.hostile(text)), newline="")))
    assert [len(row) for row in rows] == [len(rows[0])] * 2
    assert [cell for cell in rows[1] if cell.startswith(("=", "+", "-", "@", "\t"))] == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_markdown_rows_stay_rows(plans, text):
    """A finding is one row of six cells, whatever its words; nobody is mentioned and nothing is linked."""
    shown = text_of("markdown", plans.hostile(text))
    (row,) = [line for line in shown.splitlines() if line.startswith("| high")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 7
    assert re.findall(r"@[a-z]|https?://|(?<!\\)<(?!/?(?:details|summary)>)|(?<!\\)`", shown) == []


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("text", [HOSTILE["markup"], HOSTILE["long"], HOSTILE["emoji"]])
def test_tables_keep_to_the_width(plans, width, text):
    """Rows of findings are never wider than the terminal, and markup in names stays text."""
    shown = text_of("table", plans.plan(findings=(plans.finding(text[:40]),), steps=()), width=width)
    rows = [line for line in shown.splitlines() if line.startswith("   ")]
    assert rows
    assert max(len(row) for row in rows) <= width


def test_markup_is_text(plans):
    """Names that look like markup are shown as they are."""
    assert "[bold]x[/bold]" in text_of("table", plans.plan(findings=(plans.finding("[bold]x[/bold]"),)))


def test_what_a_table_says(plans):
    """What was found and costs, what would be done, what holds it, what is not known and what was not read."""
    shown = text_of("table", plans.plan())
    for part in (
        "AWS 123456789012 (us-east-1), 2026-03-04 16:00 UTC",
        "2 resources, 1 policy: 1 finding, 1 undecided",
        "$40,179 a month could be saved by the steps below",
        "high     idle-gpus  GPU machines without work.",
        "max_mode is report",
        "stop the machine: trainer-1  $40,179/mo",
        "approve by @ml-leads in #gpu; after a warning and 4h; undo: start it again",
        "held: max_actions is 5, this would be 6",
        "withheld  kept: protected by tag bursar/protect=true",
        "not collected: nothing sends gpu.utilization",
        "denied    1 us-west-2 aws.ec2.instance: denied",
        "Nothing was changed.",
    ):
        assert part in shown


TAGS = {"owner": "nobody", "review": "2026-12"}


@pytest.mark.parametrize("name", FORMATS)
def test_parameters_are_shown(plans, name):
    """What a policy says beside the name of a remediation is in every rendering."""
    finding = plans.finding(remediate=("tag",), parameters={"tag": TAGS})
    step = plans.step(remediation="tag", title="tag the resource", parameters=TAGS)
    text = text_of(name, plans.plan(findings=(finding,), steps=(step,))).replace('"', "")
    assert all(f"{key}: {value}" in text or f"{key}:{value}" in text for key, value in TAGS.items())


def test_long_lists_are_cut_and_counted(plans):
    """A thousand findings of one policy are a few rows and a count."""
    shown = text_of("table", plans.plan(findings=tuple(plans.finding(f"m-{n}") for n in range(1000))))
    assert "… and 992 more" in shown
    assert len(shown.splitlines()) < 60


def test_markdown_fits_a_comment(plans):
    """A thousand long findings are cut below GitHub's limit, with a count of what is missing."""
    many = tuple(plans.finding(f"machine-{n}", text="t" * 190) for n in range(1000))
    shown = text_of("markdown", plans.plan(findings=many))
    assert len(shown) < 65_536
    assert "did not fit" in shown


def test_color_only_where_it_is_wanted(plans):
    """Without colour there is no escape sequence, with it there is."""
    assert "\x1b[" not in text_of("table", plans.plan())
    assert "\x1b[" in text_of("table", plans.plan(), color=True)


def test_money_that_is_not_known(plans):
    """What has no price is a question mark for people, a reason for JSON and empty in CSV."""
    finding = plans.finding(
        cost=Unknown(Reason.NOT_COLLECTED, "no price for `x`"), savings=Unknown(Reason.NOT_COLLECTED, "")
    )
    plan = plans.plan(findings=(finding,), steps=())
    assert " ?" in text_of("table", plan)
    assert json.loads(text_of("json", plan))["findings"][0]["cost"]["unknown"] == "not_collected"
    row = next(csv.DictReader(io.StringIO(text_of("csv", plan))))
    assert row["MonthlyCost"] == ""


def test_prices_that_stand_in_are_marked(plans):
    """A price of another region is marked wherever people read it."""
    near = Cost(Decimal(1), "of another region", exact=False)
    plan = plans.plan(findings=(plans.finding(cost=near, savings=near),), steps=(plans.step(savings=near),))
    assert "≈ $730" in text_of("table", plan)
    assert json.loads(text_of("json", plan))["findings"][0]["cost"]["exact"] is False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_any_text_renders(plans, text):
    """No text at all breaks a format."""
    for name in FORMATS:
        text_of(name, plans.hostile(text))
