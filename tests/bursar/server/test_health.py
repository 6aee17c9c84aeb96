"""Health for machines, and what Prometheus reads: right figures, good names, few labels."""

import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bursar.stores import open_store
from engine.state.records import put
from engine.state.settings import Freeze
from tests.bursar.server.company import NOW
from tests.bursar.server.conftest import MIRA, SAME, SETTINGS, form

LABELS = {"policy", "status", "severity", "remediation", "kind", "route", "method", "exit_status", "version", "le"}


def samples(served) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = served.client(MIRA).get("/metrics").text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found, name, **labels) -> float:
    return found[name, tuple(sorted(labels.items()))]


def test_what_the_figures_say(served):
    """Findings, dollars, savings, runs, approvals, coverage and the heartbeat are those of the state."""
    found, view = samples(served), served.desk.keeper.view
    idle = [row for row in view.rows.values() if row.policy == "stop-idle-gpus"]
    assert value(found, "bursar_findings", policy="stop-idle-gpus", status="pending", severity="high") == 3
    assert value(found, "bursar_findings_monthly_cost_dollars", policy="stop-idle-gpus") == pytest.approx(
        730 * (2 * 55.04 + 2 * 21.96 + 0.978 + 0.806)
    )
    assert len(idle) == 6
    assert value(found, "bursar_approvals", status="pending") == 3
    assert value(found, "bursar_runs_total", status="done") == 27
    assert value(found, "bursar_runs_total", status="held") == 1
    assert (
        value(found, "bursar_last_run_timestamp_seconds")
        == (NOW - timedelta(minutes=5) + timedelta(seconds=42)).timestamp()
    )
    assert value(found, "bursar_last_run_duration_seconds") == 42
    assert value(found, "bursar_coverage_gaps") == 1
    assert value(found, "bursar_policy_undecided", policy="require-owner") == 90
    assert value(found, "bursar_resources", kind="aws.ec2.instance") == 601
    assert value(found, "bursar_actions", remediation="stop", status="done") == 5
    # vla-sweep-7 for 24 days, policy-train-1 for 5, legacy-bert for 16, rlhf-eval-2 for 5, dev-tomas for 8.
    hours = 24 * (24 * 55.04 + 5 * 55.04 + 16 * 21.96 + 5 * 21.96 + 8 * 0.978)
    assert value(found, "bursar_realised_savings_dollars_total", policy="stop-idle-gpus") == pytest.approx(hours)
    assert value(found, "bursar_running_savings_monthly_dollars", policy="stop-idle-gpus") == pytest.approx(
        730 * (55.04 + 21.96 + 0.978)
    )
    assert value(found, "bursar_state_up") == 1
    assert value(found, "bursar_frozen") == 0


def test_nothing_of_a_resource_is_a_label(served):
    """Labels are few and have few values: no names, ids, owners or accounts."""
    text = served.client(MIRA).get("/metrics").text
    names = {label for family in text_string_to_metric_families(text) for s in family.samples for label in s.labels}
    assert names <= LABELS
    assert "vla-sweep" not in text
    assert MIRA not in text


def test_latencies_are_by_route(served):
    """The time of answers is counted by the route and never by the address."""
    client = served.client(MIRA)
    client.get(f"/findings/{served.approval('vla-sweep-7').finding}")
    client.post(f"/approvals/{served.approvals['vla-sweep-7']}/approve", data=form(served, client, MIRA), headers=SAME)
    found = samples(served)
    name = "bursar_http_request_duration_seconds_count"
    assert value(found, name, route="/findings/{id}", method="GET", status="200") == 1
    assert value(found, name, route="/approvals/{id}/approve", method="POST", status="303") == 1


def test_a_freeze_shows(served):
    """A freeze is on every page and in the figures."""
    with open_store(served.config) as store:
        store.commit([put(Freeze(True, "cli:mira", NOW, "incident 4711"), 0)])
        store.commit([], [_note()])
    served.look()
    assert value(samples(served), "bursar_frozen") == 1
    assert "incident 4711" in served.client(MIRA).get("/runs").text


def _note():
    from engine.state.ledger import Note

    return Note(NOW, "freeze.set", "freeze")


def test_every_metric_is_documented(served):
    """Every metric has a row on the page of outputs, and no row is of another one."""
    served.desk.meters.ran(0)
    text = served.client(MIRA).get("/metrics").text
    families = {f.name + ("_total" if f.type == "counter" else "") for f in text_string_to_metric_families(text)}
    families -= {"bursar_scheduled_runs_created"}
    page = (Path(__file__).parents[3] / "docs" / "reference" / "outputs.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `bursar_")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == families


def test_prometheus_understands_it(served, prometheus_programs):
    """`promtool check metrics` finds nothing to say about names, types and texts."""
    text = served.client(MIRA).get("/metrics").content
    checked = subprocess.run(
        [prometheus_programs / "promtool", "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_before_there_is_a_view(serve):
    """A server that could not read the state yet is alive, not ready, and says so."""
    served = serve()
    served.desk.keeper.view = None
    client = served.client(MIRA)
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/findings").status_code == 503
    assert value(samples(served), "bursar_state_up") == 0


@pytest.mark.parametrize(
    ("allowed", "later", "run"),
    [
        (None, timedelta(days=30), "unknown"),
        (timedelta(hours=1), timedelta(minutes=50), "fresh"),
        (timedelta(hours=1), timedelta(minutes=61), "stale"),
    ],
)
def test_a_run_that_is_overdue(serve, allowed, later, run):
    """Where it is said how old the last run may be an older one is told, and the page stays there to be looked at."""
    served = serve(replace(SETTINGS, stale_after=allowed))
    served.now[0] += later
    answer = served.client().get("/readyz")
    assert (answer.status_code, answer.json()["run"]) == (200, run)


@pytest.mark.parametrize(("later", "run"), [(timedelta(minutes=10), "unknown"), (timedelta(hours=2), "stale")])
def test_a_new_installation_is_given_time(serve, later, run):
    """Without any run yet the server is ready for as long as a run may take to come."""
    served = serve(replace(SETTINGS, stale_after=timedelta(hours=1)), fill=lambda _store: {})
    served.now[0] += later
    assert served.client().get("/readyz").json()["run"] == run
