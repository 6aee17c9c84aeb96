"""Data that lies, through every source: what is not known is never idle."""

import math
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from bursar.demo.process import Series as Planted
from integrations.aws.cloudwatch import CloudWatchTelemetry
from integrations.prometheus.client import Endpoint
from integrations.prometheus.source import PrometheusSettings, PrometheusSource
from integrations.telemetry.recorded import RecordedSettings, RecordedSource
from tests.gpu_fleet import FAULTS, Machine, agent, dcgm, labelled, recorded, samples
from tests.prometheus_server import running_prometheus
from tests.telemetry_judging import as_expected, judged, machine, outcome

BY_NAME = {one.name: one for one in FAULTS}


@pytest.fixture(scope="module")
def now():
    """The moment the fleet is judged at: that of the server, which scrapes itself in real time."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def server(prometheus_programs, tmp_path_factory, now):
    """A server with the whole fleet twice: as the DCGM exporter has it, and as the agent has it."""
    history = labelled(dcgm(FAULTS, now, cluster="dcgm"), agent(FAULTS, now, cluster="agent"))
    history["up"] = [({"job": "exporters"}, [(now.timestamp() - 60 * n, 1) for n in range(10, -1, -1)])]
    with running_prometheus(prometheus_programs, tmp_path_factory.mktemp("prometheus"), history) as found:
        yield found


@pytest.fixture(scope="module")
def prometheus(server, now):
    """Return a function that gives a source of one of the two fleets."""
    with ExitStack() as stack:

        def source(cluster):
            settings = PrometheusSettings(Endpoint(server.url, attempts=1), match=f'cluster="{cluster}"')
            made = PrometheusSource(settings, now)
            stack.callback(made.close)
            return made

        yield source


@pytest.fixture(scope="module")
def files(tmp_path_factory, now):
    """A source of the whole fleet as the agent recorded it, one file a machine."""
    folder = tmp_path_factory.mktemp("recorded")
    for one in FAULTS:
        (folder / f"{one.name}.jsonl").write_text("".join(recorded(one, now)), encoding="utf-8")
    return RecordedSource(RecordedSettings(("*.jsonl",), folder), now)


@pytest.fixture(scope="module")
def cloudwatch(aws_server, now):
    """A source of the whole fleet as the CloudWatch agent has it, by the minute."""
    from boto3.session import Session

    aws_server.reset()
    aws_server.set_now(now)
    aws_server.load("us-east-1", [series for one in FAULTS for series in _planted(one, now)])
    client = Session().client("cloudwatch", "us-east-1", endpoint_url=aws_server.endpoint)
    yield CloudWatchTelemetry(lambda region: client, now)
    client.close()


def _planted(one: Machine, now: datetime):
    """Yield the series of a machine on the minutes of CloudWatch; a number that is none was refused when it was put."""
    start = (now - timedelta(hours=4)).replace(second=0)
    for device in range(one.devices):
        dimensions = {"InstanceId": one.id, "index": str(device), "name": "NVIDIA H100", "host": "host"}
        for name, value in (("utilization_gpu", "use"), ("power_draw", "watts")):
            values: list[float | None] = [None] * (4 * 60 + 90)
            for owner, sample in samples(one, now):
                number = getattr(sample, value)
                if owner == device and number is not None and not math.isnan(number):
                    values[int((sample.at - start.timestamp()) // 60)] = number
            if any(value is not None for value in values):
                yield Planted("CWAgent", f"nvidia_smi_{name}", dimensions, start, 60, values)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("cluster", ["dcgm", "agent"])
def test_prometheus(prometheus, now, cluster, name):
    """Through a real Prometheus server, of the DCGM exporter and of the agent."""
    found = judged([prometheus(cluster)], now, machine(now, f"i-{name}"))
    assert as_expected(found, BY_NAME[name].expected), (outcome(found), found.unknowns, found.summary)


@pytest.mark.parametrize("name", BY_NAME)
def test_recorded_files(files, now, name):
    """Through files of the agent."""
    found = judged([files], now, machine(now, f"i-{name}"))
    assert as_expected(found, BY_NAME[name].expected), (outcome(found), found.unknowns, found.summary)


@pytest.mark.parametrize("name", BY_NAME)
def test_cloudwatch(cloudwatch, now, name):
    """Through CloudWatch."""
    found = judged([cloudwatch], now, machine(now, f"i-{name}"))
    assert as_expected(found, BY_NAME[name].expected), (outcome(found), found.unknowns, found.summary)


@pytest.mark.parametrize("name", BY_NAME)
def test_all_together(prometheus, files, now, name):
    """Through several sources at once, the answer is the same: they agree."""
    found = judged([prometheus("dcgm"), prometheus("agent"), files], now, machine(now, f"i-{name}"))
    assert as_expected(found, BY_NAME[name].expected), (outcome(found), found.unknowns, found.summary)
