"""
The main job over HTTP: an account filled by hand and the demo's company, read by the real commands.

Expected values come from what was planted, never from what Bursar said.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bursar.demo.blueprint import BUCKET, ENDPOINT, INSTANCE, NOTEBOOK, VOLUME
from bursar.demo.process import Times

ROOT = Path(__file__).parents[2]
REGIONS = ("--region", "us-east-1", "--region", "us-west-2")
IDLE = """\
version: 1
policies:
  - name: idle-gpus
    description: GPU machines without work.
    severity: high
    resource: compute.instance
    where: resource.accelerator.count > 0
    unless: tags["bursar/keep"] == "true"
    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: enforce
    remediate: [stop]
    limits: {max_actions: 100, max_share: 100%}
  - name: owners
    description: Machines without an owner.
    resource: [compute.instance, storage.volume]
    required_tags: [owner]
"""
HOURS = 5
AT_REST = (57.9, 58.3, 58.1)
AT_WORK = (251.3, 263.8, 258.4)


class Account:
    """An account that is filled by hand, as a person would, through boto3."""

    def __init__(self, server, ec2, now):
        self.server, self.ec2, self.now = server, ec2, now

    def launch(self, name, kind="g5.xlarge", hours=48, **tags):
        """Launch a machine, started `hours` ago."""
        pairs = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
        made = self.ec2.run_instances(
            ImageId="ami-0c0ffee0",
            InstanceType=kind,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
        )["Instances"][0]["InstanceId"]
        started = self.now - timedelta(hours=hours)
        self.server.backdate("us-east-1", {made: Times(started, started)})
        return made

    def publish(self, machine, utilization, watts, gpu=0):
        """Publish five hours of telemetry of one GPU, as the CloudWatch agent does."""
        dimensions = {"InstanceId": machine, "index": str(gpu), "name": "NVIDIA A10G", "host": "ip-10-0-0-1"}
        start = (self.now - timedelta(hours=HOURS)).replace(second=0)
        minutes = HOURS * 60 - 2
        for metric, values in (
            ("utilization_gpu", [float(utilization)] * minutes),
            ("power_draw", [watts[n % 3] for n in range(minutes)]),
            ("memory_used", [100.0] * minutes),
            ("memory_total", [23028.0] * minutes),
        ):
            name = f"nvidia_smi_{metric}"
            self.server.put_series("us-east-1", "CWAgent", name, dimensions, start, 60, values)
        cpu = [1.2, 0.9, 1.1] * (HOURS * 4)
        start = start.replace(minute=start.minute - start.minute % 5)
        self.server.put_series("us-east-1", "AWS/EC2", "CPUUtilization", {"InstanceId": machine}, start, 300, cpu)


@pytest.fixture
def by_hand(account, here):
    """An account with one machine of each kind that matters, and policies beside it."""
    import boto3

    now = datetime.now(UTC).replace(microsecond=0)
    account.set_now(now)
    client = boto3.client("ec2", region_name="us-east-1", endpoint_url=account.endpoint)
    (here / "p.yaml").write_text(IDLE, encoding="utf-8")
    yield Account(account, client, now)
    client.close()


def plan_of(bursar, *args):
    ran = bursar("plan", *args, "-f", "json")
    # What telemetry costs is told beside the plan, on a slow machine how far it is, and nothing else.
    told = [line for line in ran.err.splitlines() if not line.endswith(" resources read")]
    assert len(told) <= 1
    assert all(" asked of CloudWatch: " in line for line in told)
    return ran.status, json.loads(ran.out)


def names(entries, policy):
    return sorted(e["subject"]["name"] for e in entries if e["policy"] == policy)


def test_an_account_filled_by_hand(bursar, by_hand):
    """
    What was planted is found, nothing else is, each finding explains itself; with CloudWatch emptied every idle
    verdict is unknown and no step remains.
    """
    rest, work, silent, kept, new, frozen, half = (
        by_hand.launch("at-rest", owner="ana"),
        by_hand.launch("at-work", owner="ana"),
        by_hand.launch("silent", owner="ana"),
        by_hand.launch("kept", owner="ana", **{"bursar/keep": "true"}),
        by_hand.launch("new", owner="ana", hours=1),
        by_hand.launch("frozen", owner="ana"),
        by_hand.launch("half", kind="g5.12xlarge", owner="ana"),
    )
    by_hand.launch("cpu", kind="m5.large")
    by_hand.publish(rest, 0, AT_REST)
    by_hand.publish(work, 98, AT_WORK)
    by_hand.publish(kept, 0, AT_REST)
    by_hand.publish(new, 0, AT_REST)
    by_hand.publish(frozen, 0, (21.37, 21.37, 21.37))
    by_hand.publish(half, 0, AT_REST, gpu=0)
    by_hand.publish(half, 0, AT_REST, gpu=1)
    assert silent

    status, plan = plan_of(bursar, "-p", "p.yaml")

    assert status == 0
    assert names(plan["findings"], "idle-gpus") == ["at-rest"]
    assert names(plan["undecided"], "idle-gpus") == ["frozen", "half", "new", "silent"]
    assert names(plan["exempt"], "idle-gpus") == ["kept"]
    assert [step["subject"]["id"] for step in plan["steps"]] == [rest]
    volumes = [f["subject"]["kind"] for f in plan["findings"] if f["policy"] == "owners"]
    assert sorted(volumes) == ["aws.ebs.volume"] * 8 + ["aws.ec2.instance"]
    (finding,) = [f for f in plan["findings"] if f["policy"] == "idle-gpus"]
    assert finding["cost"]["hourly_usd"] == "1.0060"
    seen = {e["path"]: e for e in finding["evidence"]}
    assert seen["gpu.utilization"]["value"] == 0
    assert (
        "of 240 samples" in seen["gpu.utilization"]["source"] or "of 239 samples" in seen["gpu.utilization"]["source"]
    )

    for name in ("at-rest", "at-work", "silent", "kept", "new", "frozen", "half", "cpu"):
        ran = bursar("explain", name, "-p", "p.yaml")
        assert ran.status == 0, name
        assert "idle-gpus" in ran.out

    by_hand.server.clear_metrics()
    status, plan = plan_of(bursar, "-p", "p.yaml")
    assert names(plan["findings"], "idle-gpus") == []
    assert names(plan["undecided"], "idle-gpus") == ["at-rest", "at-work", "frozen", "half", "new", "silent"]
    assert plan["steps"] == []


FAULTS = {
    "denied inventory": ({"ec2:DescribeInstances": {"denied": True}}, "denied", "aws.ec2.instance"),
    "failing inventory": ({"ec2:DescribeInstances": {"error_rate": 1}}, "failed", "aws.ec2.instance"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_scope_that_cannot_be_read(bursar, by_hand, fault):
    """The scope is named with its status, the others are read, and the run is incomplete."""
    by_hand.launch("a")
    spec, wanted, kind = FAULTS[fault]
    by_hand.server.faults(spec)
    ran = bursar("plan", "-p", "p.yaml", "-f", "json")
    plan = json.loads(ran.out)
    assert ran.status == 3
    assert {s["kind"]: s["status"] for s in plan["scopes"]} == {kind: wanted, "aws.ebs.volume": "complete"}
    assert [(f["policy"], f["subject"]["kind"]) for f in plan["findings"]] == [("owners", "aws.ebs.volume")]


@pytest.mark.parametrize("call", ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"])
def test_denied_telemetry_makes_idleness_unknown(bursar, by_hand, call):
    """Without permission to read telemetry nothing is idle, nothing is stopped, and the status says so."""
    machine = by_hand.launch("at-rest", owner="ana")
    by_hand.publish(machine, 0, AT_REST)
    by_hand.server.faults({call: {"denied": True}})
    status, plan = plan_of(bursar, "-p", "p.yaml")
    assert status == 3
    assert plan["steps"] == []
    (undecided,) = [v for v in plan["undecided"] if v["policy"] == "idle-gpus"]
    assert {u["unknown"] for u in undecided["unknowns"]} == {"denied"}


def test_no_credentials(bursar, by_hand, monkeypatch):
    """Without credentials the first error says so and names the way out."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    ran = bursar("plan", "-p", "p.yaml")
    assert ran.status == 2
    assert "[no-credentials]" in ran.err
    assert "AWS_PROFILE" in ran.err


