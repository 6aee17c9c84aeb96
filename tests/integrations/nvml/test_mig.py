"""GPUs that are cut into MIG instances, under NVIDIA's own binding: use by GPM, and what each failure of it means."""

import pytest

from integrations.nvml.samples import State
from tests.fake_nvml import FakeDriver, Samples

PEAK = "utilization_peak_percent"
CUT = "mig=1,5 held=9000,0 power=90000"


def peaks(gpu):
    """Return the peak of each instance, or why it has none."""
    return {one.id: one.values.get(PEAK, one.missing.get(PEAK)) for one in gpu.mig}


def test_use_is_that_of_the_time_between_two_samples(sampled):
    """The counters of two samples are compared; the first has nothing to be compared with and no use, not 0."""
    (first,) = sampled(f"{CUT} gpm=97.5,0").gpus
    assert peaks(first) == {"1": State.NO_SAMPLE, "5": State.NO_SAMPLE}
    assert first.missing[PEAK] is State.NO_SAMPLE
    (second,) = sampled(f"{CUT} gpm=97.5,0").gpus
    assert peaks(second) == {"1": 97.5, "5": 0}
    (third,) = sampled(f"{CUT} gpm=12.25,0").gpus
    assert peaks(third) == {"1": 12.25, "5": 0}
    assert third.mig[0].values["utilization_percent"] == 12.25
    assert third.mig[0].missing == {}


def test_the_gpu_is_as_busy_as_its_busiest_instance(sampled):
    """What the GPU says as a whole is the highest of its instances; a mean would hide one that works."""
    for _ in range(2):
        (gpu,) = sampled(f"{CUT} gpm=0,88").gpus
    assert gpu.values[PEAK] == 88
    assert PEAK not in gpu.missing
    assert gpu.values["power_watts"] == 90


def test_instances_have_their_own_names_and_memory(sampled):
    """Each has its UUID and its share of memory. Two compute instances in one are one, under both names."""
    (gpu,) = sampled("mig=1,5,5 held=9000,64,64 gpm=0,0,0").gpus
    mib = 2**20
    assert [(one.id, one.uuid) for one in gpu.mig] == [
        ("1", "MIG-00000000-0000-0000-0000-000000000000"),
        ("5", "MIG-00000000-0000-0000-0000-000000000001,MIG-00000000-0000-0000-0000-000000000002"),
    ]
    assert [one.values["memory_used_bytes"] for one in gpu.mig] == [9000 * mib, 64 * mib]
    assert [one.values["memory_total_bytes"] for one in gpu.mig] == [9728 * mib] * 2


def test_multiprocessors_at_work_are_use(sampled):
    """Of two counters that tell of work the higher counts."""
    for _ in range(2):
        (gpu,) = sampled(f"{CUT} gpm=0,0 sm=40,0").gpus
    assert (gpu.mig[0].values["utilization_percent"], gpu.mig[0].values[PEAK]) == (0, 40)


@pytest.mark.parametrize("line", [CUT, f"{CUT} gpm=0,0 nvmlGpmQueryDeviceSupport=3"])
def test_without_gpm_use_is_unsupported(sampled, line):
    """On Ampere nothing knows the use of an instance: it stays unsupported, and is never 0."""
    for _ in range(3):
        (gpu,) = sampled(line).gpus
        assert peaks(gpu) == {"1": State.UNSUPPORTED, "5": State.UNSUPPORTED}
        assert gpu.missing[PEAK] is State.UNSUPPORTED
        assert PEAK not in gpu.values
    assert gpu.mig[0].values["memory_used_bytes"] == 9000 * 2**20


def test_a_driver_before_gpm(nvml_libraries, tmp_path):
    """A driver without the functions is one that does not support them."""
    old = FakeDriver(nvml_libraries["old"], tmp_path / "old.state")
    old.set(f"{CUT} gpm=0,0")
    samples = Samples(old)
    (gpu,) = samples.next().gpus
    samples.close()
    assert peaks(gpu) == {"1": State.UNSUPPORTED, "5": State.UNSUPPORTED}


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ("nan", State.NO_SAMPLE),
        ("still", State.NO_SAMPLE),
        ("!4", State.NO_PERMISSION),
        ("!10", State.TIMEOUT),
        ("!999", State.FAILED),
        ("?21", State.NO_SAMPLE),
        ("?3", State.UNSUPPORTED),
        ("120", State.FAILED),
        ("-3", State.FAILED),
    ],
)
def test_an_instance_without_a_value_is_not_at_rest(sampled, entry, state):
    """NaN, counters that stand still, errors and impossible numbers are no value, and the GPU then has none."""
    for _ in range(2):
        sampled(f"{CUT} gpm=0,0")
    (gpu,) = sampled(f"{CUT} gpm=0,{entry}").gpus
    assert peaks(gpu) == {"1": 0, "5": state}
    assert gpu.missing[PEAK] is state
    assert (gpu.fault, gpu.fault_number) == ("", 0)


