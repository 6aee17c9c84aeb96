import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from bursar.demo.blueprint import BUCKET, ENDPOINT, INSTANCE, NOTEBOOK, STORIES, VOLUME
from bursar.demo.company import build
from bursar.demo.estate import REGIONS
from bursar.demo.telemetry import devices_of

NOW = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
SECONDS = 30
"""Twice the aim for two idle cores, so that a busy machine does not fail the test."""


@pytest.fixture(scope="module")
def company(aws_server):
    """The estate, planted once for this module, and how long that took."""
    started = time.monotonic()
    blueprint = build(aws_server.endpoint, NOW)
    return blueprint, time.monotonic() - started


@pytest.fixture
def blueprint(company, aws_server):
    aws_server.faults({})
    return company[0]


def _tags(pairs):
    return {pair["Key"]: pair["Value"] for pair in pairs}


def _instances(client):
    for region in REGIONS:
        for page in client("ec2", region).get_paginator("describe_instances").paginate():
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]


def _series(client, namespace):
    for region in REGIONS:
        for page in client("cloudwatch", region).get_paginator("list_metrics").paginate(Namespace=namespace):
            for metric in page["Metrics"]:
                yield (
                    metric["MetricName"],
                    _tags({"Key": d["Name"], "Value": d["Value"]} for d in metric["Dimensions"]),
                )


def _read(client, namespace, name, dimensions, hours, period=60, stat="Maximum", region="us-east-1"):
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
    }
    answer = client("cloudwatch", region).get_metric_data(
        StartTime=NOW - timedelta(hours=hours),
        EndTime=NOW,
        MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}],
    )
    (result,) = answer["MetricDataResults"]
    return dict(zip(result["Timestamps"], result["Values"], strict=True))


def test_planting_is_quick(company):
    """People wait for the demo."""
    assert company[1] < SECONDS


def test_the_estate_is_large_and_every_story_is_told(blueprint):
    """At least 60 resources beside the root volumes; no story without a resource and none unexplained."""
    roots = [p for p in blueprint.of(VOLUME) if p.name.endswith("-root")]

    assert len(blueprint.planted) - len(roots) >= 60
    assert {p.story for p in blueprint.planted} == set(STORIES)
    assert len({p.id for p in blueprint.planted}) == len(blueprint.planted)
    assert len({p.name for p in blueprint.planted}) == len(blueprint.planted)


def test_the_account_holds_exactly_the_planted_machines(blueprint, client):
    """Ids, types, tags and whether they run."""
    seen = {i["InstanceId"]: i for i in _instances(client)}

    assert seen.keys() == blueprint.ids(INSTANCE)
    for planted in blueprint.of(INSTANCE):
        found = seen[planted.id]
        assert (found["InstanceType"], _tags(found["Tags"])) == (planted.type, dict(planted.tags))
        assert found["State"]["Name"] == ("stopped" if planted.story == "stopped" else "running")


def test_the_account_holds_exactly_the_planted_volumes(blueprint, client):
    """Ids, types, encryption and whether they are in use."""
    seen = {v["VolumeId"]: v for r in REGIONS for v in client("ec2", r).describe_volumes()["Volumes"]}

    assert seen.keys() == blueprint.ids(VOLUME)
    for planted in blueprint.of(VOLUME):
        found = seen[planted.id]
        assert (found["VolumeType"], found["Encrypted"]) == (planted.type, planted.encrypted)
        assert found["State"] == ("in-use" if planted.story == "attached" else "available")
        assert _tags(found.get("Tags", ())) == dict(planted.tags)


def test_the_account_holds_exactly_the_planted_endpoints_and_notebooks(blueprint, client):
    """By ARN, with state and tags."""
    endpoints, notebooks = {}, {}
    for region in REGIONS:
        sagemaker = client("sagemaker", region)
        for found in sagemaker.list_endpoints()["Endpoints"]:
            endpoints[found["EndpointArn"]] = _tags(sagemaker.list_tags(ResourceArn=found["EndpointArn"])["Tags"])
        for found in sagemaker.list_notebook_instances()["NotebookInstances"]:
            notebooks[found["NotebookInstanceArn"]] = found["NotebookInstanceStatus"]

    assert endpoints == {p.id: dict(p.tags) for p in blueprint.of(ENDPOINT)}
    assert notebooks == {p.id: "Stopped" if p.story == "stopped" else "InService" for p in blueprint.of(NOTEBOOK)}


def test_buckets_are_as_open_as_their_stories_say(blueprint, client):
    """Public access as S3 itself judges it, and logging."""
    s3 = client("s3")
    public, logged = set(), set()
    for planted in blueprint.of(BUCKET):
        try:
            status = s3.get_bucket_policy_status(Bucket=planted.id)["PolicyStatus"]["IsPublic"]
        except s3.exceptions.ClientError:
            status = False
        if status:
            public.add(planted.id)
        if "LoggingEnabled" in s3.get_bucket_logging(Bucket=planted.id):
            logged.add(planted.id)

    assert public == blueprint.ids(BUCKET, "public")
    assert logged == blueprint.ids(BUCKET, "sound")
    assert {b["Name"] for b in s3.list_buckets()["Buckets"]} == blueprint.ids(BUCKET)


