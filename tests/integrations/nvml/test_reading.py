"""NVIDIA's own binding on a fake driver: what is measured, and what each error means. Nothing missing is ever 0."""

import subprocess
import sys

import pytest

from integrations.nvml.samples import State
from tests.fake_nvml import FakeDriver, Samples

IDLE = "util=0,0,0 power=68000,68100 energy=5000000 used=0 free=81000"
BUSY = "util=0,97,12 power=390000,410500 energy=9000000 used=60750 free=20250 procs=2 busy=88"


def test_a_busy_gpu(sampled):
    """The buffers of the driver are read: their peak and mean, in the units of the names."""
    (gpu,) = sampled(BUSY).gpus
    assert (gpu.index, gpu.uuid, gpu.model) == (
        "0",
        "GPU-00000000-0000-0000-0000-000000000000",
        "NVIDIA H100 80GB HBM3",
    )
    assert gpu.values["utilization_peak_percent"] == 97
    assert gpu.values["utilization_percent"] == pytest.approx(109 / 3)
    assert gpu.values["power_peak_watts"] == 410.5
    assert gpu.values["power_watts"] == 410.5
    assert gpu.values["energy_joules"] == 9000
    assert gpu.values["memory_used_bytes"] == 60750 * 2**20
    assert gpu.values["memory_free_bytes"] == 20250 * 2**20
    assert gpu.values["processes"] == 2
    assert gpu.values["process_utilization_peak_percent"] == 88
    assert gpu.missing == {}
    assert gpu.fault == ""


def test_video_engines(sampled):
    """Encoding and decoding are measured apart; that a card cannot say is no fault of it."""
    (gpu,) = sampled(f"{IDLE} enc=44 dec=0").gpus
    assert (gpu.values["encoder_percent"], gpu.values["decoder_percent"]) == (44, 0)
    (other,) = sampled(f"{IDLE} nvmlDeviceGetEncoderUtilization=999 nvmlDeviceGetDecoderUtilization=3").gpus
    assert other.missing == {"encoder_percent": State.FAILED, "decoder_percent": State.UNSUPPORTED}
    assert (other.fault, other.fault_number) == ("", 0)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (IDLE, 0),
        (f"{IDLE} nvmlDeviceGetUUID=15", 1015),
        (f"{IDLE} nvmlDeviceGetUUID=16", 1016),
        (f"{IDLE} nvmlDeviceGetMemoryInfo_v2=999", 1999),
        (f"{IDLE} xid=79", 79),
        (f"{IDLE} xid=31", 0),
    ],
)
def test_what_is_broken_as_a_number(sampled, line, number):
    """The driver's own word, or an XID error of the hardware; a program's error is no fault."""
    (gpu,) = sampled(line).gpus
    assert gpu.fault_number == number


def test_an_idle_gpu(sampled):
    """Zeros that were measured are zeros; that no process did anything is the one absence that is a number."""
    (gpu,) = sampled(IDLE).gpus
    assert gpu.values["utilization_peak_percent"] == 0
    assert gpu.values["processes"] == 0
    assert gpu.values["process_utilization_peak_percent"] == 0
    assert gpu.missing == {}


def test_eight_gpus_under_their_uuids(sampled):
    """Every GPU has an index and a UUID of its own."""
    sample = sampled(*[IDLE] * 8)
    assert [gpu.index for gpu in sample.gpus] == [str(n) for n in range(8)]
    assert len({gpu.uuid for gpu in sample.gpus}) == 8
    assert (sample.driver, sample.problem) == ("570.00", "")


def test_without_a_sample_buffer_the_moment_counts(sampled):
    """A driver that keeps no samples is asked for the use of the moment."""
    (gpu,) = sampled("rates=42 power=70000").gpus
    assert gpu.values["utilization_peak_percent"] == 42
    assert "utilization_peak_percent" not in gpu.missing


def test_an_old_driver_lacks_functions(nvml_libraries, tmp_path):
    """A function the driver does not have leaves the others; memory is then read by the older call."""
    old = FakeDriver(nvml_libraries["old"], tmp_path / "old.state")
    old.set("rates=7 power=70000 used=1000 free=80000")
    samples = Samples(old)
    (gpu,) = samples.next().gpus
    samples.close()
    assert gpu.values["utilization_peak_percent"] == 7
    assert gpu.values["memory_used_bytes"] == 1600 * 2**20
    assert gpu.values["power_peak_watts"] == 70


STATES = {
    "unsupported": (3, 13, 25),
    "no_permission": (4,),
    "no_sample": (6, 21),
    "no_driver": (9, 12, 18),
    "timeout": (10,),
    "faulted": (15, 16, 999),
    "failed": (17,),
}


@pytest.mark.parametrize(("code", "state"), [(code, state) for state, codes in STATES.items() for code in codes])
def test_every_error_has_its_state(sampled, code, state):
    """An error of one call leaves that value out, says why, and leaves the other values."""
    (gpu,) = sampled(f"util=0 power=70000 nvmlDeviceGetTotalEnergyConsumption={code}").gpus
    assert gpu.missing == {"energy_joules": State(state)}
    assert "energy_joules" not in gpu.values
    assert gpu.values["power_watts"] == 70
    assert bool(gpu.fault) is (state == "faulted")


def test_no_permission_for_processes_is_not_no_process(sampled):
    """Where processes may not be seen, neither their number nor their use is known."""
    (gpu,) = sampled(
        "util=0 power=70000 nvmlDeviceGetComputeRunningProcesses_v3=4 nvmlDeviceGetProcessUtilization=4"
    ).gpus
    assert gpu.missing == {
        "processes": State.NO_PERMISSION,
        "process_utilization_peak_percent": State.NO_PERMISSION,
    }


def test_a_lost_gpu_is_broken_and_keeps_its_name(sampled):
    """A GPU that falls off the bus has no values and a fault, and is still known by the UUID it had."""
    before = sampled(IDLE, IDLE).gpus[1]
    first, lost = sampled(IDLE, f"{IDLE} nvmlDeviceGetHandleByIndex_v2=15").gpus
    assert first.fault == ""
    assert lost.fault == "the GPU is lost"
    assert lost.values == {}
    assert lost.uuid == before.uuid


def test_xid_errors_are_reported_once(sampled):
    """An XID error comes with the sample in which it happened and with no later one."""
    assert sampled(IDLE, IDLE).gpus[1].xids == ()
    assert sampled(IDLE, f"{IDLE} xid=79").gpus[1].xids == (79,)
    assert sampled(IDLE, f"{IDLE} xid=79").gpus[1].xids == ()


def test_a_driver_that_goes_away_is_a_problem(sampled):
    """A driver that is unloaded leaves a sample without GPUs that says why."""
    assert sampled(IDLE).problem == ""
    gone = sampled("init=18")
    assert gone.gpus == ()
    assert gone.problem.startswith("the driver does not answer")


@pytest.mark.parametrize("state", ["init=9", "init=18", "init=12"])
def test_no_driver_ends_the_agent(driver, state):
    """Without a driver the agent ends with the status for what could not be read."""
    driver.set(state)
    ended = driver.agent("--once")
    _, err = ended.communicate(timeout=30)
    assert ended.returncode == 3
    assert "no-driver" in err
    assert "does not mean that it is idle" in err


def test_no_library_at_all(tmp_path):
    """A machine without the library has no telemetry."""
    command = [sys.executable, "-m", "bursar", "agent", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LD_LIBRARY_PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "Library Not Found" in done.stderr
