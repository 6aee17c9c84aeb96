"""
`bursar agent` on a fake driver, scraped by a real Prometheus, read back by `bursar plan` to a verdict.

The account is emulated; what the GPUs do is what the driver is told to say.
"""

import json
import math
import re
from datetime import UTC, datetime, timedelta

import pytest

from bursar.demo.process import Times
from tests.prometheus_server import running_prometheus

POLICY = """\
version: 1
policies:
  - name: idle-gpus
    description: GPU machines without work.
    severity: high
    resource: compute.instance
    where: resource.accelerator.count > 0
    idle: {for: 30m, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    remediate: [stop]
"""
GPUS = 8
IDLE = ["util=0,0,0 power=60100,61300 used=0 free=40000 energy=1000"] * GPUS
BUSY = [*IDLE[:7], "util=2,97,55 power=60100,391000 used=30000 free=10000 procs=1 busy=90 energy=1000"]
VALUES = {
    "bursar_gpu_utilization_peak_percent": lambda n: 0.0,
    "bursar_gpu_power_peak_watts": lambda n: 60.7 + math.sin(n) * 0.9,
    "bursar_gpu_memory_used_bytes": lambda n: 0.0,
    "bursar_gpu_memory_free_bytes": lambda n: 40_000 * 2**20,
    "bursar_gpu_encoder_percent": lambda n: 0.0,
    "bursar_gpu_decoder_percent": lambda n: 0.0,
    "bursar_gpu_fault": lambda n: 0.0,
}


def history(instance, end):
    """Return an hour of eight GPUs at rest, as the agent would have been scraped until `end`."""
    # A server that has just been started has no past of its own: `up` is looked for at the last whole minute.
    found = {"up": [({"job": "agents", "instance": "past"}, [(end - 15 * n, 1.0) for n in range(240, 0, -1)])]}
    for name, value in VALUES.items():
        for gpu in range(GPUS):
            uuid = f"GPU-00000000-0000-0000-0000-{gpu:012d}"
            labels = {"gpu": str(gpu), "uuid": uuid, "instance_id": instance, "hostname": "h", "job": "agents"}
            points = [(end - 15 * n, value(n + gpu)) for n in range(240, 0, -1)]
            found.setdefault(name, []).append((labels, points))
    for name in ("bursar_sessions_active", "bursar_jobs_running"):
        labels = {"instance_id": instance, "hostname": "h", "job": "agents"}
        found[name] = [(labels, [(end - 15 * n, 0.0) for n in range(240, 0, -1)])]
    return found


@pytest.fixture
def instance(account, clients):
    """A machine with eight A100 that was started two days ago."""
    made = clients("ec2").run_instances(ImageId="ami-0c0ffee0", InstanceType="p4d.24xlarge", MinCount=1, MaxCount=1)
    identity = made["Instances"][0]["InstanceId"]
    started = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    account.backdate("us-east-1", {identity: Times(started, started)})
    since = (started + timedelta(days=2, hours=-5)).replace(minute=0, second=0)
    samples = int((started + timedelta(days=2) - since).total_seconds() // 300)
    processors = [1.2 + 0.1 * (n % 3) for n in range(samples)]
    account.put_series("us-east-1", "AWS/EC2", "CPUUtilization", {"InstanceId": identity}, since, 300, processors)
    return identity


@pytest.fixture
def clients(account):
    """Return a function that gives a client of the emulated account."""
    from contextlib import ExitStack

    import boto3

    with ExitStack() as stack:

        def client(service):
            made = boto3.client(service, region_name="us-east-1", endpoint_url=account.endpoint)
            stack.callback(made.close)
            return made

        yield client


@pytest.fixture
def agent(driver, instance):
    """A running agent on eight idle GPUs; gives the address that it is scraped at."""
    driver.set(*IDLE)
    running = driver.agent("--listen", "127.0.0.1:0", "--interval", "1s", "--instance-id", instance)
    said = running.stderr.readline()
    yield said.strip().removeprefix("bursar agent: publishing to http://").removesuffix("/metrics")
    running.terminate()
    running.communicate(timeout=30)
    assert running.returncode == 0


@pytest.fixture
def server(prometheus_programs, tmp_path, instance, agent):
    """A server with the past of the machine that scrapes the agent from now on."""
    past = history(instance, datetime.now(UTC).timestamp() - 20)
    with running_prometheus(prometheus_programs, tmp_path / "prometheus", past, targets=[agent]) as found:
        found.wait_for('bursar_gpu_power_peak_watts{job="test"}')
        yield found


@pytest.fixture
def plan(bursar, here, server):
    """Return a function that plans: the outcome of the one machine."""
    (here / "policies.yaml").write_text(POLICY)
    (here / "bursar.yaml").write_text(
        "version: 1\npolicies: [policies.yaml]\naws: {regions: [us-east-1]}\n"
        f"telemetry:\n  - prometheus: {{url: '{server.url}', nodes: none}}\n"
    )

    def run():
        ran = bursar("plan", "-f", "json")
        assert ran.status in (0, 3), ran.err
        return json.loads(ran.out)

    return run


def test_what_the_driver_says_decides(plan, bursar, driver, server, instance):
    """Eight idle GPUs are a finding with a step; work on one of them ends the step with the next scrape."""
    idle = plan()
    (finding,) = idle["findings"]
    assert finding["subject"]["id"] == instance
    assert finding["classification"] == "no_process"
    assert [step["subject"]["id"] for step in idle["steps"]] == [instance]
    sources = [one["source"] for one in finding["evidence"] if one["path"].startswith("gpu.")]
    assert ["prometheus bursar_gpu_" in source for source in sources] == [True] * 4
    assert [source.startswith("highest of 8 of 8 devices") for source in sources] == [True, True, True, False]
    (report,) = [scope for scope in idle["scopes"] if scope["kind"] == "telemetry"]
    assert (report["status"], report["resources"]) == ("complete", 1)
    assert report["detail"] == "8 GPUs; 1 machines joined, 0 that sent something are not in the estate"
    assert "prometheus bursar_gpu_power_peak_watts; at rest up to 105 W" in bursar("explain", instance).out

    driver.set(*BUSY)
    server.wait_for("bursar_gpu_utilization_peak_percent == 97")
    busy = plan()
    assert [one["classification"] for one in busy["findings"]] == ["partly_idle"]
    assert busy["findings"][0]["summary"] == "7 of 8 devices did no work for 30m, 1 did"
    assert busy["steps"] == []


def test_a_server_that_is_gone(plan, here, bursar, instance):
    """Without its server the machine is unknown, the server is named, and the plan is incomplete."""
    config = here / "bursar.yaml"
    config.write_text(re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:1", config.read_text()))
    ran = bursar("plan", "-f", "json")
    assert ran.status == 3
    found = json.loads(ran.out)
    assert found["findings"] == []
    assert [one["subject"]["id"] for one in found["undecided"]] == [instance]
    (report,) = [scope for scope in found["scopes"] if scope["kind"] == "telemetry"]
    assert (report["account"], report["status"]) == ("prometheus 127.0.0.1:1", "failed")
