"""Telemetry from CloudWatch: against the emulated account, and against a client that misbehaves."""

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bursar.demo.company import build
from bursar.demo.estate import REGIONS
from bursar.demo.process import Series as Planted
from bursar.demo.telemetry import devices_of
from engine.model import Asked, KindNeeds, Resource
from engine.values import Reason, Unknown
from integrations.aws.cloudwatch import CloudWatchTelemetry
from tests.integrations.aws.kind_names import ENDPOINT, INSTANCE, NOTEBOOK, VOLUME
from tests.integrations.aws.measuring import EAST, HOUR, LIST, NOON, NOW, READ, need_of, readings

UTILISATION, POWER, USED, TOTAL = (
    f"nvidia_smi_{name}" for name in ("utilization_gpu", "power_draw", "memory_used", "memory_total")
)


def _instance(id_="i-1", devices=1, gaps=None, **fields):
    named = {name.replace("__", "."): value for name, value in fields.items()}
    named = {"running": True, "accelerator.count": devices, "accelerator.devices": devices, **named}
    return Resource(INSTANCE, id_, "123456789012", EAST, fields=named, gaps=gaps or {})


def _endpoint(name="chat", gpus=4, instances=1, variants=1, **fields):
    named = {name.replace("__", "."): value for name, value in fields.items()}
    known = {
        "running": True,
        "serverless": False,
        "variants": variants,
        "instance.count": instances * variants,
        "variant.instances": tuple(f"{name}={instances}" for name in ("v1", "v2")[:variants]),
        "enhanced_metrics": False,
        "metrics_interval": timedelta(minutes=1),
        "accelerator.count": gpus * instances * variants,
        "accelerator.devices": gpus * instances * variants,
        "vcpus": 48 * instances * variants,
    }
    id_ = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    return Resource(ENDPOINT, id_, "123456789012", EAST, name, fields={**known, **named})


def _gpu(metric, values, id_="i-1", index="0", end=NOON, **more):
    dimensions = {"InstanceId": id_, "index": index, "name": "NVIDIA A10G", "host": "ip-10-0-0-1", **more}
    return Planted("CWAgent", metric, dimensions, end - timedelta(minutes=len(values)), 60, values)


def _variant(namespace, metric, values, endpoint="chat", variant="v1", **more):
    dimensions = {"EndpointName": endpoint, "VariantName": variant, **more}
    return Planted(namespace, metric, dimensions, NOON - timedelta(minutes=len(values)), 60, values)


def _hosting(metric, values, **more):
    return _variant("/aws/sagemaker/Endpoints", metric, values, **more)


def _present(series):
    return [value for value in series.values if value is not None]


def test_what_was_asked_is_told_with_its_price(aws, telemetry):
    """Series times statistics: $0.01 for 1,000. Lists of metrics cost nothing worth telling."""
    aws.load(EAST, [_gpu(UTILISATION, [5.0] * 60, index=str(i)) for i in range(4)])
    assert telemetry.asked(INSTANCE, EAST) == Asked()
    telemetry.attach([_instance(devices=4)], need_of("gpu.utilization"), EAST)
    assert telemetry.asked(INSTANCE, EAST) == Asked(4, Decimal("0.00004"))
    # A day in five minutes: each bucket comes with the number of its samples.
    telemetry.attach([_instance(devices=4)], need_of("gpu.utilization", window=26 * HOUR), EAST)
    assert telemetry.asked(INSTANCE, EAST) == Asked(12, Decimal("0.00012"))
    assert telemetry.asked(VOLUME, EAST) == telemetry.asked(INSTANCE, "us-west-2") == Asked()


def test_each_gpu_is_a_series_on_the_grid_of_the_engine(aws, telemetry):
    """Four devices with a value a minute; the third minute of the last is missing."""
    quiet = [0.0, 1.0, None] + [2.0] * 57
    aws.load(EAST, [_gpu(UTILISATION, quiet if i == 3 else [5.0] * 60, index=str(i)) for i in range(4)])

    (found,) = telemetry.attach([_instance(devices=4)], need_of("gpu.utilization"), EAST)

    series = found.metrics["gpu.utilization"]
    assert [s.device for s in series] == ["0", "1", "2", "3"]
    assert {(s.step, s.interval, s.samples, s.start) for s in series} == {(60, 60, None, NOON - HOUR)}
    assert series[3].values == tuple(quiet)
    assert series[0].source == "cloudwatch CWAgent/nvidia_smi_utilization_gpu"
    assert readings(found, "gpu.utilization")["0"] == (5.0, 60, 60)


