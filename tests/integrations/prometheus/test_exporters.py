"""What exporters and scrape configurations do to names, labels and numbers, through a real Prometheus server."""

import math
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from integrations.prometheus.client import Endpoint
from integrations.prometheus.source import PrometheusSettings, PrometheusSource
from tests.gpu_fleet import rest
from tests.prometheus_server import running_prometheus
from tests.telemetry_judging import judged, machine, measured, outcome

COUNT = 140
HISTORY: dict[str, list] = {}
NOW = datetime.now(UTC).replace(microsecond=0)
UTIL, POWER, ENERGY = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
ENGINE = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
INT32, INT64, FP64 = 2_147_483_644, 9_223_372_036_854_775_794, 140_737_488_355_328.0


def put(name, value, **labels):
    """Plant a series: a number, or what it is at the n-th of 140 minutes."""
    at = [NOW.timestamp() - 20 - 60 * (COUNT - 1 - n) for n in range(COUNT)]
    numbers = [(t, value(n) if callable(value) else value) for n, t in enumerate(at)]
    HISTORY.setdefault(name, []).append((labels, [(t, v) for t, v in numbers if v is not None]))


def whose(case):
    return {"instance_id": f"i-{case}", "Hostname": f"host-{case}", "case": case}


def one(case):
    return {"gpu": "0", "UUID": f"GPU-{case}-0", **whose(case)}


def plain(case, use=0.0, power=rest, **labels):
    """Plant one GPU that is named as the exporter names it."""
    named = {**one(case), **labels}
    put(UTIL, use, **named)
    put(POWER, power, **named)


# Each case is a machine `i-CASE` with one GPU, unless the table below says otherwise.
put("up", 1, job="dcgm")
for _case, _label in (("upper", "Hostname"), ("lower", "hostname"), ("renamed", "exported_Hostname"), ("node", "node")):
    _named = {"gpu": "0", "UUID": f"GPU-{_case}", _label: f"ip-10-0-9-{len(_case)}.ec2.internal", "case": _case}
    put(UTIL, 0.0, **_named)
    put(POWER, rest, **_named)
put(UTIL, 0.0, gpu="0", uuid="GPU-lower-uuid", **whose("lower-uuid"))
put(POWER, rest, gpu="0", uuid="GPU-lower-uuid", **whose("lower-uuid"))
plain("exported-wins", exported_instance_id="i-exported-owner")

put(ENGINE, lambda n: 0.004 if n % 2 else 0.002, **one("ratio"))
put(POWER, rest, **one("ratio"))
put(ENGINE, lambda n: 0.97 if n == 100 else 0.0, **one("ratio-busy"))
put(POWER, rest, **one("ratio-busy"))
put(ENGINE, lambda n: 97.0 if n == 100 else 0.0, **one("ratio-as-percent"))
put(POWER, rest, **one("ratio-as-percent"))
plain("percent-as-ratio", use=lambda n: 0.97 if n == 100 else 0.0)
plain("milliwatts", power=lambda n: rest(n) * 1000)

plain("blank-use", use=lambda n: INT32 if n > 60 else 0.0)
plain("blank-use-64", use=lambda n: INT64 if n % 2 else 0.0)
plain("blank-power", power=lambda n: FP64)
plain("nan-power", power=lambda n: math.nan)

for _instance in ("1", "2", "5"):
    _mig = {"gpu": "0", "GPU_I_ID": _instance, "GPU_I_PROFILE": "1g.10gb"}
    for _case in ("mig-idle", "mig-busy", "mig-silent", "mig-half", "mig-moment"):
        _named = {"UUID": f"GPU-{_case}-0", **_mig, **whose(_case)}
        put("DCGM_FI_DEV_FB_USED", 10.0, **_named)
        put("DCGM_FI_DEV_FB_FREE", 9990.0, **_named)
        put(POWER, rest, **_named)
        works = _case == "mig-busy" and _instance == "5"
        if not (_case == "mig-silent" and _instance == "2"):
            gone = {"mig-half": range(70), "mig-moment": range(80, 83)}.get(_case, ()) if _instance == "2" else ()
            put(ENGINE, lambda n, w=works, g=gone: None if n in g else 0.8 if w and n == 90 else 0.0, **_named)
