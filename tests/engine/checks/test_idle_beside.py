"""What keeps something at rest from being idle, what is broken, and what a verdict rests on and costs."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.findings import Confidence
from engine.values import Unknown
from tests.engine.checks.idling import BOTH, USE_ALONE, changed, machine, power, processors, reasons, use
from tests.engine.estates import DENIED, NOW, gpu, instance, judge, series, together, watts, with_metrics, without

# --- time that nobody saw


@pytest.mark.parametrize(
    ("resource", "unseen"),
    [
        (changed(**use([None] * 24 + [0.0] * 216)), "24m"),
        (changed(**power([None if number % 12 == 0 else 58.1 + number % 2 for number in range(240)])), "20m"),
        (changed(**power([58.1, float("nan")] + [58.1, 58.2] * 119)), "1m"),
        (changed(cpu__utilization=processors([1.0] * 30 + [None] + [1.0] * 17)), "5m"),
        (changed(gpu__video=(series("gpu.video", [0.0] * 100 + [None] * 3 + [0.0] * 137),)), "3m"),
        (changed(gpu__fault=(series("gpu.fault", [0.0] * 100 + [None] * 2 + [0.0] * 138),)), "2m"),
    ],
    ids=["90% coverage", "one in twelve missing", "one NaN", "processors", "video", "faults"],
)
def test_time_that_nobody_saw(resource, unseen):
    """Where samples are missing, work could have been: it is not known to be idle, unless a policy allows as much."""
    found = judge(BOTH, resource)
    assert reasons(found) == {"insufficient_samples"}
    assert found.unknowns[0].detail.startswith(f"{unseen} of it unseen by ")
    assert found.basis.changes[0] == f"a window without a missing sample of {found.unknowns[0].path}"
    allowed = judge(BOTH.replace("}}", f"}}, unseen: {unseen}}}"), resource)
    assert (allowed.violated, allowed.actionable) == (True, True)
    assert reasons(judge(BOTH.replace("}}", f"}}, unseen: {less(unseen)}}}"), resource)) == {"insufficient_samples"}


def less(minutes: str) -> str:
    """Return a minute less."""
    return f"{int(minutes.removesuffix('m')) - 1}m"


def test_work_shows_between_samples_that_are_missing():
    """What is missing hides nothing that was seen."""
    assert judge(BOTH, changed(**use([0.0] * 100 + [None, 97.0, None] + [0.0] * 137))).violated is False


def test_a_hang_is_seen_whole():
    """A device is stuck only where its use never fell and its power never rose, in no sample that is missing."""
    full, rest = use([100.0] * 240)["gpu__utilization"], power([58.1, 58.3] * 120)["gpu__power"]
    assert judge(BOTH, changed(gpu__utilization=full, gpu__power=rest)).classification == "stuck"
    for lacking in (
        changed(**use([100.0] * 100 + [None] + [100.0] * 139), gpu__power=rest),
        changed(gpu__utilization=full, **power([58.1, 58.3] * 50 + [None] + [58.1] + [58.1, 58.3] * 69)),
    ):
        assert judge(BOTH, lacking).violated is False


def test_memory_counts_where_it_decides():
    """A missing sample of memory matters to a policy about one of the two classes that memory tells apart."""
    resource = changed(gpu__memory_used=(series("gpu.memory_used", [1.0] * 100 + [None] + [1.0] * 139),))
    assert judge(BOTH, resource).actionable is True
    assert judge(BOTH, resource).classification == "idle"
    assert reasons(judge(BOTH.replace("}}", "}, classes: [no_process]}"), resource)) == {"not_collected"}


# --- work beside the accelerators


def protecting(text: str) -> str:
    return BOTH.replace("}}", f"}}, protect_while: {text}}}")


@pytest.mark.parametrize(
    ("cpu", "classification", "actionable"),
    [
        ([1.0] * 48, "no_process", True),
        ([1.0] * 47 + [19.9], "no_process", True),
        ([20.0] + [1.0] * 47, "other_work", False),
    ],
)
def test_processors_at_work(cpu, classification, actionable):
    """A machine whose processors worked, be it for five minutes, is reported and left alone."""
    resource = changed(cpu__utilization=processors(cpu))
    found = judge(BOTH, resource)
    assert (found.violated, found.classification, found.actionable) == (True, classification, actionable)
    if not actionable:
        assert found.summary == "no work of its accelerators for 4h, but cpu.utilization reached 20%"
        assert judge(protecting("{}"), resource).actionable is True
        assert judge(BOTH.replace("}}", "}, classes: [no_process]}"), resource).violated is False


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (without(instance(), "cpu.utilization"), "not_collected"),
        (replace(without(instance(), "cpu.utilization"), gaps={"metrics.cpu": DENIED}), "denied"),
        (changed(cpu__utilization=processors([float("nan")] * 48)), "insufficient_samples"),
        (changed(cpu__utilization=processors([1.0] * 40 + [None] * 8)), "stale"),
    ],
    ids=["nothing sends it", "denied", "NaN", "stale"],
)
def test_processors_that_nobody_knows(resource, reason):
    """Where it is not known whether something else works, it is not known whether the machine is idle."""
    found = judge(BOTH, resource)
    assert reasons(found) == {reason}
    assert found.summary == "no work of its accelerators for 4h, but cpu.utilization is not known"
    assert judge(protecting("{}"), resource).actionable is True


def test_processors_that_the_policy_compares():
    """A policy that names them says itself what is work."""
    entry = BOTH.replace("15%}", "15%, cpu.utilization: 50%}")
    assert judge(entry, changed(cpu__utilization=processors([30.0] * 48))).actionable is True
    assert judge(entry, changed(cpu__utilization=processors([50.0] * 48))).violated is False


def test_a_window_shorter_than_three_samples_of_the_processors():
    """They are then looked at for as long as three samples take."""
    entry = BOTH.replace("4h", "10m")
    assert judge(entry, instance()).actionable is True
    busy_before = changed(cpu__utilization=processors([1.0] * 45 + [60.0, 1.0, 1.0]))
    assert judge(entry, busy_before).classification == "other_work"


# --- whose it is


def owners(name, values, *devices):
    return (*(series(name, values, device, step=300, interval=300) for device in devices or ("",)),)


JOB = {"jobs__running": owners("jobs.running", [1.0] * 48, "Slurm job 4711")}
TYPING = {"sessions__active": owners("sessions.active", [0.0] * 47 + [2.0])}
CORDONED = {"node__cordoned": owners("node.cordoned", [0.0] * 47 + [1.0])}
WORK = {"cpu__utilization": processors([20.0] * 48)}


@pytest.mark.parametrize(
    ("metrics", "classification", "told"),
    [
        (JOB, "held", "held by Slurm job 4711"),
        ({"jobs__running": owners("jobs.running", [1.0] * 48)}, "held", "held by a job"),
        (TYPING, "held", "somebody is logged in"),
        (JOB | TYPING, "held", "held by Slurm job 4711, somebody is logged in"),
        (JOB | WORK, "other_work", "but cpu.utilization reached 20%, held by Slurm job 4711"),
        (CORDONED, "cordoned", "its node is cordoned"),
        (CORDONED | WORK, "cordoned", "but cpu.utilization reached 20%, its node is cordoned"),
    ],
)
def test_whose_it_is(metrics, classification, told):
    """What somebody holds is reported with who that is, and left alone; what a policy leaves out protects nothing."""
    found = judge(BOTH, changed(**metrics))
    assert (found.violated, found.classification, found.actionable) == (True, classification, False)
    assert found.summary == f"no work of its accelerators for 4h, {told}"
    assert found.idleness is not None
    assert judge(protecting("{}"), changed(**metrics)).actionable is True
    assert judge(BOTH.replace("}}", "}, classes: [no_process]}"), changed(**metrics)).violated is False


def test_nobody_holds_it():
    """Origins that name nobody hold nothing, and neither does one that never had the machine."""
    quiet = {name: owners(name.replace("__", "."), [0.0] * 48, "a", "b") for name in JOB | TYPING | CORDONED}
    assert judge(BOTH, changed(**quiet)).actionable is True
    assert judge(BOTH, instance()).actionable is True


@pytest.mark.parametrize("name", ["sessions.active", "jobs.running", "node.cordoned"])
@pytest.mark.parametrize(
    "values", [[0.0] * 40 + [None] * 8, [None] * 48, [float("nan")] * 48], ids=["silent now", "silent", "no numbers"]
)
def test_an_origin_that_falls_silent(name, values):
    """Whom it would have named is not known: one origin does not cover for another."""
    live = series(name, [0.0] * 48, "agent", step=300, interval=300)
    resource = changed(**{name.replace(".", "__"): (live, *owners(name, values, "Kubernetes"))})
    found = judge(BOTH, resource)
    assert reasons(found) <= {"stale", "insufficient_samples"}
    assert found.summary == f"no work of its accelerators for 4h, but {name} is not known"


def test_an_origin_that_cannot_be_read():
    """Nor where the source of it fails."""
    assert reasons(judge(BOTH, replace(instance(), gaps={"metrics.sessions": DENIED}))) == {"denied"}


def test_owners_of_machines_without_accelerators():
    """A policy about processors alone waits for them too, and for nothing that it does not have."""
    entry = "resource: aws.ec2.instance\n    idle: {for: 4h, below: {cpu.utilization: 5%, network.out: 1GiB}}"
    bare = with_metrics(
        instance(devices=0), cpu__utilization=processors(), network__out=owners("network.out", [1.0] * 48)
    )
    assert judge(entry, bare).actionable is True
    found = judge(entry, with_metrics(bare, **TYPING))
    assert (found.classification, found.actionable) == ("held", False)


# --- video, and what is broken


def video(values, **more):
    return changed(gpu__video=(series("gpu.video", values, **more),))


@pytest.mark.parametrize(
    ("resource", "outcome"),
    [
        (video([0.0] * 240), True),
        (video([4.9] * 240), True),
        (video([0.0] * 100 + [5.0] + [0.0] * 139), False),
        (video([0.0] * 200 + [None] * 40), {"stale"}),
        (replace(instance(), gaps={"metrics.video": DENIED}), {"denied"}),
    ],
    ids=["no video", "just below", "one minute of it", "stale", "denied"],
)
def test_video(resource, outcome):
    """Video engines can show work; where a source has them and cannot be read, nothing is known to be idle."""
    found = judge(BOTH, resource)
    assert found.violated is outcome if isinstance(outcome, bool) else reasons(found) == outcome


def faulty(*by_device, base=None):
    found = tuple(series("gpu.fault", values, str(n)) for n, values in enumerate(by_device))
    return with_metrics(base or instance(devices=max(len(by_device), 1)), gpu__fault=found)


CAME_UP = [0.0] * 200 + [79.0] * 40
OFF_THE_BUS = "device 0 is broken: the GPU has fallen off the bus (XID 79)"


@pytest.mark.parametrize(
    ("resource", "summary"),
    [
        (faulty(CAME_UP), OFF_THE_BUS),
        (faulty([79.0] * 240), OFF_THE_BUS),
        (faulty([1015.0] * 240), "device 0 is broken: the GPU is lost"),
        (faulty([0.0] * 239 + [1777.0]), "device 0 is broken: the driver says so"),
        (faulty(CAME_UP, base=machine(gpu(use=97.0, power=250.0))), OFF_THE_BUS),
        (faulty(CAME_UP, base=without(instance(), "gpu.utilization", "gpu.power")), OFF_THE_BUS),
        (faulty([0.0] * 240, CAME_UP), "device 1 is broken: the GPU has fallen off the bus (XID 79)"),
        (faulty(CAME_UP, [48.0] * 240), "2 of 2 devices are broken, device 0: the GPU has fallen off the bus (XID 79)"),
    ],
    ids=["at rest", "since before", "lost", "unheard of", "at work", "silent", "one of two", "both"],
)  # fmt: skip
def test_broken(resource, summary):
    """Broken devices are a finding of their own, high in confidence, that nothing is ever done about."""
    found = judge(BOTH, resource)
    assert (found.violated, found.classification, found.summary) == (True, "faulted", summary)
    assert (found.actionable, found.confidence) == (False, Confidence.HIGH)
    assert [e.value for e in found.evidence if e.path.startswith("gpu.fault")]
    asked = judge(BOTH.replace("}}", "}, classes: [no_process, context_held]}"), resource)
    assert reasons(asked) == {"source_error"}
    assert asked.unknowns[0].detail == f"{summary}, not idle"


@pytest.mark.parametrize(
    "resource",
    [
        faulty([0.0] * 240),
        faulty([31.0] * 240),
        faulty([79.0] * 60 + [0.0] * 240),
    ],
    ids=["nothing", "a program's error", "before the window"],
)
def test_not_broken(resource):
    """Programs' errors and errors of long ago break nothing."""
    assert judge(BOTH, resource).classification == "no_process"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_fault_that_is_no_number(number):
    """It breaks nothing, and hides what was there."""
    found = judge(BOTH, faulty([number] * 3 + [0.0] * 237))
    assert reasons(found) == {"insufficient_samples"}
    assert found.unknowns[0].path == "gpu.fault[0]"


