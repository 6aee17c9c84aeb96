"""Several sources of one GPU: what is joined, what contradicts, and that losing samples never invents idleness."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import ScopeReport, Series
from engine.values import Reason, Unknown
from integrations.telemetry.merging import merged_measurements
from integrations.telemetry.port import Device, Measured
from tests.engine.estates import CATALOG, INSTANCE, NOW
from tests.telemetry_judging import judged, machine, measured, outcome

KIND = CATALOG.kinds[INSTANCE]
COUNT = 130


@dataclass(frozen=True)
class Given:
    """A source that knows what it is given, of any machine."""

    known: Measured
    name: str = "given"

    def measure(self, kind, resources, need, region) -> list[Measured]:
        return [self.known] * len(resources)

    def report(self) -> ScopeReport | None:
        return None


def series(metric, values, source="a", step=60, samples=None, start=None):
    """Return a series that ends now."""
    begin = start or NOW - timedelta(seconds=step * len(values))
    return Series(metric, "", begin, step, tuple(values), 60, source, samples)


def rest(offset=0.0):
    return [66 + (n * 7 % 5) * 0.3 + offset for n in range(COUNT)]


def gpu(device, use, watts, source="a"):
    """Return the series of one GPU; both lists of one value a minute."""
    return (
        (device, series("gpu.utilization", use, source)),
        (device, series("gpu.power", watts, source)),
    )


def source(*pairs, gaps=None, required=False):
    return Given(Measured(tuple(pair for pairs_ in pairs for pair in pairs_), gaps or {}, required))


def verdict(*sources, devices=1):
    return judged(list(sources), NOW, machine(NOW, "i-1", devices))


ZERO = [0.0] * COUNT
FIRST, BY_INDEX, BY_UUID = Device("0", "GPU-0"), Device("0"), Device(uuid="GPU-0")


def test_sources_that_agree_are_one():
    """Two sources that see the same GPU at rest make one device, and both stand in the evidence."""
    both = source(gpu(FIRST, ZERO, rest(), "dcgm")), source(gpu(FIRST, ZERO, rest(0.4), "agent"))
    found = verdict(*both)
    assert outcome(found) is True
    assert "dcgm and agent" in found.evidence[0].source
    (seen,) = measured(list(both), NOW, machine(NOW, "i-1", 1))
    assert [one.device for one in seen.metrics["gpu.power"]] == ["0"]
    assert seen.metrics["gpu.power"][0].values == tuple(rest(0.4))


@pytest.mark.parametrize(("one", "other"), [(FIRST, BY_INDEX), (FIRST, BY_UUID), (BY_INDEX, FIRST), (BY_UUID, FIRST)])
def test_a_gpu_under_several_names_is_one(one, other):
    """A source that knows the index alone and one that knows the UUID too speak of the same device."""
    (seen,) = measured([source(gpu(one, ZERO, rest())), source(gpu(other, ZERO, rest()))], NOW, machine(NOW, "i-1", 1))
    assert len(seen.metrics["gpu.utilization"]) == 1


def test_names_that_cannot_be_matched_stay_apart():
    """Index here and UUID there, with nothing that joins them: twice as many devices, each of which has to be idle."""
    at_work = [90.0 + n % 5 for n in range(COUNT)], [480 + n % 9 for n in range(COUNT)]
    assert outcome(verdict(source(gpu(BY_INDEX, ZERO, rest())), source(gpu(BY_UUID, *at_work)))) is not True


def test_two_containers_that_count_from_zero():
    """Equal indexes with different UUIDs are different devices, named by their UUIDs."""
    pair = gpu(Device("0", "GPU-a"), ZERO, rest()), gpu(Device("0", "GPU-b"), ZERO, rest())
    (seen,) = measured([source(pair[0]), source(pair[1])], NOW, machine(NOW, "i-1", 2))
    assert {one.device for one in seen.metrics["gpu.power"]} == {"GPU-a", "GPU-b"}


@pytest.mark.parametrize("order", [1, -1])
def test_contradiction_is_never_idle(order):
    """One source sees rest and the other work, for hours: the machine is unknown, and it is told who says what."""
    work = [88.0 + n % 3 for n in range(COUNT)]
    pair = [
        source(gpu(FIRST, ZERO, rest(), "frozen")),
        source(gpu(FIRST, work, [420 + n % 7 for n in range(COUNT)], "live")),
    ]
    found = verdict(*pair[::order])
    assert outcome(found) == {"source_error"}
    assert any("frozen peaks at 0%" in str(u) and "live peaks at 90%" in str(u) for u in found.unknowns)


def test_small_differences_are_no_contradiction():
    """Two samplers of one counter differ by a little; the higher one counts."""
    one, other = [2.0, 1.0] * (COUNT // 2), [1.0, 4.0] * (COUNT // 2)
    found = verdict(source(gpu(FIRST, one, rest())), source(gpu(FIRST, other, rest(2))))
    assert outcome(found) is True
    assert found.evidence[0].value == 4.0


def test_one_fills_the_gaps_of_the_other():
    """A source that died half way and one that began then cover the window together; alone neither does."""
    half = COUNT // 2
    early = gpu(FIRST, [0.0] * half + [None] * half, [*rest()[:half], *([None] * half)])
    late = gpu(FIRST, [None] * half + [0.0] * half, [*([None] * half), *rest()[half:]])
    assert isinstance(verdict(source(early)).violated, Unknown)
    assert isinstance(verdict(source(late)).violated, Unknown)
    assert outcome(verdict(source(early), source(late))) is True


def test_work_that_one_saw_is_work():
    """A burst in the part of the window that only one source saw is work of the device."""
    half = COUNT // 2
    early = gpu(FIRST, [0.0] * (half - 20) + [97.0] * 20 + [None] * half, [*rest()[:half], *([None] * half)])
    late = gpu(FIRST, [None] * half + [0.0] * half, [*([None] * half), *rest()[half:]])
    assert outcome(verdict(source(early), source(late))) is False


def test_grids_of_different_steps():
    """Five minutes of one-minute buckets make one bucket of five: the highest of them, and their samples together."""
    fine = series("gpu.utilization", [0.0] * 120 + [1.0, None, 3.0, 0.0, None])
    coarse = series("gpu.utilization", [*([0.0] * 24), 2.0], step=300, samples=(5,) * 25)
    known = Given(Measured(((FIRST, fine),))), Given(Measured(((FIRST, coarse),)))
    (seen,) = measured(list(known), NOW, machine(NOW, "i-1", 1))
    (one,) = seen.metrics["gpu.utilization"]
    assert (one.step, one.values[-1], one.samples[-1]) == (300, 3.0, 5)


def test_grids_that_do_not_fit():
    """Buckets that cannot be laid on one another are no grounds for anything."""
    odd = series("gpu.utilization", [0.0] * 90, step=90, samples=(1,) * 90)
    sources = [Given(Measured(((FIRST, series("gpu.utilization", ZERO)),))), Given(Measured(((FIRST, odd),)))]
    (seen,) = measured(sources, NOW, machine(NOW, "i-1", 1))
    assert "gpu.utilization" not in seen.metrics
    assert "do not fit" in seen.gaps["metrics.compute"].detail


def test_a_required_source_that_is_silent_blocks():
    """The gap of a required source counts although another one has everything; that of an optional one does not."""
    gap = {"compute": Unknown(Reason.SOURCE_ERROR, "down"), "power": Unknown(Reason.SOURCE_ERROR, "down")}
    good = source(gpu(FIRST, ZERO, rest()))
    assert outcome(verdict(good, source(gaps=gap, required=True))) == {"source_error"}
    assert outcome(verdict(good, source(gaps=gap))) is True


def test_one_source_alone_is_left_as_it_is():
    """Series of a single source are not touched: two of one device stay two, and the engine believes neither."""
    pairs = (*gpu(BY_INDEX, ZERO, rest()), *gpu(BY_INDEX, [50.0] * COUNT, rest()))
    (seen,) = measured([Given(Measured(pairs))], NOW, machine(NOW, "i-1", 1))
    assert len(seen.metrics["gpu.utilization"]) == 2


BURST = {70, 71}
SHAPES = {
    "idle": (ZERO, rest()),
    "busy": ([91.0 + n % 4 for n in range(COUNT)], [450.0 + n % 11 for n in range(COUNT)]),
    "burst": (
        [97.0 if n in (70, 71) else 0.0 for n in range(COUNT)],
        [470.0 if n in (70, 71) else w for n, w in enumerate(rest())],
    ),
    "half": ([0.0 if n < 65 else None for n in range(COUNT)], [w if n < 65 else None for n, w in enumerate(rest())]),
    "silent": ([None] * COUNT, [None] * COUNT),
    "frozen": (ZERO, [68.3] * COUNT),
}


@st.composite
def losses(draw):
    """Draw the shapes of two sources of one GPU, and the positions of samples to lose in each."""
    shapes = [draw(st.sampled_from(sorted(SHAPES))) for _ in range(2)]
    lost = [draw(st.lists(st.integers(0, COUNT - 1), max_size=6)) for _ in range(2)]
    return shapes, lost


@given(losses())
def test_losing_samples_never_makes_it_idle(drawn):
    """Whatever two sources say: without a few of their samples, busy or unknown never becomes idle."""
    shapes, lost = drawn
    whole = [gpu(FIRST, *SHAPES[shape], source=shape) for shape in shapes]
    cut = [
        tuple(
            (device, replace(one, values=tuple(None if n in gone else v for n, v in enumerate(one.values))))
            for device, one in pairs
        )
        for pairs, gone in zip(whole, lost, strict=True)
    ]
    before = outcome(verdict(*(source(pairs) for pairs in whole)))
    after = outcome(verdict(*(source(pairs) for pairs in cut)))
    # Both minutes of a burst can be lost: that is what the coverage of a policy allows, so no burst is drawn as lost.
    if before is not True and not ("burst" in shapes and any(set(gone) >= BURST for gone in lost)):
        assert after is not True


@pytest.mark.parametrize(("required", "known"), [(True, False), (False, True)])
def test_a_supplement_that_fails_says_nothing_of_what_others_lack(required, known):
    """Faults and video are read where a source has them: one that nobody requires keeps nothing from being known."""
    gap = Unknown(Reason.SOURCE_ERROR, "it does not answer")
    heard = Measured(((Device("0"), series("gpu.utilization", rest())),))
    silent = Measured((), {"health": gap, "video": gap}, required)
    assert ("health" not in merged_measurements(KIND, (heard, silent)).gaps) is known
    assert "health" in merged_measurements(KIND, (Measured(), silent)).gaps


# --- whose a machine is


def held(device, values, step=300, source="a"):
    start = NOW - timedelta(seconds=step * len(values))
    return (Device(), Series("jobs.running", device, start, step, tuple(values), 300, source))


def jobs(*found):
    """Return what several sources know together of jobs, by holder, with their gap."""
    merged = merged_measurements(KIND, found)
    return {series.device: series.values for _, series in merged.series}, merged.gaps


def test_holders_that_two_sources_name():
    """One that both name is one, at any time at which either did; what one names is there, with its own silence."""
    one = Measured((held("Slurm job 7", [0.0, 1.0, None]), held("agent", [0.0, 0.0, None])))
    two = Measured((held("Slurm job 7", [0.0, 0.0, 0.0]), held("DCGM", [0.0, 0.0, 0.0])))
    found, gaps = jobs(one, two)
    assert found == {"Slurm job 7": (0, 1, 0), "agent": (0, 0, None), "DCGM": (0, 0, 0)}
    assert not gaps


def test_holders_on_grids_that_fit_and_that_do_not():
    """A finer series is made coarser; two that do not fit leave it unknown."""
    found, gaps = jobs(Measured((held("agent", [0.0, 1.0] * 12),)), Measured((held("agent", [0.0] * 12, 600),)))
    assert found == {"agent": (1.0,) * 12}
    assert not gaps
    _, gaps = jobs(Measured((held("agent", [0.0] * 12, 420),)), Measured((held("agent", [0.0] * 12, 600),)))
    assert gaps["jobs"].reason is Reason.SOURCE_ERROR


def test_a_required_source_that_is_silent_about_holders():
    """It may know of a job that the other one does not see."""
    failed = Measured((), {"jobs": Unknown(Reason.SOURCE_ERROR, "HTTP 503")}, required=True)
    found, gaps = jobs(Measured((held("agent", [0.0] * 24),)), failed)
    assert found == {}
    assert gaps["jobs"].detail == "HTTP 503"