for _case in ("cut-idle", "cut-busy", "cut-silent", "cut-ampere"):
    put("bursar_gpu_power_peak_watts", rest, **one(_case))
    put("bursar_gpu_fault", 0.0, **one(_case))
    for _instance in ("1", "5"):
        _named = {**one(_case), "GPU_I_ID": _instance, "mig_uuid": f"MIG-{_case}-{_instance}"}
        put("bursar_gpu_fault", 0.0, **_named)
        if _case == "cut-silent" and _instance == "5":
            continue
        put("bursar_gpu_memory_used_bytes", 5e9 if _instance == "1" else 0.0, **_named)
        put("bursar_gpu_memory_free_bytes", 5e9, **_named)
        if _case != "cut-ampere":
            works = _case == "cut-busy" and _instance == "5"
            put("bursar_gpu_utilization_peak_percent", lambda n, w=works: 80.0 * (w and n == 90), **_named)

for _job in ("a", "b"):
    plain("twice-scraped", job=_job)
put(UTIL, 0.0, **one("energy"))
put(ENERGY, lambda n: 4e12 + n * 60 * 69_000, **one("energy"))
put(UTIL, 0.0, **one("energy-reset"))
put(
    ENERGY,
    lambda n: (n if n < 90 else n - 90) * 60 * 69_000,
    gpu="0",
    UUID="GPU-energy-reset-0",
    **whose("energy-reset"),
)
put(ENERGY, lambda n: (n * 69_000 + min(max(n - 70, 0), 3) * 351_000) * 60, **one("energy-burst"))
put(UTIL, 0.0, **one("energy-busy"))
put(ENERGY, lambda n: n * 60 * 420_000, **one("energy-busy"))

for _case, _code in (
    ("xid-now", lambda n: 79 if n > 130 else 0),
    ("xid-old", 79),
    ("xid-program", lambda n: 31 * (n > 130)),
):
    plain(_case)
    put("DCGM_FI_DEV_XID_ERRORS", _code, **one(_case))
plain("faulted")
put("bursar_gpu_fault", lambda n: 1999.0 * (n > 137), **one("faulted"))
plain("reset")
put("bursar_gpu_fault", 1016.0, **one("reset"))
put(UTIL, lambda n: 97.0 * (n == 100), **one("xid-over"))
put(POWER, lambda n: 410.5 + n % 3, **one("xid-over"))
put("DCGM_FI_DEV_XID_ERRORS", 79, **one("xid-over"))
for _case, _series in (
    ("encoding", {"DCGM_FI_DEV_ENC_UTIL": 40.0, "DCGM_FI_DEV_DEC_UTIL": 0.0}),
    ("decoding", {"DCGM_FI_DEV_ENC_UTIL": 0.0, "DCGM_FI_DEV_DEC_UTIL": 33.0}),
    ("agent-encoding", {"bursar_gpu_encoder_percent": 51.0}),
):
    plain(_case)
    for _name, _value in _series.items():
        put(_name, _value, **one(_case))

plain("slurm", hpc_job="4711")
plain("pod", pod="trainer-0", namespace="ml")
plain("unallocated", pod="", namespace="", container="")
plain("two-jobs", pod="old", namespace="ml")
put(UTIL, lambda n: 88.0 if n == 100 else 0.0, **one("two-jobs"), pod="new")

for _node, _provider in (
    ("gpu-node-1", "aws:///us-east-1a/i-by-node"),
    ("twin", "aws:///a/i-x"),
    ("twin", "aws:///a/i-y"),
):
    put("kube_node_info", 1, node=_node, provider_id=_provider)
_named = {"gpu": "0", "UUID": "GPU-by-node-0", "Hostname": "gpu-node-1", "case": "by-node"}
put(UTIL, 0.0, **_named)
put(POWER, rest, **_named)
_named = {"gpu": "0", "UUID": "GPU-by-table-0", "case": "by-table"}
put(UTIL, 0.0, **_named)
put(POWER, rest, **_named)
for _n in range(10):
    _named = {
        "gpu": "0",
        "UUID": f"GPU-lost-{_n}",
        "case": "lost",
        **({"instance_id": f"i-lost-{_n}"} if _n < 7 else {}),
    }
    put(UTIL, 0.0, **_named)
    put(POWER, rest, **_named)
_named = {"gpu": "0", "UUID": "GPU-own-label", "asset": "i-own-label", "case": "own-label"}
put(UTIL, 0.0, **_named)
put(POWER, rest, **_named)