def test_a_gap_between_device_numbers_is_left_to_the_engine(aws, telemetry):
    """Devices 0 and 2 of four send: two readings, and two silent devices."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60, index=i) for i in ("0", "2")])

    (found,) = telemetry.attach([_instance(devices=4)], need_of("gpu.utilization"), EAST)

    silent = Reason.INSUFFICIENT_SAMPLES
    expected = {"0": (0.0, 60, 60), "2": (0.0, 60, 60), "?0": silent, "?1": silent}
    assert expected == readings(found, "gpu.utilization")
    assert "metrics.compute" not in found.gaps


def test_a_short_burst_survives_a_coarse_period(aws, telemetry):
    """Two days come in buckets of five minutes: the maximum is kept, and samples are counted."""
    values = [0.0] * 2_880
    values[1_000] = 97.0
    values[2_000:2_003] = [None] * 3
    aws.load(EAST, [_gpu(UTILISATION, values)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization", window=timedelta(days=2)), EAST)

    (series,) = found.metrics["gpu.utilization"]
    assert (series.step, series.interval) == (300, 60)
    assert max(_present(series)) == 97.0
    assert sum(series.samples) == 2_877
    assert readings(found, "gpu.utilization", timedelta(days=2)) == {"0": (97.0, 2_877, 2_880)}


def test_coverage_is_that_of_the_source_not_of_the_buckets(aws, telemetry):
    """One sample in five minutes fills every bucket, and is a fifth of what is due."""
    values = [0.0 if minute % 5 == 0 else None for minute in range(2_880)]
    aws.load(EAST, [_gpu(UTILISATION, values)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization", window=timedelta(days=2)), EAST)

    assert readings(found, "gpu.utilization", timedelta(days=2)) == {"0": Reason.INSUFFICIENT_SAMPLES}


def test_an_agent_that_goes_on_under_other_dimensions_is_one_device(aws, telemetry):
    """Its configuration changed forty minutes ago; what it saw before is not forgotten."""
    old = _gpu(UTILISATION, [80.0] * 20, end=NOON - timedelta(minutes=40))
    new = _gpu(UTILISATION, [0.0] * 40, AutoScalingGroupName="trainers", arch="Ampere")
    aws.load(EAST, [old, new])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization"), EAST)

    assert readings(found, "gpu.utilization") == {"0": (80.0, 60, 60)}


def test_two_machines_under_one_id_are_not_believed(aws, telemetry):
    """Both send at the same time and say different things; the engine is told of both."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60), _gpu(UTILISATION, [70.0] * 60, host="ip-10-9-9-9")])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization"), EAST)

    assert len(found.metrics["gpu.utilization"]) == 2
    assert readings(found, "gpu.utilization") == {"0": Reason.SOURCE_ERROR}


def test_series_of_machines_that_are_gone_are_not_asked_for(aws, telemetry):
    """CloudWatch lists them for two weeks."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60), _gpu(UTILISATION, [0.0] * 60, id_="i-gone")])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization"), EAST)

    assert len(found.metrics["gpu.utilization"]) == 1


def test_devices_from_before_a_resize_are_not_of_the_machine(aws, telemetry):
    """Two days ago it had two devices, now it has one: the listed second one has nothing in the window."""
    before = NOON - timedelta(days=2)
    aws.load(EAST, [_gpu(UTILISATION, [3.0] * 60), _gpu(UTILISATION, [9.0] * 60, index="1", end=before)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization"), EAST)

    assert readings(found, "gpu.utilization") == {"0": (3.0, 60, 60)}


def test_an_agent_that_stopped_hours_ago_is_still_asked(aws, telemetry):
    """It is listed, although it is not recently active; its old samples are in the window."""
    aws.load(EAST, [_gpu(UTILISATION, [50.0] * 60, end=NOON - timedelta(hours=5))])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization", window=timedelta(hours=8)), EAST)

    assert _present(found.metrics["gpu.utilization"][0]) == [50.0] * 60
    assert readings(found, "gpu.utilization", timedelta(hours=8)) == {"0": Reason.STALE}


def test_a_clock_that_is_ahead_is_seen(aws, telemetry):
    """Samples dated an hour after now are kept, so that the engine does not trust the series."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 120, end=NOON + HOUR)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization"), EAST)

    assert readings(found, "gpu.utilization") == {"0": Reason.FUTURE_TIMESTAMP}


