"""`bursar report --framework`, on the demo's company and on a company of which half is denied."""

import csv
import io
import json

import pytest

from bursar.config import Config
from bursar.loading import load
from bursar.render.markdown import safe
from integrations.frameworks.load import frameworks
from tests.bursar.commands.recordings import scan


@pytest.fixture(scope="module")
def recorded(company, tmp_path_factory):
    """The company recorded once, for all policies of the encryption pack."""
    return scan(company[0], tmp_path_factory.mktemp("company") / "estate.jsonl.gz", "pack:encryption")


def test_the_company(bursar, recorded):
    """Controls with findings are violated, those of kinds that the company has none of have nothing to judge."""
    result = bursar("report", "--framework", "FSBP", "-p", "pack:encryption", "--estate", recorded, "-f", "json")
    assert result.status == 1
    report = json.loads(result.out)
    standing = {control["id"]: control["standing"] for control in report["controls"]}
    assert standing["EC2.3"] == "violated"
    assert standing["RDS.3"] == "nothing to judge"
    assert standing["S3.1"] == "not covered"
    assert report["gaps"] == []


@pytest.mark.parametrize("format_", ["table", "markdown", "csv"])
def test_formats(bursar, recorded, format_):
    """Each names every control, and how it stands."""
    result = bursar("report", "--framework", "HIPAA", "-p", "pack:encryption", "--estate", recorded, "-f", format_)
    for control in frameworks()["HIPAA"].controls:
        assert (safe(control.id) if format_ == "markdown" else control.id) in result.out
    assert "violated" in result.out


def test_csv(bursar, recorded):
    """One control a row."""
    result = bursar("report", "--framework", "SOC2", "-p", "pack:encryption", "--estate", recorded, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["Control"] for row in rows] == [control.id for control in frameworks()["SOC2"].controls]


def test_to_a_file(bursar, recorded, here):
    """Whole, and nothing on the screen."""
    result = bursar(
        "report", "--framework", "SOC2", "-p", "pack:encryption", "--estate", recorded, "-f", "markdown", "-o", "r.md"
    )
    assert result.out == ""
    assert "SOC 2" in (here / "r.md").read_text()


def test_an_unknown_framework(bursar):
    """The nearest name is suggested."""
    result = bursar("report", "--framework", "FSPB", "-p", "pack:encryption")
    assert result.status == 2
    assert "FSBP" in result.err


def test_every_shipped_control_is_of_a_known_framework():
    """What the packs name under `controls` can be reported by."""
    known = {f"{name}:{control.id}" for name, framework in frameworks().items() for control in framework.controls}
    named = {c.removeprefix("supports ") for p in load(Config(), ("pack:all",)).policies for c in p.controls}
    assert named <= known


def test_which_frameworks_resources_can_meet():
    """Rules about resources; criteria and safeguards of an organization are never met by them."""
    assert {name for name, framework in frameworks().items() if not framework.evidence_only} == {
        "FSBP",
        "CIS-AWS-3.0",
        "CIS-AWS-5.0",
    }