def test_worked_since():
    """An error that stands since before the window, of a device that has worked in it, is over."""
    assert judge(BOTH, faulty([79.0] * 240, base=machine(gpu(use=97.0, power=250.0)))).violated is False


def test_a_silent_broken_device_is_one_of_those_that_are_missing():
    """A device that sends nothing but its fault is no device too many."""
    base = with_metrics(instance(devices=2), **{k.replace(".", "__"): v for k, v in together(gpu("0")).items()})
    base = replace(base, metrics={**base.metrics, "gpu.memory_used": base.metrics["gpu.memory_used"][:1]})
    found = judge(BOTH, with_metrics(base, gpu__fault=(series("gpu.fault", CAME_UP, "1"),)))
    assert found.summary == "device 1 is broken: the GPU has fallen off the bus (XID 79)"


def test_expressions_about_broken_devices():
    """What a broken device sends says nothing of work, so a metric function is not known."""
    entry = "resource: aws.ec2.instance\n    rule: max(metrics.gpu.utilization, 4h) < 5"
    assert judge(entry, instance()).violated is True
    assert reasons(judge(entry, faulty(CAME_UP))) == {"source_error"}


# --- what it rests on, and what it cost


def test_what_was_read_and_what_would_change_it():
    """An idle verdict names its signals, those it lacks, and what would make it another one."""
    basis = judge(BOTH, instance()).basis
    assert basis.read == ("gpu.utilization", "gpu.power_over_idle", "cpu.utilization", "gpu.memory_used")
    assert basis.unread == (
        "gpu.video: nothing sends it",
        "gpu.fault: nothing sends it",
        "network.in: the policy does not ask for it",
        "network.out: the policy does not ask for it",
        "sessions.active: nothing sends it",
        "jobs.running: nothing sends it",
        "node.cordoned: nothing sends it",
    )
    assert basis.changes == (
        "one sample of gpu.utilization at 5% or more within 4h",
        "one sample of gpu.power_over_idle at 15% or more within 4h",
    )


