"""
Whose a machine is, as exporters tell it to a real server: who holds it, and what lies about that.

Each cluster is a machine of its own, all at rest by its GPUs; what is expected is what the idle check says of it.
"""

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from engine.model import KindNeeds
from engine.values import Unknown
from integrations.prometheus.client import Endpoint
from integrations.prometheus.source import PrometheusSettings, PrometheusSource
from integrations.telemetry.attaching import SourcesTelemetry
from integrations.telemetry.frame import frame_of
from integrations.telemetry.owners import held_series
from tests.engine.estates import CATALOG, context, judge
from tests.gpu_fleet import FAULTS, dcgm, labelled
from tests.integrations.prometheus.conftest import Raw
from tests.prometheus_server import running_prometheus
from tests.telemetry_judging import NEED, WINDOW, machine

IDLE = next(one for one in FAULTS if one.name == "idle")
POLICY = """\
resource: aws.ec2.instance
    idle: {for: 2h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}, protect_while:
      {sessions.active: 1, jobs.running: 1, node.cordoned: 1}}
"""
NEEDED = KindNeeds(
    NEED.groups, {**NEED.metrics, **dict.fromkeys(("sessions.active", "jobs.running", "node.cordoned"), WINDOW)}
)
NODE = "ip-10-0-0-7.ec2.internal"
EVERY = 60
SINCE = 150 * 60


def points(now, value, first=SINCE, last=0):
    """Return samples a minute, from `first` to `last` seconds ago."""
    return [(now.timestamp() - 20 - ago, value) for ago in range(first, last - 1, -EVERY)]


def node(now, name=NODE, last=0, cordoned=0):
    """Return what kube-state-metrics has of a node, and that it knows pods."""
    return {
        "kube_node_spec_unschedulable": [({"node": name}, points(now, cordoned, last=last))],
        "kube_node_info": [({"node": name, "provider_id": "aws:///us-east-1a/i-idle"}, points(now, 1, last=last))],
        "kube_pod_container_resource_requests": [
            ({"node": "other", "namespace": "web", "pod": "front", "resource": "cpu"}, points(now, 1, last=last))
        ],
    }


def pod(now, phase="Running", last=0, name=NODE, **renamed):
    """Return a pod that asks for four GPUs; labels may be under other names."""
    own = {renamed.get("namespace", "namespace"): "ml", renamed.get("pod", "pod"): "train-0", "uid": "u-1"}
    own |= renamed.get("more", {})
    gpus = {**own, renamed.get("node", "node"): name, "resource": "nvidia_com_gpu"}
    found = {"kube_pod_container_resource_requests": [(gpus, points(now, 4, last=last))]}
    if phase:
        found["kube_pod_status_phase"] = [
            ({**own, "phase": one}, points(now, int(one == phase), last=last)) for one in ("Running", "Succeeded")
        ]
    return found


def together(*parts):
    found = {}
    for part in parts:
        for name, rows in part.items():
            found.setdefault(name, []).extend(rows)
    return found


def gpus(now, **more):
    return labelled(dcgm([IDLE], now, **more))


def slurm(now, status, processors, host="ip-10-0-0-7"):
    labels = {"node": host, "status": status}
    return {
        "slurm_node_cpu_alloc": [(labels, points(now, processors))],
        "slurm_node_cpu_total": [(labels, points(now, 96))],
    }


def told(now, name, value, last=0, **more):
    labels = {"instance_id": "i-idle", "hostname": "host-idle", **more}
    return {name: [(labels, points(now, value, last=last))]}