def test_memory_is_a_share_of_what_the_device_has(aws, telemetry):
    """5,757 of 23,028 MiB are a quarter."""
    aws.load(EAST, [_gpu(USED, [5_757.0] * 60), _gpu(TOTAL, [23_028.0] * 60)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.memory_used"), EAST)

    assert readings(found, "gpu.memory_used") == {"0": (25.0, 60, 60)}


def test_without_a_published_total_the_instance_type_gives_it(aws, telemetry):
    """6,144 of 24 GiB."""
    aws.load(EAST, [_gpu(USED, [6_144.0] * 60)])

    (found,) = telemetry.attach([_instance(accelerator__memory_gib=24)], need_of("gpu.memory_used"), EAST)

    assert readings(found, "gpu.memory_used") == {"0": (25.0, 60, 60)}


def test_memory_without_any_total_is_unknown(aws, telemetry):
    """MiB are not compared with percent."""
    aws.load(EAST, [_gpu(USED, [6_144.0] * 60)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.memory_used"), EAST)

    assert "gpu.memory_used" not in found.metrics
    assert found.gaps["metrics.memory"].reason is Reason.NOT_COLLECTED
    assert readings(found, "gpu.memory_used") == {"?": Reason.NOT_COLLECTED}


def test_power_over_idle_is_computed_from_power(aws, telemetry):
    """The derived metric is asked for as what it is derived from."""
    aws.load(EAST, [_gpu(POWER, [31.5] * 60)])

    (found,) = telemetry.attach([_instance()], need_of("gpu.power_over_idle"), EAST)

    assert set(found.metrics) == {"gpu.power"}


def test_nothing_is_asked_of_what_cannot_send(aws, telemetry):
    """Stopped machines and machines without accelerators; no call, no gap."""
    resources = [_instance("i-1", running=False), _instance("i-2", devices=0)]

    found = telemetry.attach(resources, need_of("gpu.utilization"), EAST)

    assert [r.metrics for r in found] == [{}, {}]
    assert all("metrics.compute" not in r.gaps for r in found)
    assert aws.calls() == []


def test_whose_a_machine_is(aws, telemetry):
    """What `bursar agent` tells is read where it is listed; what it never told is no gap, and nothing more is asked."""
    told = {"InstanceId": "i-1", "host": "ip-10-0-0-1"}
    aws.load(EAST, [Planted("CWAgent", "bursar_sessions_active", told, NOON - HOUR, 60, [0.0] * 59 + [2.0])])

    (found, other) = telemetry.attach(
        [_instance(), _instance("i-2")], need_of("sessions.active", "jobs.running", "node.cordoned"), EAST
    )

    assert readings(found, "sessions.active") == {"": (2.0, 12, 12)}
    assert set(found.metrics) == {"sessions.active"}
    assert other.metrics == {}
    assert not {"metrics.sessions", "metrics.jobs", "metrics.cordon"} & (found.gaps.keys() | other.gaps.keys())


def test_an_agent_that_has_ended(aws, telemetry):
    """What it told last is old, and who is there now is not known."""
    told = {"InstanceId": "i-1", "host": "ip-10-0-0-1"}
    aws.load(EAST, [Planted("CWAgent", "bursar_sessions_active", told, NOON - HOUR, 60, [0.0] * 40)])
    (found,) = telemetry.attach([_instance()], need_of("sessions.active"), EAST)
    assert readings(found, "sessions.active") == {"": Reason.STALE}


def test_signals_that_nobody_needs_are_not_attested(aws, telemetry):
    """The engine must not read their absence as anything."""
    (found,) = telemetry.attach([_instance()], need_of("cpu.utilization"), EAST)
    (unneeded,) = telemetry.attach([_instance()], KindNeeds(), EAST)

    gaps = {name: gap.reason for name, gap in found.gaps.items()}
    missing = Reason.NOT_COLLECTED
    unasked = ("compute", "memory", "power", "video", "health", "network", "sessions", "jobs", "cordon")
    assert gaps == dict.fromkeys((f"metrics.{signal}" for signal in unasked), missing)
    assert unneeded.gaps["metrics.cpu"].reason is missing
    assert aws.calls() == [READ]


def test_a_gap_of_the_inventory_is_kept(telemetry):
    """Its reason comes first."""
    known = {"metrics.compute": Unknown(Reason.DENIED, "before")}

    (found,) = telemetry.attach([_instance(gaps=known)], KindNeeds(), EAST)

    assert found.gaps["metrics.compute"].detail == "before"


def test_no_resources_are_no_calls(aws, telemetry):
    """As for an empty region."""
    assert telemetry.attach([], need_of("gpu.utilization"), EAST) == []
    assert aws.calls() == []


def test_cpu_and_network_are_those_of_the_hypervisor(aws, telemetry):
    """Every five minutes; bytes are added up."""
    start = NOON - HOUR
    for name, value in (("CPUUtilization", 7.5), ("NetworkIn", 100.0), ("NetworkOut", 200.0)):
        aws.put_series(EAST, "AWS/EC2", name, {"InstanceId": "i-1"}, start, 300, [value] * 12)

    (found,) = telemetry.attach([_instance()], need_of("cpu.utilization", "network.in", "network.out"), EAST)

    (network,) = found.metrics["network.in"]
    assert (network.step, network.samples, sum(_present(network))) == (300, None, 1_200.0)
    assert readings(found, "cpu.utilization") == {"": (7.5, 12, 12)}
    assert aws.calls() == [READ]


def test_detailed_monitoring_adds_up_to_the_same_bytes(aws, telemetry):
    """A value a minute instead of every five."""
    aws.put_series(EAST, "AWS/EC2", "NetworkIn", {"InstanceId": "i-1"}, NOON - HOUR, 60, [20.0] * 60)

    (found,) = telemetry.attach([_instance()], need_of("network.in"), EAST)

    assert _present(found.metrics["network.in"][0]) == [100.0] * 12


def test_operations_of_a_volume_are_added_up(aws, telemetry):
    """Over a week, in buckets of ten minutes."""
    for name, value in (("VolumeReadOps", 0.0), ("VolumeWriteOps", 3.0)):
        aws.put_series(EAST, "AWS/EBS", name, {"VolumeId": "vol-1"}, NOON - timedelta(days=7), 300, [value] * 2_016)
    volume = Resource(VOLUME, "vol-1", "123456789012", EAST)
    need = need_of("volume.read_ops", "volume.write_ops", window=timedelta(days=7))

    (found,) = telemetry.attach([volume], need, EAST)

    (written,) = found.metrics["volume.write_ops"]
    assert (written.step, written.interval, sum(_present(written)), sum(written.samples)) == (600, 300, 6_048.0, 2_016)
    assert sum(_present(found.metrics["volume.read_ops"][0])) == 0


def test_no_invocations_are_read_as_none_while_the_hardware_reports(aws, telemetry):
    """The metric is not even listed; the hardware metrics tell the variants, without being asked for."""
    aws.load(EAST, [_hosting("CPUUtilization", [5.0] * 60, variant=v) for v in ("v1", "v2")])

    (found,) = telemetry.attach([_endpoint(variants=2)], need_of("requests"), EAST)

    assert "requests" not in found.metrics
    assert "metrics.requests" not in found.gaps
    assert readings(found, "requests") == {"v1": (0.0, 60, 60), "v2": (0.0, 60, 60)}


def test_old_requests_are_found_though_lists_forget_them(aws, telemetry):
    """Twenty days ago there were some. A list shows two weeks, but the hardware names the variant."""
    long = timedelta(days=30)
    steps = int(long / timedelta(minutes=30))
    busy = NOON - timedelta(days=20)
    dimensions = {"EndpointName": "chat", "VariantName": "v1"}
    aws.put_series(EAST, "AWS/SageMaker", "Invocations", dimensions, busy, 60, [40.0] * 10)
    aws.load(
        EAST, [Planted("/aws/sagemaker/Endpoints", "CPUUtilization", dimensions, NOON - long, 1_800, [5.0] * steps)]
    )

    (found,) = telemetry.attach([_endpoint()], need_of("requests", window=long), EAST)

    assert sum(_present(found.metrics["requests"][0])) == 400.0


def test_without_a_sign_of_life_no_invocations_are_not_zero(aws, telemetry):
    """Neither metric is there: it may be the source that is silent."""
    (found,) = telemetry.attach([_endpoint()], need_of("requests"), EAST)

    assert readings(found, "requests") == {"?": Reason.NOT_COLLECTED}


def test_a_notebook_is_measured_by_the_agent_inside(aws, telemetry):
    """Under its name."""
    dimensions = {"NotebookInstanceName": "nb-tomas", "index": "0"}
    aws.put_series(EAST, "CWAgent", UTILISATION, dimensions, NOON - HOUR, 60, [1.0] * 60)
    cpu = {"NotebookInstanceName": "nb-tomas", "cpu": "cpu-total"}
    aws.put_series(EAST, "CWAgent", "cpu_usage_active", cpu, NOON - HOUR, 60, [2.0] * 60)
    fields = {"running": True, "accelerator.count": 1, "accelerator.devices": 1}
    notebook = Resource(NOTEBOOK, "arn:x", "123456789012", EAST, "nb-tomas", fields=fields)

    (found,) = telemetry.attach([notebook], need_of("gpu.utilization", "cpu.utilization"), EAST)

    assert readings(found, "gpu.utilization") == {"0": (1.0, 60, 60)}
    assert readings(found, "cpu.utilization") == {"": (2.0, 60, 60)}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"denied": True}, Reason.DENIED),
        ({"throttled": True}, Reason.SOURCE_ERROR),
        ({"error_rate": 1.0}, Reason.SOURCE_ERROR),
        ({"error_rate": 1.0, "code": "ValidationError", "status": 400}, Reason.SOURCE_ERROR),
    ],
)
@pytest.mark.parametrize("call", [READ, LIST])
def test_a_call_that_fails_is_a_gap_with_its_reason(aws, telemetry, call, fault, reason):
    """Never an empty series, and never an exception."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60)])
    aws.faults({call: fault})

    (found,) = telemetry.attach([_instance()], need_of("gpu.utilization"), EAST)

    assert found.metrics == {}
    assert found.gaps["metrics.compute"].reason is reason
    assert call in found.gaps["metrics.compute"].detail
    assert readings(found, "gpu.utilization") == {"?": reason}


def test_a_failed_batch_concerns_its_own_resources_alone(aws, client_for):
    """501 machines are two calls; the second fails, and with it the last machine."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60, id_=f"i-{n:03}") for n in range(501)])
    aws.faults({READ: {"error_rate": 1.0, "after": 2}})
    one_by_one = CloudWatchTelemetry(client_for, NOW, max_workers=1)

    found = one_by_one.attach([_instance(f"i-{n:03}") for n in range(501)], need_of("gpu.utilization"), EAST)

    lost = [r.id for r in found if "metrics.compute" in r.gaps]
    assert lost == ["i-500"]
    assert all(len(r.metrics["gpu.utilization"]) == 1 for r in found if r.id not in lost)
    assert Counter(aws.calls()) == {LIST: 2, READ: 2}