def test_what_would_make_it_known():
    """Where it is unknown, what is missing is what would change that."""
    basis = judge(BOTH, machine(gpu("0"), {}, {})).basis
    assert basis.unread[:2] == (
        "gpu.utilization of 2 of 3 devices: insufficient samples",
        "gpu.power_over_idle of 2 of 3 devices: insufficient samples",
    )
    assert basis.changes == (
        "a window without a missing sample of gpu.utilization",
        "a window without a missing sample of gpu.power_over_idle",
    )


def test_when_it_could_be_idle():
    """Something at work can be idle a window after its last work, at the earliest."""
    busy = machine({**gpu(power=250.0), "gpu.utilization": series("gpu.utilization", [90.0] * 180 + [0.0] * 60)})
    assert judge(BOTH, busy).basis.changes == ("4h without work: at the earliest at 2026-03-04 19:00 UTC",)


def test_how_long_and_how_much():
    """Idle since the last work that was seen: hours times price, and mean watts times hours."""
    resource = machine(
        {
            "gpu.utilization": series("gpu.utilization", [90.0] * 60 + [0.0] * 300),
            "gpu.power": series("gpu.power", [250.5, 251.5] * 30 + [58.0, 60.0] * 150),
            "gpu.memory_used": series("gpu.memory_used", [1.0] * 360),
        }
    )
    idleness = judge(BOTH, resource).idleness
    assert idleness is not None
    assert (idleness.since, idleness.exact) == (NOW - timedelta(hours=5), True)
    # $1 an hour; 59 W over 5 and over 4 hours.
    assert (idleness.cost, idleness.monthly) == (Decimal(5), Decimal(730))
    assert (idleness.energy, idleness.energy_window) == (pytest.approx(0.295), pytest.approx(0.236))


