"""The handlers as AWS's own runtime client calls them: another process, events over HTTP, answers as JSON."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bursar.lambdas.events import clicked, scheduled
from tests.bursar.lambdas.runtime_api import running

ROOT = Path(__file__).parents[3]
CASE = ROOT / "tests" / "cases" / "plans"


@pytest.fixture(autouse=True)
def runtime_client():
    if find_spec("awslambdaric") is None:
        pytest.skip("NOT TESTED: `awslambdaric` is not installed, so no handler was run by AWS's runtime client")


def test_a_run_and_the_next(function, blocked):
    """A cold run acts, and the next one in the same process finds nothing left to do."""
    with running("bursar.lambdas.schedule.handler", [ROOT], {}) as function_:
        kind, first = function_.invoke(scheduled())
        assert (kind, first["status"], first["acted"]) == ("response", 0, 2)
        kind, second = function_.invoke(scheduled())
        assert (kind, second["status"], second["acted"]) == ("response", 0, 0)
    assert blocked("first")
    assert blocked("second")


def test_a_function_with_a_minute(function, blocked):
    """The time that Lambda gives is what the run goes by."""
    with running("bursar.lambdas.schedule.handler", [ROOT], {}, seconds=60) as function_:
        kind, answer = function_.invoke(scheduled())
    assert (kind, answer["errorType"]) == ("error", "StateError")
    assert "s left, and keeps 120 s back" in answer["errorMessage"]
    assert not blocked("first")


def test_an_error_says_what_is_wrong(function):
    """A configuration with mistakes is an error that names file, place and hint; the process lives on."""
    config = function / "config" / "bursar.yaml"
    written = config.read_text(encoding="utf-8")
    config.write_text("version: 1\nmax_mod: report\n", encoding="utf-8")
    with running("bursar.lambdas.schedule.handler", [ROOT], {}) as function_:
        kind, answer = function_.invoke(scheduled())
        assert (kind, answer["errorType"]) == ("error", "ConfigError")
        assert "bursar.yaml:2:1" in answer["errorMessage"]
        assert "did you mean `max_mode`" in answer["errorMessage"]
        config.write_text(written, encoding="utf-8")
        assert function_.invoke(scheduled())[0] == "response"


def test_the_endpoint(function):
    """A stranger's request is refused, whatever it says."""
    with running("bursar.lambdas.slack.handler", [ROOT], {}) as function_:
        assert function_.invoke(clicked(b"x", path="/"))[1]["statusCode"] == 404
        assert function_.invoke(clicked(b"x", method="PUT"))[1]["statusCode"] == 405


def test_a_plan_of_a_recorded_estate(tmp_path):
    """The plan is JSON as it comes out of the function."""
    case = next(path for path in sorted(CASE.iterdir()) if json.loads((path / "expected.json").read_text())["steps"])
    (tmp_path / "config" / "policies").mkdir(parents=True)
    (tmp_path / "config" / "bursar.yaml").write_text("version: 1\nmax_mode: enforce\n", encoding="utf-8")
    (tmp_path / "config" / "policies" / "p.yaml").write_bytes((case / "policies.yaml").read_bytes())
    environment = {"LAMBDA_TASK_ROOT": str(tmp_path), "BURSAR_ESTATE": str(case / "estate.jsonl")}
    with running("bursar.lambdas.schedule.handler", [ROOT], environment) as function_:
        kind, answer = function_.invoke({"do": "plan"})
    assert kind == "response"
    assert answer["plan"]["bursar.plan"] == 1