def test_a_list_is_read_once_for_all_chunks(aws, telemetry):
    """And a list that failed is not asked for again."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60, id_=f"i-{n}") for n in range(3)])

    for n in range(3):
        telemetry.attach([_instance(f"i-{n}")], need_of("gpu.utilization"), EAST)
    assert Counter(aws.calls()) == {LIST: 1, READ: 3}

    aws.faults({LIST: {"denied": True}})
    for n in range(3):
        telemetry.attach([_instance(f"i-{n}")], need_of("gpu.power"), EAST)
    assert Counter(aws.calls()) == {LIST: 1}


def test_a_list_cut_short_is_no_list(aws, telemetry):
    """The second page fails: whose series stand on it is not known, so no one's are."""
    aws.load(EAST, [_gpu(UTILISATION, [0.0] * 60, id_=f"i-{n:03}") for n in range(501)])
    aws.faults({LIST: {"error_rate": 1.0, "after": 2}})

    (found,) = telemetry.attach([_instance("i-000")], need_of("gpu.utilization"), EAST)

    assert found.metrics == {}
    assert found.gaps["metrics.compute"].reason is Reason.SOURCE_ERROR


def test_the_demo_company_is_read_with_few_calls(aws, client_for):
    """GPU telemetry of every machine; what a story says is there, is there."""
    now = NOW.replace(minute=3)
    blueprint = build(aws.endpoint, now)
    telemetry = CloudWatchTelemetry(client_for, now)
    need = need_of("gpu.utilization", "gpu.power_over_idle", window=timedelta(hours=4))
    found = {}
    for region in REGIONS:
        here = [p for p in blueprint.of(INSTANCE) if p.region == region]
        resources = [_instance(p.id, devices_of(p.type), running=p.story != "stopped") for p in here]
        found.update((p.name, (p, r)) for p, r in zip(here, telemetry.attach(resources, need, region), strict=True))

    assert Counter(aws.calls()) == {LIST: 4, READ: 2}
    for planted, resource in found.values():
        sending = len(resource.metrics.get("gpu.utilization", ()))
        match planted.story:
            case "silent" | "cpu" | "stopped":
                assert sending == 0, planted.name
            case "half_silent":
                assert sending == devices_of(planted.type) / 2, planted.name
            case _:
                assert sending == devices_of(planted.type), planted.name
        assert sending == len(resource.metrics.get("gpu.power", ()))