@pytest.mark.parametrize(
    ("before", "since", "exact"),
    [
        ([0.0] * 60, timedelta(hours=5), False),
        ([], timedelta(hours=4), False),
        ([90.0] * 30 + [0.0] * 10 + [None] * 10 + [0.0] * 10, timedelta(hours=4, minutes=10), False),
        ([90.0] * 59 + [0.0], timedelta(hours=4, minutes=1), True),
    ],
    ids=["as far as there are samples", "no more than the window", "not beyond a gap", "since work ended"],
)
def test_since_when(before, since, exact):
    """It is idle at least as far back as every sample is there and shows none."""
    resource = changed(**use(before + [0.0] * 240), gpu__power=(series("gpu.power", watts(58.0, 240 + len(before))),))
    idleness = judge(BOTH, resource).idleness
    assert idleness is not None
    assert (NOW - idleness.since, idleness.exact) == (since, exact)


def test_price_and_power_that_nobody_knows():
    """What is not known of price and power is not known of cost and energy."""
    idleness = judge(USE_ALONE, replace(without(instance(), "gpu.power"), usage=DENIED)).idleness
    assert idleness is not None
    assert all(isinstance(v, Unknown) for v in (idleness.cost, idleness.monthly, idleness.energy))


def side(device, use, power, **more):
    """Return the metrics of one of two devices: six hours of minutes, the newest last."""
    return {
        "gpu.utilization": series("gpu.utilization", use, device=device),
        "gpu.power": series("gpu.power", power, device=device),
        **{name: series(name, values, device=device) for name, values in more.items()},
    }


