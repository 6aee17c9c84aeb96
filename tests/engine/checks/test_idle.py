"""When a machine is idle, and above all when it is not known to be."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.findings import Confidence
from engine.model import Resource
from engine.values import Reason, Unknown
from tests.engine.checks.idling import BOTH, CPU, USE_ALONE, changed, machine, power, reasons, use
from tests.engine.estates import (
    DENIED,
    ENDPOINT,
    NOW,
    VOLUME,
    gpu,
    instance,
    judge,
    series,
    watts,
    with_metrics,
    without,
)

# --- the whole judgement


def test_idle_with_summary_and_evidence():
    """An idle machine is a violation; the evidence says what was read, how much of it, where and when."""
    found = judge(BOTH, instance())

    assert found.violated is True
    assert found.actionable is True
    assert found.confidence is Confidence.HIGH
    assert found.classification == "no_process"
    assert found.summary == "no work for 4h, nothing loaded"
    use, power, memory, cpu = found.evidence
    assert (use.path, use.value, use.unit, use.expected) == ("gpu.utilization", 0.0, "percent", "below 5%")
    assert use.source == "cloudwatch test, 240 of 240 samples, 12:00-16:00 UTC"
    # 58.2 W are 10.46% below the 65 W that an A10G draws at rest at most.
    assert (power.path, power.value, power.expected) == ("gpu.power_over_idle", -10.46, "below 15%")
    assert power.source == ("cloudwatch test; at rest up to 65 W, peak 58.2 W, 240 of 240 samples, 12:00-16:00 UTC")
    assert (memory.path, memory.value) == ("gpu.memory_used", 1.0)
    assert (cpu.path, cpu.value, cpu.expected) == ("cpu.utilization", 1.0, "below 20%")


def test_samples_of_several_devices_are_added_up():
    """Where all devices agree there is one line for a metric: its highest device and the samples of all."""
    found = judge(BOTH, machine(gpu("0"), gpu("1", use=3.0), gpu("2")))

    assert found.summary == "no work for 4h, nothing loaded, all 3 devices"
    use = found.evidence[0]
    assert (use.path, use.value) == ("gpu.utilization", 3.0)
    assert use.source == "highest of 3 of 3 devices, cloudwatch test, 720 of 720 samples, 12:00-16:00 UTC"


@pytest.mark.parametrize(
    ("memory", "classification", "summary"),
    [
        (1.0, "no_process", "no work for 4h, nothing loaded"),
        (9.9, "no_process", "no work for 4h, nothing loaded"),
        (10.0, "context_held", "no work for 4h, memory held"),
        (97.0, "context_held", "no work for 4h, memory held"),
    ],
)
def test_class_by_memory(memory, classification, summary):
    """Memory tells a forgotten process from an empty machine, and never whether it is idle."""
    found = judge(BOTH, machine(gpu(memory=memory)))
    assert (found.violated, found.classification, found.summary) == (True, classification, summary)


def test_class_without_memory():
    """Where memory is not known the machine is as idle, and its class says less."""
    found = judge(BOTH, without(instance(), "gpu.memory_used"))
    assert (found.violated, found.classification, found.summary) == (True, "idle", "no work for 4h")


@pytest.mark.parametrize(
    ("classes", "memory", "violated"),
    [
        ("[no_process]", 1.0, True),
        ("[no_process]", 50.0, False),
        ("[context_held]", 50.0, True),
        ("[no_process, context_held]", None, True),
        ("[no_process]", None, None),
        ("[stuck]", None, False),
    ],
)
def test_classes_that_are_asked_for(classes, memory, violated):
    """Only the classes that the policy names are violations; a class that is not known is unknown."""
    resource = machine(gpu(memory=memory or 0.0))
    resource = resource if memory is not None else without(resource, "gpu.memory_used")
    found = judge(BOTH.replace("}}", f"}}, classes: {classes}}}"), resource)
    assert (None if isinstance(found.violated, Unknown) else found.violated) is violated


# --- states of devices


STATES = {
    "idle": gpu,
    "busy": lambda device: gpu(device, use=97.0, power=250.0),
    "stuck": lambda device: {
        **gpu(device, power=58.0),
        "gpu.utilization": series("gpu.utilization", [99.0, 100.0] * 120, device),
    },
    "disputed": lambda device: gpu(device, use=1.0, power=250.0),
    "silent": lambda device: {},
}


@pytest.mark.parametrize(
    ("states", "violated", "classification", "summary"),
    [
        ("idle", True, "no_process", "no work for 4h, nothing loaded"),
        ("idle idle", True, "no_process", "no work for 4h, nothing loaded, all 2 devices"),
        ("busy", False, "", "at work: 1 of 1 devices were used"),
        ("busy busy", False, "", "at work: 2 of 2 devices were used"),
        ("busy silent", False, "", "at work: 1 of 2 devices were used"),
        ("busy disputed", False, "", "at work: 2 of 2 devices were used"),
        ("busy idle", True, "partly_idle", "1 of 2 devices did no work for 4h, 1 did"),
        ("busy idle silent", True, "partly_idle", "1 of 3 devices did no work for 4h, 1 did"),
        ("idle disputed", True, "partly_idle", "1 of 2 devices did no work for 4h, 1 did"),
        ("stuck", True, "stuck", "1 of 1 devices report full use at resting power for 4h"),
        ("stuck idle busy", True, "stuck", "1 of 3 devices report full use at resting power for 4h"),
        ("silent", None, "", "its use cannot be judged"),
        ("silent silent", None, "", "none of its devices can be judged"),
        ("idle silent", None, "", "1 of 2 devices cannot be judged"),
        ("disputed", None, "", "its use cannot be judged"),
        ("disputed disputed", None, "", "none of its devices can be judged"),
        ("disputed silent", None, "", "none of its devices can be judged"),
    ],
)
def test_states_of_devices(states, violated, classification, summary):
    """A machine is idle when every device it should have is; busy wins over unknown, unknown over idle."""
    devices = [STATES[state](str(number)) for number, state in enumerate(states.split())]
    found = judge(BOTH, machine(*devices))

    assert (None if isinstance(found.violated, Unknown) else found.violated) is violated
    assert (found.classification, found.summary) == (classification, summary)
    if violated is True:
        assert found.actionable is (classification == "no_process")


def test_a_dispute_says_what_disagrees():
    """Use at rest beside power at work is unknown, with both numbers."""
    (unknown,) = judge(BOTH, machine(gpu(use=2.0, power=250.0))).unknowns
    assert unknown.reason is Reason.SOURCE_ERROR
    # 250.2 W are 285% above 65 W.
    assert unknown.detail == "utilisation says idle (peak 2%), power says busy (285% over rest)"


def test_a_busy_device_is_busy_whatever_else_is_missing():
    """One busy signal is enough; no other is needed to say that a machine works."""
    found = judge(BOTH, without(machine(gpu(use=60.0, power=250.0)), "gpu.power", "gpu.memory_used"))
    assert found.violated is False


def test_devices_of_different_names_do_not_make_a_whole():
    """Use by index and power by UUID cannot be joined, so nothing is known of any device."""
    resource = with_metrics(instance(), gpu__power=(series("gpu.power", watts(58.0), "GPU-5f2c"),))
    assert reasons(judge(BOTH, resource)) == {"not_collected"}


def test_more_series_than_devices():
    """A device that should not be there counts as long as it sends: here it works."""
    resource = replace(machine(gpu("0"), gpu("1", use=90.0, power=240.0)), fields=instance().fields)
    found = judge(BOTH, resource)
    assert (found.classification, found.actionable) == ("partly_idle", False)


def test_two_series_of_one_device():
    """Which of two series of a device is right is not known."""
    resource = with_metrics(instance(), gpu__utilization=(gpu()["gpu.utilization"], gpu(use=90.0)["gpu.utilization"]))
    assert reasons(judge(BOTH, resource)) == {"source_error"}


# --- what is enough to act on


def test_one_signal_is_never_acted_on():
    """One signal alone is a violation of low confidence and never leads to a step."""
    found = judge(USE_ALONE, instance())
    assert (found.violated, found.actionable, found.confidence) == (True, False, Confidence.LOW)
    assert found.summary == "no work for 4h, nothing loaded; only the compute signal says so"


def test_two_metrics_of_one_signal_are_one():
    """Power in watts and power over rest are the same sensor."""
    found = judge(BOTH.replace("gpu.utilization: 5%", "gpu.power: 70W"), instance())
    assert (found.violated, found.actionable) == (True, False)


def test_cpu_never_proves_a_gpu_idle():
    """CPU and network at rest say nothing of an accelerator."""
    found = judge(CPU, instance())
    assert reasons(found) == {"not_collected"}
    assert found.summary == "its accelerators are not looked at"


def quiet_network(resource: Resource) -> Resource:
    return with_metrics(resource, network__in=(series("network.in", [10.0] * 48, "", step=300, interval=300),))


def test_cpu_and_network_prove_a_cpu_machine_idle():
    """Where there is no accelerator they are two signals."""
    resource = quiet_network(instance(devices=0, fields={"accelerator.model": Unknown(Reason.MISSING)}))
    found = judge(CPU, resource)
    assert (found.violated, found.actionable, found.classification) == (True, True, "idle")


def test_counted_things_are_added_up():
    """Bytes are compared as a total: 48 times 300 KiB are more than 10 MiB."""
    resource = with_metrics(
        quiet_network(instance(devices=0)),
        network__in=(series("network.in", [300.0 * 1024] * 48, "", step=300, interval=300),),
    )
    assert judge(CPU, resource).violated is False


@pytest.mark.parametrize("count", [-1, float("nan"), True, "8", Decimal("NaN"), DENIED], ids=str)
def test_a_count_that_is_none(count):
    """CPU proves nothing where it is not known whether there are accelerators."""
    resource = quiet_network(instance(devices=0, fields={"accelerator.count": count}))
    assert isinstance(judge(CPU, resource).violated, Unknown)


def test_gpu_signals_of_a_machine_without_one():
    """It complies with a policy about GPUs."""
    found = judge(BOTH, instance(devices=0))
    assert (found.violated, found.summary) == (False, "it has no accelerator")


@pytest.mark.parametrize("count", [Decimal(1), 1.0, 0.125])
def test_numbers_of_all_sorts_count(count):
    """An eighth of a GPU is one device to the operating system."""
    assert judge(BOTH, instance(fields={"accelerator.count": count, "accelerator.devices": count})).violated is True


# --- gates


def test_not_running():
    """What does not run is not idle, whatever its telemetry says."""
    found = judge(BOTH, instance(fields={"running": False}))
    assert (found.violated, found.summary) == (False, "not running")


@pytest.mark.parametrize("running", [DENIED, "yes", 1, Unknown(Reason.NULL)], ids=str)
def test_not_known_whether_it_runs(running):
    """Anything but true and false is unknown."""
    assert isinstance(judge(BOTH, instance(fields={"running": running})).violated, Unknown)


@pytest.mark.parametrize(
    ("launched", "reason"),
    [
        (NOW - timedelta(hours=3, minutes=59), Reason.TOO_NEW),
        (NOW + timedelta(minutes=1), Reason.FUTURE_TIMESTAMP),
        (Unknown(Reason.NULL), Reason.NULL),
        ("2026-03-01", Reason.WRONG_TYPE),
        (NOW.replace(tzinfo=None), Reason.WRONG_TYPE),
    ],
    ids=str,
)
def test_up_for_less_than_the_window(launched, reason):
    """A machine is judged only once it has been up for a whole window, by its last start."""
    found = judge(BOTH, instance(fields={"launched": launched}))
    assert [(u.reason, u.path) for u in found.unknowns] == [(reason, "resource.launched")]


def test_up_for_exactly_the_window():
    """The window itself is enough."""
    assert judge(BOTH, instance(fields={"launched": NOW - timedelta(hours=4)})).violated is True


def test_not_collected_launch():
    """Without the launch time nothing is judged."""
    assert reasons(judge(BOTH, without(instance(), "launched"))) == {"missing"}


# --- telemetry that lies


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (without(instance(), "gpu.power"), "not_collected"),
        (without(instance(), "gpu.utilization"), "not_collected"),
        (without(instance(), "accelerator.model"), "missing"),
        (instance(fields={"accelerator.model": "RTX 9000"}), "not_collected"),
        (instance(fields={"accelerator.model": DENIED}), "denied"),
        (instance(fields={"accelerator.devices": DENIED}), "denied"),
        (instance(fields={"accelerator.devices": "1"}), "wrong_type"),
        (instance(fields={"accelerator.devices": float("nan")}), "wrong_type"),
        (changed(**use([0.0] * 229 + [None] * 11)), "stale"),
        (changed(**use([float("nan")] * 240)), "insufficient_samples"),
        (changed(**use([float("inf")] * 240)), "insufficient_samples"),
        (changed(**use([-1.0] * 240)), "insufficient_samples"),
        (changed(**use([None] * 25 + [0.0] * 215)), "insufficient_samples"),
        (changed(**use([0.0] * 260, end=NOW + timedelta(minutes=20))), "future_timestamp"),
        (changed(**power([58.37] * 240)), "stale"),
        (changed(**power(watts(58.0, 219) + [58.37] * 21)), "stale"),
        (changed(**power([0.0] * 240)), "insufficient_samples"),
        (changed(**use([3.0] * 240)), "stale"),
        (changed(gpu__utilization=()), "not_collected"),
    ],
    ids=[
        "no power", "no use", "no model", "unheard model", "denied model", "denied devices", "devices as text",
        "devices NaN", "stale", "NaN", "infinite", "negative", "89% coverage", "future", "frozen power",
        "power frozen for twenty minutes", "no power drawn at all", "frozen use", "empty",
    ],
)  # fmt: skip
def test_telemetry_that_proves_nothing(resource, reason):
    """What is missing, old, broken or dated after now is unknown, with the reason."""
    assert reasons(judge(BOTH, resource)) == {reason}


@pytest.mark.parametrize("signal", ["compute", "power"])
def test_denied_telemetry(signal):
    """A refused call is the reason, not the absence that it leaves behind."""
    metric = {"compute": "gpu.utilization", "power": "gpu.power"}[signal]
    resource = replace(without(instance(), metric), gaps={f"metrics.{signal}": DENIED})
    assert reasons(judge(BOTH, resource)) == {"denied"}


@pytest.mark.parametrize(
    "resource",
    [
        changed(**power([58.0] * 240)),
        changed(**use([0.0] * 245, end=NOW + timedelta(minutes=5))),
        changed(**use([0.0] * 230 + [None] * 10)),
    ],
    ids=["whole watts", "sent while the estate was read", "the newest ten minutes not delivered yet"],
)
def test_telemetry_that_is_good_enough(resource):
    """Power in whole watts may repeat, and sources may deliver late."""
    found = judge(BOTH, resource)
    assert (found.violated, found.actionable) == (True, True)


def test_one_busy_minute():
    """One minute of work in four hours is work."""
    assert judge(BOTH, changed(**use([0.0] * 120 + [5.0] + [0.0] * 119))).violated is not True


def test_coverage_of_the_policy():
    """A policy may ask for more than the usual nine tenths."""
    asked = BOTH.replace("}}", "}, coverage: 100%}")
    assert judge(asked, instance()).violated is True
    assert reasons(judge(asked, changed(**use([None] + [0.0] * 239)))) == {"insufficient_samples"}


def test_several_series_of_the_whole_machine():
    """Where one was expected of the whole machine, each of several has to be quiet."""
    cpu = [series("cpu.utilization", [v] * 48, name, step=300, interval=300) for v, name in ((1.0, ""), (90.0, "b"))]
    for order in (cpu, cpu[::-1]):
        resource = with_metrics(quiet_network(instance(devices=0)), cpu__utilization=tuple(order))
        assert judge(CPU, resource).violated is False


# --- endpoints: events


SERVED = "resource: aws.sagemaker.endpoint\n    idle: {for: 4h, below: {requests: 1, gpu.utilization: 5%}}\n"


def endpoint(requests=None, *, variants=("blue",), **changes) -> Resource:
    """Return an endpoint whose variants send hardware metrics; `requests` are values of the first variant."""
    metrics = {"gpu.utilization": tuple(series("gpu.utilization", [0.0] * 240, name) for name in variants)}
    if requests is not None:
        metrics["requests"] = (series("requests", requests, variants[0]),)
    fields = {
        "running": True,
        "created": NOW - timedelta(days=9),
        "variants": len(variants),
        "accelerator.count": len(variants),
        **changes.pop("fields", {}),
    }
    return replace(Resource(ENDPOINT, "arn:x:endpoint/e", "1", "us-east-1", "e", fields, metrics=metrics), **changes)


HALF = {"gpu.utilization": (series("gpu.utilization", [0.0] * 100, "blue"),)}


def test_silence_of_events_beside_a_witness():
    """Requests are sent only when there are some; beside live hardware metrics silence is zero."""
    found = judge(SERVED, endpoint())
    assert (found.violated, found.actionable, found.classification) == (True, True, "serving_no_traffic")
    assert found.summary == "no requests for 4h"
    assert found.evidence[0].value == 0.0
    assert found.evidence[0].source == (
        "requests is sent only on events; alive by cloudwatch test, 240 of 240 samples, 12:00-16:00 UTC"
    )


def test_every_variant_needs_its_witness():
    """Two variants, both silent and both alive; then one of them is not seen."""
    both = endpoint(variants=("blue", "green"))
    assert judge(SERVED, both).violated is True
    one = with_metrics(both, gpu__utilization=both.metrics["gpu.utilization"][:1])
    assert isinstance(judge(SERVED, one).violated, Unknown)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (without(endpoint(), "gpu.utilization"), "not_collected"),
        (without(endpoint([None] * 239 + [0.0]), "gpu.utilization"), "insufficient_samples"),
        (endpoint(gaps={"metrics.requests": DENIED}), "denied"),
        (endpoint([None] * 200 + [float("nan")] + [None] * 39), "nan"),
        (endpoint(fields={"variants": DENIED}), "denied"),
    ],
    ids=["no witness", "no witness, few samples", "requests denied", "an event without a value", "variants denied"],
)
def test_silence_that_is_not_zero(resource, reason):
    """Without a live witness, or beside a refused call, silence of events means nothing."""
    found = judge(SERVED, resource)
    assert isinstance(found.violated, Unknown)
    assert reason in {unknown.reason.value for unknown in found.unknowns}


@pytest.mark.parametrize("at", [0, 120, 239])
def test_one_request_is_traffic(at):
    """A single request in the window, at its very beginning or end, and the endpoint is used."""
    values = [None] * 240
    values[at] = 1.0
    assert judge(SERVED, endpoint(values)).violated is False


def test_a_frozen_witness_shows_nothing():
    """The only other metric repeats itself, so it does not show that anything is alive."""
    resource = with_metrics(endpoint(), gpu__utilization=(series("gpu.utilization", [3.0] * 240, "blue"),))
    assert isinstance(judge(SERVED, resource).violated, Unknown)


@pytest.mark.parametrize(
    ("changes", "reason", "why"),
    [
        ({"metrics": HALF}, "insufficient_samples", "100 of 240"),
        ({"metrics": {}, "gaps": {"metrics.cpu": DENIED}}, "denied", DENIED.detail),
    ],
    ids=["half of the time", "denied"],
)
def test_why_silence_is_not_zero(changes, reason, why):
    """It is told what the metric that would have shown it lacks."""
    found = judge("resource: aws.sagemaker.endpoint\n    idle: {for: 4h, below: {requests: 1}}\n", endpoint(**changes))
    (unknown,) = found.unknowns
    assert unknown.reason.value == reason
    assert unknown.detail.startswith("no requests came, and whether any would have is not known: ")
    assert why in unknown.detail


def test_requests_before_the_window():
    """What was asked before the window does not count."""
    values = [7.0] * 100 + [None] * 240
    assert judge(SERVED, endpoint(values)).violated is True


# --- volumes: operations


OPERATIONS = "resource: aws.ebs.volume\n    idle: {for: 1d, below: {volume.read_ops: 1, volume.write_ops: 1}}\n"


def volume(reads: float = 0.0, writes: float = 0.0, **changes) -> Resource:
    metrics = {
        name: (series(name, [value] * 288, "", step=300, interval=300),)
        for name, value in (("volume.read_ops", reads), ("volume.write_ops", writes))
    }
    fields = {"created": NOW - timedelta(days=9), "attached": True}
    return replace(Resource(VOLUME, "vol-1", "1", "us-east-1", fields=fields, metrics=metrics), **changes)


def test_a_volume_without_operations():
    """Reads and writes are one signal: reported, never acted on."""
    found = judge(OPERATIONS, volume())
    assert (found.violated, found.actionable, found.classification) == (True, False, "idle")
    assert found.summary == "no work for 1d; only the io signal says so"


@pytest.mark.parametrize(("reads", "writes"), [(1.0, 0.0), (0.0, 0.5)])
def test_a_volume_with_operations(reads, writes):
    """Either of them is use; half an operation in every bucket adds up."""
    assert judge(OPERATIONS, volume(reads, writes)).violated is False


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"created": NOW - timedelta(hours=23)}, "too_new"), ({}, "missing"), ({"created": DENIED}, "denied")],
)
def test_the_age_of_what_is_never_started(fields, reason):
    """A kind without starts is judged by its creation."""
    assert reasons(judge(OPERATIONS, volume(fields=fields))) == {reason}