class Scripted:
    """A client that lists one GPU a machine and answers with the given pages."""

    def __init__(self, *pages, machines=1):
        self.pages = list(pages)
        self.machines = machines
        self.asked = []

    def list_metrics(self, **parameters):
        names = [[("InstanceId", f"i-{n}"), ("index", "0")] for n in range(self.machines)]
        return {"Metrics": [{"Dimensions": [{"Name": k, "Value": v} for k, v in one]} for one in names]}

    def get_metric_data(self, **parameters):
        self.asked.append(parameters)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


def _answer(id_="q0", status="Complete", values=(0.0,) * 60, start=NOON - HOUR, **more):
    times = [start + timedelta(minutes=n) for n in range(len(values))]
    return {"Id": id_, "StatusCode": status, "Timestamps": times, "Values": list(values), **more}


def _page(*results, **more):
    return {"MetricDataResults": list(results), **more}


def _attach(client, machines=1):
    telemetry = CloudWatchTelemetry(lambda region: client, NOW)
    return telemetry.attach([_instance(f"i-{n}") for n in range(machines)], need_of("gpu.utilization"), EAST)


def test_pages_are_put_together_by_id():
    """A series may begin on one page and end on the next."""
    first = _answer(values=[1.0] * 20, status="PartialData")
    second = _answer(values=[2.0] * 40, start=NOON - timedelta(minutes=40))
    client = Scripted(_page(first, NextToken="a"), _page(second))

    (found,) = _attach(client)

    assert found.metrics["gpu.utilization"][0].values == (1.0,) * 20 + (2.0,) * 40
    assert client.asked[1]["NextToken"] == "a"


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([_page(_answer(status="PartialData"))], Reason.SOURCE_ERROR),
        ([_page(_answer(status="InternalError", values=()))], Reason.SOURCE_ERROR),
        ([_page(_answer(status="Forbidden", values=()))], Reason.DENIED),
        ([_page(_answer(status="SomethingNew"))], Reason.SOURCE_ERROR),
        ([_page()], Reason.SOURCE_ERROR),
        ([_page(_answer(id_="other"))], Reason.SOURCE_ERROR),
        ([_page(_answer(id_="q7"))], Reason.SOURCE_ERROR),
        ([_page(_answer(), Messages=[{"Code": "MaxMetricsExceeded", "Value": "too many"}])], Reason.SOURCE_ERROR),
        ([_page(_answer(), NextToken="a"), _page(NextToken="a"), _page()], Reason.SOURCE_ERROR),
        (
            [_page(_answer(), NextToken="a"), EndpointConnectionError(endpoint_url="https://x")],
            Reason.SOURCE_ERROR,
        ),
        ([ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetMetricData")], Reason.DENIED),
        ([ClientError({}, "GetMetricData")], Reason.SOURCE_ERROR),
        ([{}], Reason.SOURCE_ERROR),
    ],
)
def test_an_answer_that_is_not_complete_is_a_gap(pages, reason):
    """Half of a busy series could look idle."""
    (found,) = _attach(Scripted(*pages))

    assert found.metrics == {}
    assert found.gaps["metrics.compute"].reason is reason