LOST = "no work of its accelerators for 2h, but jobs.running and node.cordoned are not known"
ACTS = "no work for 2h, nothing loaded, all 2 devices"
CLUSTERS = {
    "nothing": (gpus, ACTS),
    "nobody": (lambda now: together(gpus(now), node(now)), ACTS),
    "pod": (lambda now: together(gpus(now), node(now), pod(now)), "held by pod ml/train-0"),
    "pod that has just ended": (
        lambda now: together(gpus(now), node(now), pod(now, last=1200)),
        "held by pod ml/train-0",
    ),
    "pod of yesterday": (lambda now: together(gpus(now), node(now), pod(now, last=8000)), ACTS),
    # A finished pod keeps its requests until somebody deletes it.
    "finished pod": (lambda now: together(gpus(now), node(now), pod(now, "Succeeded")), ACTS),
    "pod of unknown phase": (lambda now: together(gpus(now), node(now), pod(now, "")), "held by pod ml/train-0"),
    "renamed labels": (
        lambda now: together(
            gpus(now),
            node(now),
            pod(now, namespace="exported_namespace", pod="exported_pod", more={"pod": "ksm-0", "namespace": "kube"}),
        ),
        "held by pod ml/train-0",
    ),
    "pod of another node": (lambda now: together(gpus(now), node(now), pod(now, name="ip-10-0-0-9")), ACTS),
    "kube-state-metrics gone": (
        lambda now: together(gpus(now), node(now, last=3600), pod(now, last=3600)),
        LOST,
    ),
    "kube-state-metrics gone, nobody there": (
        lambda now: together(gpus(now), node(now, last=3600)),
        LOST,
    ),
    "kube-state-metrics gone since before the window": (
        lambda now: together(gpus(now), node(now, last=7500)),
        LOST,
    ),
    # Only kube-state-metrics said which machine this node is.
    "kube-state-metrics gone, of a node by a name of its own": (
        lambda now: together(gpus(now), node(now, "gpu-a", last=3600)),
        LOST,
    ),
    "pods are not told": (
        lambda now: together(gpus(now), {k: v for k, v in node(now).items() if "requests" not in k}),
        ACTS,
    ),
    "cordoned": (lambda now: together(gpus(now), node(now, cordoned=1)), "its node is cordoned"),
    "another is cordoned": (lambda now: together(gpus(now), node(now, "ip-10-0-0-9", cordoned=1)), "cordoned"),
    "drained": (lambda now: together(gpus(now), slurm(now, "drained", 0)), "its node is cordoned"),
    "in maintenance": (lambda now: together(gpus(now), slurm(now, "maint*", 0)), "its node is cordoned"),
    "idle in Slurm": (lambda now: together(gpus(now), slurm(now, "idle", 0)), ACTS),
    "allocated in Slurm": (lambda now: together(gpus(now), slurm(now, "mixed", 8)), "held by a Slurm job"),
    "job by the exporter": (lambda now: gpus(now, hpc_job="4711"), "held by Slurm job 4711"),
    "pod by the exporter": (
        lambda now: gpus(now, exported_pod="train-0", exported_namespace="ml"),
        "held by pod ml/train-0",
    ),
    # Where `honor_labels` is off and a GPU is nobody's, `pod` is that of the exporter itself.
    "pod of the exporter": (lambda now: gpus(now, namespace="gpu-operator", container="dcgm-exporter"), ACTS),
    "job by the agent": (
        lambda now: together(gpus(now), told(now, "bursar_jobs_running", 1, hpc_job="12")),
        "held by Slurm job 12",
    ),
    "no job by the agent": (lambda now: together(gpus(now), told(now, "bursar_jobs_running", 0)), ACTS),
    "typing": (lambda now: together(gpus(now), told(now, "bursar_sessions_active", 2)), "somebody is logged in"),
    "nobody types": (lambda now: together(gpus(now), told(now, "bursar_sessions_active", 0)), ACTS),
    "agent gone": (
        lambda now: together(gpus(now), told(now, "bursar_sessions_active", 0, last=2400)),
        "no work of its accelerators for 2h, but sessions.active is not known",
    ),
    "agent of another machine": (
        lambda now: together(gpus(now), {"bursar_sessions_active": [({"instance_id": "i-2"}, points(now, 3))]}),
        ACTS,
    ),
}
SAME = {"another is cordoned": "its node is cordoned"}
"""`node` of kube_node_info says that this node is the machine, whatever it is called."""


@pytest.fixture(scope="module")
def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def server(prometheus_programs, tmp_path_factory, now):
    """A server with every cluster."""
    history = {"up": [({"job": "exporters"}, points(now, 1, 600))]}
    for cluster, (make, _) in CLUSTERS.items():
        for name, rows in make(now).items():
            history.setdefault(name, []).extend(({**labels, "cluster": cluster}, found) for labels, found in rows)
    with running_prometheus(prometheus_programs, tmp_path_factory.mktemp("prometheus"), history) as found:
        yield found