def test_tags_are_careless_in_the_ways_policies_look_for(blueprint):
    """Missing and placeholder owners, synonyms, and requests to be left alone."""
    machines = blueprint.of(INSTANCE)

    assert any("owner" not in p.tags for p in machines)
    assert any(p.tags.get("owner") == "TODO" for p in machines)
    assert any("CostCenter" in p.tags for p in machines)
    assert any(p.tags.get("bursar/keep") == "true" for p in machines)
    assert any(p.tags.get("bursar/protect") == "true" and p.story == "idle" for p in machines)


def test_every_device_that_should_publish_does_and_no_other(blueprint, client):
    """Four series for each GPU that has a voice, under all dimensions the agent sends, and a notebook's processors."""
    expected, notebooks = Counter(), {n.name for n in blueprint.of(NOTEBOOK, "idle", "busy")}
    for planted in (*blueprint.of(INSTANCE), *blueprint.of(NOTEBOOK, "idle", "busy")):
        count = devices_of(planted.type)
        if planted.story == "half_silent":
            count //= 2
        if count and planted.story not in ("silent", "stopped"):
            expected[planted.id if planted.kind == INSTANCE else planted.name] = count * 4
    seen = Counter()
    for name, dimensions in _series(client, "CWAgent"):
        if name == "cpu_usage_active":
            assert dimensions.keys() == {"NotebookInstanceName", "cpu"}
            notebooks.remove(dimensions["NotebookInstanceName"])
            continue
        key = "InstanceId" if "InstanceId" in dimensions else "NotebookInstanceName"
        assert dimensions.keys() == {key, "index", "name", "host"}
        seen[dimensions[key]] += 1

    assert seen == expected
    assert notebooks == set()


def test_running_machines_report_their_load_even_without_an_agent(blueprint, client):
    """The hypervisor's metrics are there for every machine that runs."""
    seen = {d["InstanceId"] for name, d in _series(client, "AWS/EC2") if name == "CPUUtilization"}

    assert seen == blueprint.ids(INSTANCE) - blueprint.ids(INSTANCE, "stopped")


def test_an_idle_h100_reads_as_nothing_for_26_hours(blueprint, client):
    """Read back over the wire: utilization 0, power of a bare card, a value for every minute."""
    machine = blueprint.named("vla-sweep-7")
    dimensions = next(
        d for _, d in _series(client, "CWAgent") if d.get("InstanceId") == machine.id and d["index"] == "5"
    )
    utilization = _read(client, "CWAgent", "nvidia_smi_utilization_gpu", dimensions, 24)
    power = _read(client, "CWAgent", "nvidia_smi_power_draw", dimensions, 24)

    assert set(utilization.values()) == {0.0}
    # 24 hours back from 12:34:56 is 12:34; the newest value is that of 12:32.
    assert len(utilization) == len(power) == 24 * 60 - 1
    assert 68 <= min(power.values()) <= max(power.values()) <= 74


def test_a_new_machine_has_minutes_of_history_only(blueprint, client):
    """Launched at 12:14:56, its agent publishes from 12:18 to 12:32."""
    machine = blueprint.named("nightly-bench")
    dimensions = next(d for _, d in _series(client, "CWAgent") if d.get("InstanceId") == machine.id)
    (found,) = [i for i in _instances(client) if i["InstanceId"] == machine.id]

    assert found["LaunchTime"] == (NOW - timedelta(minutes=20)).replace(microsecond=0)
    assert len(_read(client, "CWAgent", "nvidia_smi_power_draw", dimensions, 4)) == 15


def test_endpoints_without_traffic_have_no_invocations_and_those_with_gpus_sum_them(blueprint, client):
    """No traffic is no series; a four-GPU endpoint reads beyond 100 %."""
    seen = {d["EndpointName"] for _, d in _series(client, "AWS/SageMaker")}
    busy = {"EndpointName": "vision-embed", "VariantName": "blue"}
    quiet = {"EndpointName": "planner-shadow", "VariantName": "AllTraffic"}

    assert seen == {p.name for p in blueprint.of(ENDPOINT, "serving", "quiet")}
    assert max(_read(client, "/aws/sagemaker/Endpoints", "GPUUtilization", busy, 4).values()) > 100
    assert _read(client, "AWS/SageMaker", "Invocations", quiet, 8.9, stat="Sum") == {}
    assert _read(client, "AWS/SageMaker", "Invocations", quiet, 10, stat="Sum") != {}