def test_one_query_that_fails_leaves_the_others():
    """Each has a status of its own, and a message where there is one."""
    bad = _answer("q1", "InternalError", (), Messages=[{"Code": "Hiccup", "Value": "again"}])

    good, lost = _attach(Scripted(_page(_answer(), bad), machines=2), 2)

    assert len(good.metrics["gpu.utilization"]) == 1
    assert "metrics.compute" not in good.gaps
    assert lost.gaps["metrics.compute"].detail == "cloudwatch:GetMetricData: Hiccup: again"


def test_values_that_are_no_numbers_are_no_samples():
    """NaN and infinity become gaps."""
    (found,) = _attach(Scripted(_page(_answer(values=[math.nan, math.inf, 3.0]))))

    assert found.metrics["gpu.utilization"][0].values[:4] == (None, None, 3.0, None)


def test_values_without_times_are_dropped_before_they_shift_others():
    """A page with a value too many does not move those of the next page."""
    first = {**_answer(values=[1.0], status="PartialData"), "Values": [1.0, 9.0]}
    second = _answer(values=[2.0], start=NOON - timedelta(minutes=30))

    (found,) = _attach(Scripted(_page(first, NextToken="a"), _page(second)))

    values = found.metrics["gpu.utilization"][0].values
    assert {i: v for i, v in enumerate(values) if v is not None} == {0: 1.0, 30: 2.0}