def test_a_little_more_than_all_is_all(sampled):
    """Two counters are not read in one moment."""
    for _ in range(2):
        (gpu,) = sampled(f"{CUT} gpm=101.5,0").gpus
    assert gpu.values[PEAK] == 100


def test_work_seen_beside_a_silent_instance_is_not_lost(sampled):
    """While one instance is silent the GPU says nothing; what another one did then counts with its next sample."""
    for gpm in ("0,0", "0,0", "97,nan", "0,nan"):
        (gpu,) = sampled(f"{CUT} gpm={gpm}").gpus
    assert PEAK not in gpu.values
    (gpu,) = sampled(f"{CUT} gpm=0,?21").gpus
    assert PEAK not in gpu.values
    sampled(f"{CUT} gpm=0,still")
    (gpu,) = sampled(f"{CUT} gpm=0,0").gpus
    assert gpu.values[PEAK] == 97
    (gpu,) = sampled(f"{CUT} gpm=0,0").gpus
    assert gpu.values[PEAK] == 0


def test_a_failure_breaks_the_comparison(sampled):
    """After a failure there is nothing to compare with: a value is never about more than one interval."""
    for gpm in ("50,0", "50,0", "!4,0"):
        sampled(f"{CUT} gpm={gpm}")
    assert peaks(sampled(f"{CUT} gpm=50,0").gpus[0])["1"] is State.NO_SAMPLE
    assert peaks(sampled(f"{CUT} gpm=50,0").gpus[0])["1"] == 50


def test_samples_too_close_to_each_other(driver):
    """Counters are renewed every 100 ms; what is taken sooner is not compared, and later samples still are."""
    driver.set(f"{CUT} gpm=30,0")
    samples = Samples(driver, apart=0.03)
    found = [peaks(samples.next().gpus[0])["1"] for _ in range(4)]
    samples.close()
    # Two looks a sample, one at each instance: 0.06 s between two of the same.
    assert found == [State.NO_SAMPLE, State.NO_SAMPLE, 30, State.NO_SAMPLE]


@pytest.mark.parametrize("blind", ["blind=1", "most=-4", "nvmlDeviceGetGpuInstanceId=4"])
def test_an_instance_that_cannot_be_seen_is_there(sampled, blind):
    """A slot that may not be looked at may be at work: it stands there without a value, and so does the GPU."""
    for _ in range(2):
        (gpu,) = sampled(f"mig=1,5 gpm=0,0 {blind}").gpus
    assert [one.id for one in gpu.mig if one.id.startswith("?")]
    assert gpu.missing[PEAK] is State.FAILED


def test_a_cut_gpu_without_an_instance(sampled):
    """No instance is no work and no measurement either."""
    (gpu,) = sampled("mig=9 nvmlDeviceGetMigDeviceHandleByIndex=6").gpus
    assert gpu.mig == ()
    assert gpu.missing[PEAK] is State.UNSUPPORTED


@pytest.mark.parametrize("line", [f"{CUT} gpm=0,0 raw=291419", "raw=291419 nvmlDeviceGetMigMode=3"])
def test_the_buffer_of_a_cut_gpu_is_not_use(sampled, line):
    """Drivers fill the buffer of a GPU in MIG mode with numbers of another kind; they are no percentage."""
    for _ in range(2):
        (gpu,) = sampled(line).gpus
    assert gpu.values.get(PEAK, 0) == 0
    assert PEAK in gpu.values or gpu.missing[PEAK] is State.FAILED


def test_instances_that_come_and_go(sampled):
    """An instance that is made anew has nothing to be compared with."""
    for _ in range(2):
        sampled(f"{CUT} gpm=50,0")
    sampled("mig=1 gpm=50")
    assert peaks(sampled(f"{CUT} gpm=50,70").gpus[0]) == {"1": 50, "5": State.NO_SAMPLE}
    assert sampled("util=7 power=70000").gpus[0].values[PEAK] == 7
    assert peaks(sampled(f"{CUT} gpm=50,70").gpus[0]) == {"1": State.NO_SAMPLE, "5": State.NO_SAMPLE}


def test_memory_of_the_driver_is_given_back(sampled):
    """The driver has room for 64 states of its counters; two hundred samples, with failures, leave room."""
    for n in range(200):
        (gpu,) = sampled(f"{CUT} gpm={'!4,?3' if n % 7 == 0 else '10,20'}").gpus
    assert peaks(gpu) == {"1": 10, "5": 20}


def test_one_sample_has_use(driver):
    """`--once` waits as long as the counters need."""
    driver.set(f"{CUT} gpm=97.5,0")
    ended = driver.agent("--once", "--instance-id", "i-1")
    out, err = ended.communicate(timeout=30)
    assert (ended.returncode, err) == (0, "")
    assert '"utilization_peak_percent":97.5' in out