def test_refused_credentials(bursar, by_hand):
    """Expired credentials are told apart from missing permissions."""
    by_hand.server.faults({"sts:GetCallerIdentity": {"error_rate": 1, "code": "ExpiredToken", "status": 403}})
    ran = bursar("plan", "-p", "p.yaml")
    assert ran.status == 2
    assert "AWS refused the credentials (ExpiredToken)" in ran.err


def test_a_region_that_is_misspelt(bursar, by_hand, monkeypatch):
    """Where nobody answers in a region that the SDK does not know, the one that was meant is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ran = bursar("plan", "-p", "p.yaml", "--region", "us-east1")
    assert ran.status == 2
    assert "AWS could not be asked who this is" in ran.err
    assert "`us-east1` is no region that the SDK knows; did you mean `us-east-1`?" in ran.err


def test_no_region(bursar, by_hand, monkeypatch):
    """Without a region the error says where one can be named."""
    monkeypatch.delenv("AWS_REGION")
    ran = bursar("plan", "-p", "p.yaml")
    assert ran.status == 2
    assert "--region" in ran.err


@pytest.fixture
def fleet(company, monkeypatch):
    """The demo's company, found through the environment."""
    server, blueprint = company
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    return blueprint


def test_the_company(bursar, fleet, here):
    """The shipped policies find what was planted in the demo's company, and a recording of it gives the same plan."""
    status, plan = plan_of(bursar, "-p", "pack:all", *REGIONS)
    assert status == 3  # a retired instance type is not described any more
    # In each region the company has a key of its own beside what was planted, and EBS has made one.
    assert plan["resources"] == len(fleet.planted) + 2 * 2
    found = {policy: set(names(plan["findings"], policy)) for policy in {f["policy"] for f in plan["findings"]}}
    stoppable = {
        p.name
        for p in fleet.of(INSTANCE, "idle", "context_held")
        if p.tags.get("environment") not in ("production", "prod")
        and p.tags.get("bursar/keep") != "true"
        and "aws:autoscaling:groupName" not in p.tags
    }
    assert found["stop-idle-gpus"] == stoppable
    assert found["stuck-gpus"] == {p.name for p in fleet.of(INSTANCE, "stuck")}
    assert found["partly-idle-gpus"] == {p.name for p in fleet.of(INSTANCE, "partly_idle")}
    assert found["delete-unused-gpu-endpoints"] == {
        p.name for p in fleet.of(ENDPOINT, "no_traffic") if p.tags.get("environment") != "production"
    }
    assert found["buckets-are-not-public"] == {p.name for p in fleet.of(BUCKET, "public")}
    assert found["buckets-require-tls"] == {p.name for p in fleet.of(BUCKET, "no_tls", "public", "unblocked")}
    assert found["stop-idle-gpu-notebooks"] == {p.name for p in fleet.of(NOTEBOOK, "idle")}
    unencrypted = {p.name for p in fleet.of(VOLUME) if not p.encrypted}
    assert found["volumes-are-encrypted"] == unencrypted

    quiet = {"silent", "half_silent", "frozen", "agent_died", "too_new"}
    undecided = {v["subject"]["id"] for v in plan["undecided"]}
    acted_on = {step["subject"]["id"] for step in plan["steps"] if "idle" in step["policy"]}
    for planted in fleet.of(INSTANCE, *quiet):
        assert planted.id not in acted_on, planted.name
    assert {p.id for p in fleet.of(INSTANCE, "half_silent", "too_new")} <= undecided
    protected = {p.id for p in fleet.planted if p.tags.get("bursar/protect") == "true"}
    assert {step["subject"]["id"] for step in plan["steps"]} & protected == set()
    assert acted_on & fleet.ids(INSTANCE, "busy", "stuck", "partly_idle", "cpu") == set()

    assert bursar("scan", "-p", "pack:all", *REGIONS, "-o", "estate.jsonl.gz").status == 0
    _, recorded = plan_of(bursar, "-p", "pack:all", "--estate", "estate.jsonl.gz")
    assert {(f["policy"], f["subject"]["uid"]) for f in recorded["findings"]} == {
        (f["policy"], f["subject"]["uid"]) for f in plan["findings"]
    }