@pytest.fixture(scope="module")
def server(prometheus_programs, tmp_path_factory):
    """A server with all cases."""
    with running_prometheus(prometheus_programs, tmp_path_factory.mktemp("prometheus"), HISTORY) as found:
        yield found


@pytest.fixture
def source(server):
    """Return a function that gives a source of the series of one case."""
    with ExitStack() as stack:

        def of(case, **settings):
            made = PrometheusSource(
                PrometheusSettings(Endpoint(server.url, attempts=1), match=f'case="{case}"', **settings), NOW
            )
            stack.callback(made.close)
            return made

        yield of


def alone(source, case, devices=1, **fields):
    """Return the judgement about the machine of a case."""
    return judged([source(case)], NOW, machine(NOW, f"i-{case}", devices, **fields))


@pytest.mark.parametrize("case", ["upper", "lower", "renamed", "node"])
def test_host_labels_of_every_spelling(source, case):
    """`Hostname`, `hostname`, `exported_Hostname` and `node` all name the machine, by its private DNS name."""
    dns = f"ip-10-0-9-{len(case)}.ec2.internal"
    assert outcome(alone(source, case, private_dns_name=dns)) is True


def test_uuid_in_small_letters(source):
    """`uuid` is the same as `UUID`."""
    assert outcome(alone(source, "lower-uuid")) is True


def test_the_exporters_own_label_wins(source):
    """A label renamed to `exported_…` is the exporter's own; the target's of the same name is not about the GPU."""
    owner = machine(NOW, "i-exported-owner", 1)
    other = machine(NOW, "i-exported-wins", 1)
    first, second = measured([source("exported-wins")], NOW, owner, other)
    assert len(first.metrics["gpu.utilization"]) == 1
    assert "gpu.utilization" not in second.metrics


def test_profiling_ratios_are_percent_afterwards(source):
    """`GR_ENGINE_ACTIVE` goes from 0 to 1; 0.004 is 0.4% and idle, 0.97 once is 97% and work."""
    (found,) = measured([source("ratio")], NOW, machine(NOW, "i-ratio", 1))
    (series,) = found.metrics["gpu.utilization"]
    assert max(value for value in series.values if value is not None) == pytest.approx(0.4)
    assert outcome(alone(source, "ratio")) is True
    assert outcome(alone(source, "ratio-busy")) is False


@pytest.mark.parametrize("case", ["ratio-as-percent", "percent-as-ratio", "milliwatts"])
def test_wrong_units_are_never_idle(source, case):
    """A ratio sent as percent, percent sent as a ratio, and milliwatts are told, not believed."""
    found = alone(source, case)
    assert "source_error" in outcome(found)
    assert any(word in str(found.unknowns) for word in ("unit is another one", "looks like a ratio"))


@pytest.mark.parametrize("case", ["blank-use", "blank-use-64", "blank-power", "nan-power"])
def test_blanks_of_dcgm_are_no_samples(source, case):
    """The numbers by which DCGM says that it has none are not values, and not zeros."""
    assert outcome(alone(source, case)) & {"insufficient_samples", "stale", "not_collected"}


def test_mig_instances_are_one_device(source):
    """A GPU cut into instances is idle when all of them are, and works when one of them does."""
    assert outcome(alone(source, "mig-idle")) is True
    assert outcome(alone(source, "mig-busy")) is False
    assert len(measured([source("mig-idle")], NOW, machine(NOW, "i-mig-idle", 1))[0].metrics["gpu.utilization"]) == 1


@pytest.mark.parametrize("case", ["mig-silent", "mig-half", "mig-moment"])
def test_a_silent_mig_instance_leaves_the_gpu_unknown(source, case):
    """Two idle instances say nothing of the third, not even of three minutes of it."""
    assert outcome(alone(source, case)) & {"insufficient_samples"}


def test_mig_instances_of_the_agent_are_one_device(source):
    """What the agent says of instances is joined as what the DCGM exporter says of them."""
    assert outcome(alone(source, "cut-idle")) is True
    assert outcome(alone(source, "cut-busy")) is False
    found = measured([source("cut-idle")], NOW, machine(NOW, "i-cut-idle", 1))[0].metrics
    assert {name: [series.device for series in all_series] for name, all_series in found.items()} == {
        name: ["0"] for name in ("gpu.utilization", "gpu.power", "gpu.memory_used", "gpu.fault")
    }
    assert [max(filter(None, series.values)) for series in found["gpu.memory_used"]] == [50]