RESTED = [90.0] * 60 + [0.0] * 300, [250.5, 251.5] * 30 + [58.0, 60.0] * 150
WORKED = [97.0] * 360, [250.5, 251.5] * 180
HUNG = [97.0] * 60 + [100.0] * 300, [250.5, 251.5] * 30 + [58.0, 60.0] * 150


def test_of_a_part_it_is_the_share():
    """Idle devices beside one that works have their share of the cost and the energy that they drew themselves."""
    found = judge(BOTH, machine(side("0", *RESTED), side("1", *WORKED)))
    idleness = found.idleness
    assert found.classification == "partly_idle"
    assert (idleness.devices, idleness.state, idleness.is_share) == ((1, 2), "idle", True)
    assert (idleness.since, idleness.exact) == (NOW - timedelta(hours=5), True)
    # Half of $1 an hour; 59 W over 5 and over 4 hours.
    assert (idleness.cost, idleness.monthly) == (Decimal("2.5"), Decimal(365))
    assert (idleness.energy, idleness.energy_window) == (pytest.approx(0.295), pytest.approx(0.236))
    assert not found.actionable


def test_what_is_stuck_costs_the_whole_machine():
    """A job that hangs holds all of the machine, from when it used all of a device at the power of rest."""
    found = judge(BOTH, machine(side("0", *HUNG), side("1", *HUNG)))
    idleness = found.idleness
    assert found.classification == "stuck"
    assert (idleness.devices, idleness.state, idleness.is_share) == ((2, 2), "stuck", False)
    assert (idleness.since, idleness.exact) == (NOW - timedelta(hours=5), True)
    assert (idleness.cost, idleness.energy) == (Decimal(5), pytest.approx(0.59))


@pytest.mark.parametrize(
    ("fault", "since", "exact"),
    [
        ([0.0] * 240 + [79.0] * 120, timedelta(hours=2), True),
        ([79.0] * 360, timedelta(hours=6), False),
        ([0.0] * 239 + [None] + [79.0] * 120, timedelta(hours=2), False),
        ([0.0] * 300 + [79.0] * 30 + [0.0] * 30, timedelta(hours=1), True),
    ],
    ids=["since it came up", "as far as there are samples", "not beyond a gap", "since the last one that came up"],
)
def test_since_when_it_is_broken(fault, since, exact):
    """What is broken is paid for as a whole since the error came up."""
    broken = side("0", *RESTED, **{"gpu.fault": fault})
    found = judge(BOTH, machine(broken, side("1", *WORKED)))
    idleness = found.idleness
    assert found.classification == "faulted"
    assert (idleness.devices, idleness.state) == ((1, 2), "faulted")
    assert (NOW - idleness.since, idleness.exact) == (since, exact)
    assert idleness.cost == Decimal(int(since.total_seconds())) / 3600


def test_what_works_or_is_not_known_has_none():
    """There is nothing to tell of what is at work, and of what nobody knows."""
    for resource in (machine(side("0", *WORKED)), machine({})):
        assert judge(BOTH, resource).idleness is None