def test_only_reads_are_called(bursar, company, fleet):
    """No call of a plan or an explanation can change anything, and every one is in the list of permissions."""
    from integrations.aws.permissions import OPERATIONS, READ_ACTIONS

    server, _ = company
    server.calls()
    bursar("plan", "-p", "pack:all", *REGIONS)
    bursar("explain", "dev-mira", "-p", "pack:all", *REGIONS)
    actions = {OPERATIONS.get(call, call) for call in server.calls()}
    assert actions <= set(READ_ACTIONS)
    reads = ("Describe", "Get", "BatchGet", "List")
    assert [a for a in READ_ACTIONS if not a.partition(":")[2].startswith(reads)] == ["sts:AssumeRole"]


@pytest.mark.slow
def test_the_demo():
    """`bursar demo` tells its whole story in well under a minute and ends with status 0."""
    done = subprocess.run(
        [sys.executable, "-m", "bursar", "demo"], capture_output=True, text=True, check=False, timeout=300, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    for part in ("FINDINGS", "PLANNED STEPS", "UNDECIDED", "Why is that a finding?", "nothing was changed"):
        assert part in done.stdout
    asked = done.stdout.partition("And a policy that asks first")[2]
    for part in (
        "Approve? delete the endpoint and keep its configuration: pose-estimate-4gpu",
        "POST /slack  200  the click",
        "POST /slack  409  the same bytes again",
        "POST /slack  401  the same click, signed by somebody else",
        "Done: delete the endpoint and keep its configuration: pose-estimate-4gpu",
        "Yes from mira.osei@example.com by slack",
        "pose-estimate-4gpu InService → gone",
        "nothing was changed or taken out",
    ):
        assert part in asked


def test_the_readme_shows_real_output(bursar, fleet, here):
    """The first screen of the README is what the command prints: ids, times and sample counts apart."""
    import re

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    policy, shown = re.search(r"```yaml\n(.*?)```.*?\$ (bursar plan .*?\n.*?)```", readme, re.DOTALL).groups()
    command, _, wanted = shown.partition("\n")
    (here / "stop-idle-gpus.yaml").write_text(policy, encoding="utf-8")
    ran = bursar(*command.split()[1:])

    def masked(text):
        text = re.sub(r"i-[0-9a-f]{17}|\d{4}-\d\d-\d\d \d\d:\d\d UTC|\d+ identical|up for \d+m", "…", text)
        return sorted(line for line in text.splitlines() if line.strip() and not line.startswith("  stop"))

    assert masked(ran.out) == masked(wanted)
