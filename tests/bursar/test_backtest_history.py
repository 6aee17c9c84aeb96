"""The history of a real Prometheus server replayed: two machines over a day and a half."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bursar.config import Config
from bursar.loading import load
from engine.policy.needs import needs_of
from integrations.snapshot import record
from tests.engine.estates import complete, instance
from tests.prometheus_server import running_prometheus

HOURS = 36
POLICY = """\
version: 1
policies:
  - name: stop-idle
    description: Stop what rests.
    severity: medium
    resource: compute.instance
    where: resource.accelerator.count > 0
    idle: {for: 2h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: enforce
    remediate: [stop]
    limits: {max_actions: 100, max_share: 100%}
"""


def planted(end: float, *names: str) -> dict[str, list]:
    """Return a sample a minute of one A10G each that works for the first 30 hours and then rests."""
    found: dict[str, list] = {"up": []}
    times = [end - 60 * n for n in range(HOURS * 60, 0, -1)]
    found["up"].append(({"job": "exporters"}, [(at, 1) for at in times]))
    for name in names:
        labels = {"gpu": "0", "UUID": f"GPU-{name}", "instance_id": name, "modelName": "NVIDIA A10G"}
        busy = [n < 30 * 60 for n in range(len(times))]
        use = [(at, 80 if one else 0) for at, one in zip(times, busy, strict=True)]
        watts = [(at, 200.5 if one else 58 + n % 7 / 10) for n, (at, one) in enumerate(zip(times, busy, strict=True))]
        found.setdefault("DCGM_FI_DEV_GPU_UTIL", []).append((labels, use))
        found.setdefault("DCGM_FI_DEV_POWER_USAGE", []).append((labels, watts))
    return found


@pytest.fixture
def estate(here):
    """Two machines of which one is measured, in a recorded estate."""
    (here / "p.yaml").write_text(POLICY)
    old = datetime(2025, 1, 1, tzinfo=UTC)

    class Estate:
        name = "test"
        taken_at = datetime.now(UTC)

        def stream(self, needs):
            for name in ("i-measured", "i-silent"):
                yield instance(name, fields={"launched": old, "created": old})
            yield from complete("aws.ec2.instance")

    record(Estate(), needs_of(load(Config(), ["p.yaml"])), here / "estate.jsonl")
    return here


def test_a_day_and_a_half_of_a_prometheus_server(bursar, estate, prometheus_programs):
    """Work ends after 30 hours; two hours later the measured machine would have been stopped, for four hours."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    with running_prometheus(prometheus_programs, estate / "server", planted(end.timestamp(), "i-measured")) as server:
        (estate / "bursar.yaml").write_text(f"version: 1\ntelemetry:\n  - prometheus: {{url: '{server.url}'}}\n")
        start = end - timedelta(hours=HOURS)
        times = ("--from", start.isoformat(), "--to", end.isoformat())
        result = bursar("backtest", "-p", "p.yaml", "--estate", "estate.jsonl", *times, "-f", "json")
    assert result.status == 0, result.err
    found = json.loads(result.out)
    (only,) = found["settings"]
    assert (found["recording"]["machines"], only["acts"]) == (1, 1)
    assert only["hours_saved"] == pytest.approx(4, abs=0.2)
    assert found["recording"]["samples"] == pytest.approx(HOURS * 60, abs=3)


def test_a_server_that_does_not_answer_ends_the_replay(bursar, estate):
    """No half history: the source and what it said are named."""
    (estate / "bursar.yaml").write_text("version: 1\ntelemetry:\n  - prometheus: {url: 'http://127.0.0.1:9'}\n")
    times = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-03-02T00:00:00Z")
    result = bursar("backtest", "-p", "p.yaml", "--estate", "estate.jsonl", *times)
    assert result.status == 2
    assert "bad-recording" in result.err


def test_a_history_needs_an_estate_and_two_times(bursar, estate):
    """Without files, the machines and the time have to be said."""
    result = bursar("backtest", "-p", "p.yaml")
    assert result.status == 2
    assert "--estate, --from and a later --to" in result.err