def test_the_order_of_resources_is_kept():
    """Whoever has telemetry and who has not."""
    telemetry = CloudWatchTelemetry(lambda region: Scripted(_page(_answer())), NOW)
    resources = [_instance("i-9"), _instance("i-0"), replace(_instance("i-8"), name="x")]

    found = telemetry.attach(resources, need_of("gpu.utilization"), EAST)

    assert [r.id for r in found] == ["i-9", "i-0", "i-8"]
    assert [len(r.metrics) for r in found] == [0, 1, 0]


def test_windows_machines_are_found_beside_linux_ones(aws, telemetry):
    """Their agent writes a space where the other has an underscore; each name is listed once."""
    aws.load(EAST, [_gpu(UTILISATION, [1.0] * 60), _gpu("nvidia_smi utilization_gpu", [2.0] * 60, id_="i-2")])
    machines = [_instance("i-1", platform="linux"), _instance("i-2", platform="windows")]

    linux, windows = telemetry.attach(machines, need_of("gpu.utilization"), EAST)

    assert readings(linux, "gpu.utilization") == {"0": (1.0, 60, 60)}
    assert readings(windows, "gpu.utilization") == {"0": (2.0, 60, 60)}
    assert Counter(aws.calls()) == {LIST: 2, READ: 1}


def test_a_list_of_totals_that_fails_does_not_hide_the_memory_of_a_known_type(aws, client_for):
    """The second list is denied: the type says 24 GiB of one machine, and nothing of the other."""
    aws.load(EAST, [_gpu(USED, [6_144.0] * 60, id_=i) for i in ("i-1", "i-2")])
    aws.faults({LIST: {"denied": True, "after": 2}})
    one_by_one = CloudWatchTelemetry(client_for, NOW, max_workers=1)
    machines = [_instance("i-1", accelerator__memory_gib=24), _instance("i-2")]

    known, unknown = one_by_one.attach(machines, need_of("gpu.memory_used"), EAST)

    assert readings(known, "gpu.memory_used") == {"0": (25.0, 60, 60)}
    assert unknown.gaps["metrics.memory"].reason is Reason.DENIED