@pytest.mark.parametrize("case", ["cut-silent", "cut-ampere"])
def test_an_instance_of_which_the_agent_knows_nothing(source, case):
    """An instance that sends nothing of itself is known to be there; without GPM no instance has a use."""
    assert outcome(alone(source, case)) & {"insufficient_samples", "not_collected"}


def test_scraped_twice_is_one_gpu(source):
    """The same exporter under two jobs is one device."""
    (found,) = measured([source("twice-scraped")], NOW, machine(NOW, "i-twice-scraped", 1))
    assert [series.device for series in found.metrics["gpu.utilization"]] == ["0"]
    assert outcome(alone(source, "twice-scraped")) is True


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("xid-now", "fallen off the bus (XID 79)"),
        ("xid-old", "fallen off the bus (XID 79)"),
        ("faulted", "the driver failed in an unknown way"),
        ("reset", "the GPU needs a reset"),
    ],
)
def test_a_gpu_that_broke_is_not_idle(source, case, told):
    """
    A GPU that is lost draws and does nothing: it is paid for and broken, which is told and never acted on.

    The gauge keeps the last error for ever: while nothing has worked since, it stands.
    """
    for found in (alone(source, case), judged([source(case, required=False)], NOW, machine(NOW, f"i-{case}", 1))):
        assert (found.violated, found.classification, found.actionable) == (True, "faulted", False)
        assert found.summary.startswith("device 0 is broken: ")
        assert told in found.summary


def test_a_gpu_that_works_again_is_not_broken(source):
    """An error from before the window, of a GPU that has worked since, is over."""
    found = alone(source, "xid-over")
    assert (found.violated, found.summary) == (False, "at work: 1 of 1 devices were used")


def test_errors_of_programs_are_no_fault(source):
    """A page fault is a program's: the GPU is as idle as before."""
    assert outcome(alone(source, "xid-program")) is True


@pytest.mark.parametrize("case", ["encoding", "decoding", "agent-encoding"])
def test_video_engines_count(source, case):
    """Encoding and decoding are work, whichever of the two and whatever else rests."""
    assert alone(source, case).violated is False


