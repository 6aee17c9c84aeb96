"""The report of a framework: hostile text does no harm in it, and no word of it says more than is known."""

import csv
import io
import json
import re

import pytest

from bursar.render.compliance import render
from engine.compliance import Control, ControlReport, Framework, Standing
from engine.findings import Outcome
from tests.bursar.render.test_formats import HOSTILE

FORMATS = ("table", "json", "csv", "markdown")


def text_of(format_, plan, *reports, width=100) -> str:
    out = io.StringIO()
    framework = Framework("F", "A framework", "What it covers.", tuple(report.control for report in reports))
    render(framework, reports, plan, format_, out, width=width, color=False)
    return out.getvalue()


def report(text="F.1", standing=Standing.VIOLATED):
    return ControlReport(Control(text, text), standing, (text,), {Outcome.VIOLATION: 2, Outcome.ERROR: 1}, 1)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_hidden_comes_through(plans, format_, text):
    """No control character, escape or reordering mark reaches a reader, and every format can be written as UTF-8."""
    shown = text_of(format_, plans.hostile(text), report(text))
    assert re.findall("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\u2028\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown) == []
    assert shown.encode()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_cells_stay_cells(plans, text):
    """A spreadsheet finds no formula, a table of Markdown no other column, and JSON every text as it was."""
    plan = plans.hostile(text)
    rows = list(csv.reader(io.StringIO(text_of("csv", plan, report(text)))))
    assert [len(row) for row in rows] == [8, 8]
    assert [cell for cell in rows[1] if cell.startswith(("=", "+", "@"))] == []
    row = text_of("markdown", plan, report(text)).splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == 9
    assert re.findall(r"@[a-z]|https?://|(?<!\\)<", row) == []
    found = json.loads(text_of("json", plan, report(text)))
    assert found["controls"][0]["id"] == found["estate"] == found["gaps"][0]["detail"] == text


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("standing", Standing)
def test_no_control_is_satisfied(plans, format_, standing):
    """Bursar sees resources; whether a framework is satisfied is for others to say."""
    shown = text_of(format_, plans.plan(), report(standing=standing))
    assert standing.value in shown
    assert not re.search("satisf|certif|complies", shown, re.IGNORECASE)


def test_errors_count_as_unknown(plans):
    """A policy that failed on a resource knows nothing of it."""
    (row,) = csv.DictReader(io.StringIO(text_of("csv", plans.plan(), report())))
    assert (row["Violated"], row["Unknown"], row["Compliant"]) == ("2", "1", "0")


def test_a_narrow_screen(plans):
    """Nothing is lost: what a control asks is broken into lines."""
    asks = "that " + " ".join(f"word{n}" for n in range(40))
    shown = text_of("table", plans.plan(), ControlReport(Control("F.1", asks), Standing.MET, ("p",), {}, 0), width=80)
    assert [word for word in asks.split() if word not in shown] == []
