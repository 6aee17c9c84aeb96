"""A real Prometheus server that scrapes a DCGM exporter, with labels of the target that collide with the exporter's."""

from datetime import UTC, datetime

import pytest

from integrations.prometheus.client import Endpoint
from integrations.prometheus.source import PrometheusSettings, PrometheusSource
from tests.prometheus_server import running_prometheus
from tests.telemetry_judging import machine, measured

LABELS = ("gpu", "UUID", "pci_bus_id", "device", "modelName", "Hostname", "namespace", "pod", "container")
VALUES = {
    "DCGM_FI_DEV_GPU_UTIL": (0, 97),
    "DCGM_FI_DEV_POWER_USAGE": (68.25, 411.5),
    "DCGM_FI_DEV_FB_USED": (0, 60_000),
    "DCGM_FI_DEV_FB_FREE": (81_000, 21_000),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": (0, 0.93),
}


@pytest.fixture
def exporter():
    """Two GPUs of `ip-10-0-7-7`, as dcgm-exporter 3 names them; gives the address."""
    from prometheus_client import CollectorRegistry, Gauge, start_http_server

    registry = CollectorRegistry()
    for name, values in VALUES.items():
        gauge = Gauge(name, name, LABELS, registry=registry)
        for gpu, value in enumerate(values):
            pod = ("", "", "") if gpu == 0 else ("ml", "train-0", "main")
            where = (str(gpu), f"GPU-live-{gpu}", f"00000000:0{gpu}:00.0", f"nvidia{gpu}", "NVIDIA H100 80GB HBM3")
            gauge.labels(*where, "ip-10-0-7-7", *pod).set(value)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_exporter_speaks_for_the_gpu_and_not_the_target(prometheus_programs, tmp_path, exporter):
    """`honor_labels: false` renames the exporter's `Hostname` and `pod`; the GPU is that host's all the same."""
    target = {"Hostname": "monitoring-1", "pod": "dcgm-exporter-x"}
    with running_prometheus(prometheus_programs, tmp_path, targets=[exporter], labels=target) as server:
        server.wait_for('DCGM_FI_DEV_POWER_USAGE{exported_Hostname="ip-10-0-7-7",Hostname="monitoring-1"}')
        now = datetime.now(UTC)
        source = PrometheusSource(PrometheusSettings(Endpoint(server.url)), now)
        own = machine(now, "i-own", private_dns_name="ip-10-0-7-7.eu-west-1.compute.internal")
        other = machine(now, "i-other", private_dns_name="monitoring-1")
        found, none = measured([source], now, own, other)
        source.close()
    newest = {
        (name, series.device): [value for value in series.values if value is not None][-1]
        for name, all_series in found.metrics.items()
        for series in all_series
    }
    assert newest == {
        ("gpu.utilization", "0"): 0,
        ("gpu.utilization", "1"): 97,
        ("gpu.power", "0"): 68.25,
        ("gpu.power", "1"): 411.5,
        ("gpu.memory_used", "0"): 0,
        ("gpu.memory_used", "1"): pytest.approx(60_000 * 100 / 81_000),
    }
    assert found.metrics["gpu.power"][1].source == "prometheus DCGM_FI_DEV_POWER_USAGE of pod ml/train-0"
    assert none.metrics == {}


def test_instances_from_the_driver_to_a_series(prometheus_programs, tmp_path, driver):
    """
    The agent on a driver with MIG and GPM, scraped by a server and read back: one device, as busy as its busiest.

    The series of an instance that falls silent ends, and says why.
    """
    cut, names = "mig=1,5 held=9000,0 power=90000", ("--listen", "127.0.0.1:0", "--interval", "1s")
    driver.set(f"{cut} gpm=0,61.5")
    agent = driver.agent(*names, "--instance-id", "i-cut")
    address = agent.stderr.readline().strip().removeprefix("bursar agent: publishing to http://")
    try:
        target = address.removesuffix("/metrics")
        with running_prometheus(prometheus_programs, tmp_path, targets=[target]) as server:
            server.wait_for('bursar_gpu_utilization_peak_percent{GPU_I_ID="5",mig_uuid!=""} == 61.5')
            found = read_back(server, "i-cut")
            driver.set(f"{cut} gpm=0,!4")
            server.wait_for('bursar_gpu_missing{GPU_I_ID="5",state="no_permission"} == 1')
            server.wait_for('absent(bursar_gpu_utilization_peak_percent{GPU_I_ID="5"})')
    finally:
        agent.terminate()
        agent.communicate(timeout=30)
    (use,) = found["gpu.utilization"]
    assert (use.device, max(filter(None, use.values))) == ("0", 61.5)
    assert use.source == "prometheus bursar_gpu_utilization_peak_percent"
    (memory,) = found["gpu.memory_used"]
    assert max(filter(None, memory.values)) == pytest.approx(9000 * 100 / 9728)


def read_back(server, instance):
    """Return the telemetry of a machine with one GPU."""
    now = datetime.now(UTC)
    source = PrometheusSource(PrometheusSettings(Endpoint(server.url)), now)
    (found,) = measured([source], now, machine(now, instance, 1))
    source.close()
    return found.metrics