def test_the_energy_counter_stands_in_for_power(source):
    """Where nothing sends power, joules a second are watts; a counter that begins anew is neither work nor rest."""
    (found,) = measured([source("energy")], NOW, machine(NOW, "i-energy", 1))
    watts = [value for value in found.metrics["gpu.power"][0].values if value is not None]
    assert watts == pytest.approx([69.0] * len(watts))
    assert outcome(alone(source, "energy")) is True
    reset = alone(source, "energy-reset")
    assert outcome(reset) == {"insufficient_samples"}
    assert reset.unknowns[0].detail.startswith("1m of it unseen by prometheus DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
    assert outcome(alone(source, "energy-busy")) != True  # noqa: E712  (unknown is not equal to true either)


def test_a_burst_shows_in_long_buckets(source):
    """Over a month a bucket is half an hour: the highest rate in it counts, not its mean, which hides a burst."""
    from integrations.prometheus.exporters import DCGM
    from integrations.prometheus.queries import Selection, value_query
    from integrations.telemetry.frame import frame_of

    client, published = source("energy-burst")._client, DCGM.metrics["gpu.power"][1]
    frame = frame_of(timedelta(days=30), 60, NOW)
    query = value_query(published, Selection("", "UUID", ("GPU-energy-burst-0",), ("UUID",)), frame)
    rows = client.matrix(query, frame)
    assert frame.step == 1_800
    assert max(value * published.factor for _, points in rows for _, value in points) == pytest.approx(420, rel=0.05)


@pytest.mark.parametrize(
    ("case", "told"), [("slurm", "of Slurm job 4711"), ("pod", "of pod ml/trainer-0"), ("unallocated", "GPU_UTIL,")]
)
def test_who_works_on_it_is_evidence(source, case, told):
    """The Slurm job or pod of a GPU stands in the evidence; an unallocated GPU has none and is judged alike."""
    found = alone(source, case)
    assert outcome(found) is True
    assert told in found.evidence[0].source


def test_a_gpu_that_changed_its_pod_is_one_gpu(source):
    """The work of the next pod on a GPU counts for the GPU."""
    assert outcome(alone(source, "two-jobs")) is False


def test_a_node_is_the_machine_of_its_provider_id(source):
    """kube-state-metrics says which instance a node is."""
    assert outcome(alone(source, "by-node")) is True


def test_a_table_of_gpus(source):
    """A GPU that says nothing of its machine is found by its UUID, where a table names it."""
    by_table = source("by-table", gpus={"GPU-by-table-0": "i-by-table"})
    assert outcome(judged([by_table], NOW, machine(NOW, "i-by-table", 1))) is True
    assert "source_error" in outcome(alone(source, "by-table"))


def test_labels_of_ones_own(source):
    """A label that a scrape configuration adds can be named."""
    from integrations.prometheus.exporters import INSTANCES, Labels

    own = source("own-label", labels=Labels(instance=("asset", *INSTANCES)))
    assert outcome(judged([own], NOW, machine(NOW, "i-own-label", 1))) is True


def test_lost_labels_are_told_and_leave_the_rest_unknown(source):
    """With three of ten GPUs unlabelled, a machine that nothing was joined to is unknown, and the others are judged."""
    lossy = source("lost")
    assert outcome(judged([lossy], NOW, machine(NOW, "i-lost-1", 1))) is True
    found = judged([lossy], NOW, machine(NOW, "i-lost-8", 1))
    assert outcome(found) == {"source_error"}
    assert "3 of 10 GPUs" in found.unknowns[0].detail
    report = lossy.report()
    assert (report.status, report.resources) == ("partial", 1)
    assert "were labels renamed?" in report.detail


def test_below_the_floor_another_source_is_not_enough(source):
    """What CloudWatch says of a machine does not count while a required source may have lost that machine's labels."""
    lossy, complete = source("lost"), source("lost", gpus={f"GPU-lost-{n}": f"i-lost-{n}" for n in range(10)})
    assert outcome(judged([complete], NOW, machine(NOW, "i-lost-8", 1))) is True
    assert outcome(judged([complete, lossy], NOW, machine(NOW, "i-lost-8", 1))) == {"source_error"}
    optional = source("lost", required=False)
    assert outcome(judged([complete, optional], NOW, machine(NOW, "i-lost-8", 1))) is True


def test_a_host_name_of_two_machines_joins_neither(source):
    """Addresses repeat between networks: which of the machines was measured is not known."""
    dns = "ip-10-0-9-5.ec2.internal"
    both = [machine(NOW, name, 1, private_dns_name=dns) for name in ("i-a", "i-b")]
    for found in measured([source("upper")], NOW, *both):
        assert "gpu.utilization" not in found.metrics
        assert "stands for several machines" in found.gaps["metrics.compute"].detail


def test_a_host_name_is_not_given_twice_in_a_run(source):
    """Nor does the second machine get it when it comes in a later chunk."""
    dns, one = "ip-10-0-9-5.ec2.internal", source("upper")
    (first,) = measured([one], NOW, machine(NOW, "i-a", 1, private_dns_name=dns))
    (second,) = measured([one], NOW, machine(NOW, "i-b", 1, private_dns_name=dns))
    assert "gpu.utilization" in first.metrics
    assert "stands for several machines" in second.gaps["metrics.compute"].detail


def test_the_report_counts_both_sides(source):
    """At the end a source says how many machines it was joined to, and how many of its own are not in the estate."""
    one = source("lost", gpus={f"GPU-lost-{n}": f"i-lost-{n}" for n in range(10)})
    assert one.report() is None
    measured([one], NOW, *(machine(NOW, f"i-lost-{n}", 1) for n in range(4)))
    report = one.report()
    assert (report.status, report.resources, report.scope.kind) == ("complete", 4, "telemetry")
    assert "10 GPUs; 4 machines joined, 6 that sent something are not in the estate" in report.detail


def test_accounts_and_regions_bound_a_source(source):
    """A machine of another account is not measured by a server that is said to measure one account."""
    from integrations.telemetry.reach import Reach

    elsewhere = source("unallocated", reach=Reach(accounts=("999999999999",)))
    assert outcome(judged([elsewhere], NOW, machine(NOW, "i-unallocated", 1))) == {"not_collected"}