@pytest.fixture
def source(server, now):
    with ExitStack() as stack:

        def of(cluster):
            settings = PrometheusSettings(Endpoint(server.url, attempts=1), match=f'cluster="{cluster}"')
            made = PrometheusSource(settings, now)
            stack.callback(made.close)
            return made

        yield of


def own(now, id_="i-idle", host=NODE):
    return machine(now, id_, private_dns_name=host)


def said(source, now, *machines):
    """Return the machines as measured, and what is said of the first."""
    found = SourcesTelemetry(CATALOG.kinds, [source]).attach(list(machines), NEEDED, "us-east-1")
    return found, judge(POLICY, found[0], context(now))


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_who_holds_it(source, now, cluster):
    """What somebody holds is reported and never acted on; who holds it once nobody tells any more is unknown."""
    expected = SAME.get(cluster, CLUSTERS[cluster][1])
    _, judgement = said(source(cluster), now, own(now))
    assert judgement.summary.endswith(expected)
    if expected.endswith("not known"):
        assert isinstance(judgement.violated, Unknown)
    else:
        assert (judgement.violated, judgement.actionable) == (True, expected == ACTS)


def test_what_is_known_of_it(source, now):
    """The holder is a series for itself, over the whole window, beside that of the origin; evidence names it."""
    (found,), judgement = said(source("pod that has just ended"), now, own(now))
    by_device = {series.device: series for series in found.metrics["jobs.running"]}
    assert set(by_device) == {"Kubernetes", "pod ml/train-0"}
    assert set(by_device["Kubernetes"].values[:24]) == {0.0}
    known = [value for value in by_device["pod ml/train-0"].values if value is not None]
    assert (known[0], known[-1]) == (1.0, 0.0)
    assert [e.path for e in judgement.evidence if e.path.startswith("jobs")] == [
        "jobs.running[Kubernetes]",
        "jobs.running[pod ml/train-0]",
    ]


def test_the_name_of_two_machines(source, now):
    """A node that may be either of two is nobody's; what their GPUs do is known by their instance ids."""
    unnamed = "idle in Slurm"
    (one, two), judgement = said(source(unnamed), now, own(now), own(now, "i-2"))
    assert {"metrics.jobs", "metrics.cordon"} <= one.gaps.keys() & two.gaps.keys()
    assert "stands for several machines" in one.gaps["metrics.jobs"].detail
    assert len(one.metrics["gpu.utilization"]) == 2
    assert isinstance(judgement.violated, Unknown)


def test_many_jobs(now):
    """Three holders are named, and how many more there are."""
    metric = CATALOG.kinds["aws.ec2.instance"].metric_by_name["jobs.running"]
    frame = frame_of(WINDOW, 300, now)
    found = held_series(metric, "agent", {f"Slurm job {n}": {n: 1.0} for n in range(1, 6)}, frame, "")
    assert [(one.device, one.values[:7]) for one in found] == [
        ("agent", (None, 0, 0, 0, 0, 0, None)),
        ("Slurm job 1", (None, 1, 0, 0, 0, 0, None)),
        ("Slurm job 2", (None, 0, 1, 0, 0, 0, None)),
        ("Slurm job 3", (None, 0, 0, 1, 0, 0, None)),
        ("2 more", (None, 0, 0, 0, 1, 1, None)),
    ]


@pytest.mark.parametrize("path", ["series", "query_range"])
def test_answers_that_are_none(scripted, now, path):
    """Where the server does not answer about owners, they are not known, whatever else it says."""
    scripted.answers = {
        "query": lambda fields: (
            {"resultType": "scalar", "result": [0, str(now.timestamp())]}
            if fields["query"] == ["time()"]
            else {"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}]}
        ),
        "series": lambda fields: (
            [{"__name__": "bursar_sessions_active", "instance_id": "i-idle"}]
            if "sessions" in fields["match[]"][0]
            else []
        ),
        "query_range": {"resultType": "matrix", "result": []},
    }
    scripted.answers[path] = Raw(422, {"status": "error", "error": "too many samples"})
    settings = PrometheusSettings(Endpoint(scripted.url, attempts=1))
    one = PrometheusSource(settings, now, clock=now.timestamp)
    (found,), _ = said(one, now, own(now))
    one.close()
    assert "too many samples" in found.gaps["metrics.sessions"].detail
