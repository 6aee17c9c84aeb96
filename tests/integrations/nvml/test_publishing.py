"""Where samples go: what Prometheus scrapes, the file and its rotation, CloudWatch."""

import json
import os
import urllib.request
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from integrations.aws.metric_publish import CloudWatchPublisher
from integrations.nvml.publishing import FilePublisher, PrometheusPublisher
from integrations.nvml.samples import GpuSample, HostSample, Instance, OwnersSample, State, decode, encode

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
GPU = GpuSample(
    "0",
    "GPU-0",
    "H100",
    {
        "utilization_peak_percent": 0.0,
        "power_peak_watts": 68.5,
        "energy_joules": 12_000.5,
        "memory_used_bytes": 2.0**30,
        "memory_total_bytes": 80 * 2.0**30,
    },
    {"processes": State.NO_PERMISSION},
    xids=(31,),
)
LOST = GpuSample("1", "GPU-1", "H100", {}, {"utilization_peak_percent": State.FAULTED}, fault="the GPU is lost")
CUT = GpuSample(
    "2",
    "GPU-2",
    "H100",
    {"power_peak_watts": 90.5},
    {"utilization_peak_percent": State.NO_SAMPLE},
    (
        Instance("1", "MIG-1", {"utilization_peak_percent": 12.5, "memory_used_bytes": 2.0**30}),
        Instance("5", "MIG-5", {}, {"utilization_peak_percent": State.NO_SAMPLE}),
    ),
)
SAMPLE = HostSample(NOW, "node-1", "i-1", {"team": 'a"b'}, 15, "570.00", "", (GPU, LOST))


OWNED = replace(SAMPLE, owners=OwnersSample({"sessions_active": 2.0, "jobs_running": 2.0}, ("4711", "4712")), labels={})
UNSEEN = replace(SAMPLE, owners=OwnersSample(missing={"sessions_active": State.UNSUPPORTED}), labels={})


class Clock:
    """A clock that is set."""

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def endpoint():
    """An endpoint of its own port, a clock, and what it shows."""
    clock = Clock(NOW.timestamp())
    with closing(PrometheusPublisher("127.0.0.1", 0, clock)) as publisher:

        def shown():
            with urllib.request.urlopen(publisher.name, timeout=10) as answer:
                return answer.read().decode()

        yield publisher, clock, shown


def test_a_fault_is_shown_until_the_agent_ends(endpoint):
    """An XID error is told once by the driver; a scrape that comes later sees it still. A lost GPU is one now."""
    publisher, clock, shown = endpoint
    broken = replace(GPU, xids=(31, 79))
    publisher.publish(replace(SAMPLE, gpus=(broken, LOST)))
    clock.at += 15
    publisher.publish(replace(SAMPLE, at=NOW + timedelta(seconds=15), gpus=(replace(GPU, xids=()),)))
    text = shown()
    assert f"bursar_gpu_fault{{{WHO}}} 79.0" in text
    publisher.publish(replace(SAMPLE, at=NOW + timedelta(seconds=15), gpus=(LOST,)))
    assert " 1015.0" in next(line for line in shown().splitlines() if line.startswith("bursar_gpu_fault{"))


WHO = 'gpu="0",hostname="node-1",instance_id="i-1",modelName="H100",team="a\\"b",uuid="GPU-0"'


def _series(text):
    """Return name and sorted labels of each series, with its value."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.rpartition(" ")[0].partition("{")
            labels = ",".join(sorted(rest.rstrip("}").split(","))) if rest else ""
            found[f"{name}{{{labels}}}"] = float(line.rpartition(" ")[2])
    return found


def test_what_prometheus_sees(endpoint):
    """Values with the labels of GPU and machine; what is missing is absent and named, what is broken is told."""
    publisher, _, shown = endpoint
    publisher.publish(SAMPLE)
    found = _series(shown())
    assert found[f"bursar_gpu_utilization_peak_percent{{{WHO}}}"] == 0
    assert found[f"bursar_gpu_power_peak_watts{{{WHO}}}"] == 68.5
    assert found[f"bursar_gpu_energy_joules_total{{{WHO}}}"] == 12_000.5
    assert found[f"bursar_gpu_faulted{{{WHO}}}"] == 0
    unseen = ",".join(sorted([*WHO.split(","), 'state="no_permission"', 'value="processes"']))
    assert found[f"bursar_gpu_missing{{{unseen}}}"] == 1
    assert found["bursar_agent_up{}"] == 1
    assert not [name for name in found if name.startswith("bursar_gpu_processes")]
    lost = [name for name in found if 'uuid="GPU-1"' in name]
    series = ["bursar_gpu_fault", "bursar_gpu_faulted", "bursar_gpu_missing"]
    assert sorted(name.partition("{")[0] for name in lost) == series
    assert found[next(name for name in lost if "faulted{" in name)] == 1
    assert found[next(name for name in lost if "fault{" in name)] == 1015


def test_instances_have_labels_of_their_own(endpoint):
    """Values of MIG instances stand under the GPU with their ids; one that is silent is there and has no value."""
    publisher, _, shown = endpoint
    publisher.publish(replace(SAMPLE, gpus=(GPU, CUT)))
    found = _series(shown())

    def of(name, part):
        labels = [f'GPU_I_ID="{part}"', f'mig_uuid="{part and "MIG-" + part}"']
        who = [*WHO.replace("GPU-0", "GPU-2").replace('gpu="0"', 'gpu="2"').split(","), *labels]
        return found.get(f"bursar_gpu_{name}{{{','.join(sorted(who))}}}")

    assert of("utilization_peak_percent", "1") == 12.5
    assert of("utilization_peak_percent", "5") is None
    assert of("utilization_peak_percent", "") is None
    assert of("memory_used_bytes", "1") == 2**30
    assert of("power_peak_watts", "") == 90.5
    assert [of("fault", part) for part in ("", "1", "5")] == [0, 0, 0]
    missing = [name for name in found if name.startswith("bursar_gpu_missing") and 'GPU_I_ID="5"' in name]
    assert len(missing) == 1
    assert 'state="no_sample"' in missing[0]


def test_xid_errors_are_counted(endpoint):
    """A second sample with the same error counts it twice; a sample without one leaves the count."""
    publisher, _, shown = endpoint
    for sample in (SAMPLE, SAMPLE, replace(SAMPLE, gpus=(replace(GPU, xids=()), LOST))):
        publisher.publish(sample)
    found = {name: value for name, value in _series(shown()).items() if name.startswith("bursar_gpu_xid_errors_total")}
    assert list(found.values()) == [2]
    assert 'xid="31"' in next(iter(found))


def test_old_samples_are_not_shown(endpoint):
    """After three intervals without a new sample there is no value any more, only the sign that there is none."""
    publisher, clock, shown = endpoint
    assert _series(shown()) == {"bursar_agent_up{}": 0}
    publisher.publish(SAMPLE)
    clock.at += 45
    assert _series(shown())["bursar_agent_up{}"] == 1
    clock.at += 1
    assert _series(shown()) == {
        "bursar_agent_up{}": 0,
        "bursar_agent_last_sample_timestamp_seconds{}": NOW.timestamp(),
    }


def test_a_driver_that_does_not_answer_is_down(endpoint):
    """A sample with a problem shows no GPU and says that the agent is not up."""
    publisher, _, shown = endpoint
    publisher.publish(HostSample(NOW, "node-1", interval=15, problem="the driver does not answer"))
    found = _series(shown())
    assert found["bursar_agent_up{}"] == 0
    assert not [name for name in found if name.startswith("bursar_gpu")]


def test_lines_come_back_as_they_were():
    """A line is read back to the same sample."""
    cut = replace(SAMPLE, gpus=(GPU, CUT))
    assert decode(encode(SAMPLE)) == SAMPLE
    assert decode(encode(cut)) == cut


def test_lines_of_agents_before_gpm():
    """They have the ids of instances and nothing else of them."""
    line = encode(replace(SAMPLE, gpus=(GPU,))).replace('"xids":', '"mig":["1","5"],"xids":')
    assert decode(line).gpus[0].mig == (Instance("1"), Instance("5"))


LINE = encode(SAMPLE)


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", "null", "1", "{", '{"bursar.agent":2}', LINE[:-9], LINE.replace("Z", "")]
)
def test_what_is_no_line_is_refused(line):
    """Cut, foreign and damaged lines are a `ValueError` and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011  (its text is not part of anything)
        decode(line)


def test_files_are_renamed_when_they_are_full(tmp_path):
    """No file grows over its size, the oldest goes, and no line is lost or cut."""
    path = tmp_path / "deep" / "gpus.jsonl"
    line = len(encode(SAMPLE)) + 1
    with closing(FilePublisher(path, 3 * line, keep=2)) as publisher:
        for n in range(11):
            publisher.publish(replace(SAMPLE, at=NOW + timedelta(seconds=n)))
    lines = {file.name: file.read_text().splitlines() for file in path.parent.iterdir()}
    held = {name: [decode(line).at.second for line in found] for name, found in lines.items()}
    assert held == {"gpus.jsonl": [9, 10], "gpus.jsonl.1": [6, 7, 8], "gpus.jsonl.2": [3, 4, 5]}


def test_without_older_files_it_begins_anew(tmp_path):
    """With `keep` 0 the full file is dropped."""
    path = tmp_path / "gpus.jsonl"
    with closing(FilePublisher(path, len(encode(SAMPLE)) + 1, keep=0)) as publisher:
        publisher.publish(SAMPLE)
        publisher.publish(replace(SAMPLE, at=NOW + timedelta(seconds=1)))
    assert [file.name for file in tmp_path.iterdir()] == ["gpus.jsonl"]
    assert decode(path.read_text()).at.second == 1


def test_a_line_cut_by_a_crash_is_closed(tmp_path):
    """The next agent does not write on to half a line: only that one is lost."""
    path = tmp_path / "gpus.jsonl"
    path.write_text(encode(SAMPLE) + "\n" + encode(SAMPLE)[:40])
    with closing(FilePublisher(path, 2**20, keep=1)) as publisher:
        publisher.publish(SAMPLE)
    first, cut, last = path.read_text().splitlines()
    assert decode(first) == decode(last) == SAMPLE
    with pytest.raises(ValueError):  # noqa: PT011
        decode(cut)


def test_a_full_disk_is_an_error_of_the_system(tmp_path):
    """What cannot be written is raised for the loop to tell."""
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("NOT TESTED: there is no /dev/full here")
    publisher = FilePublisher(tmp_path / "gpus.jsonl", 2**20, keep=1)
    os.dup2(os.open("/dev/full", os.O_WRONLY), publisher._out)
    with pytest.raises(OSError, match="No space left"):
        publisher.publish(SAMPLE)
    publisher.close()


class Client:
    """CloudWatch as far as it takes values; it refuses while it is told to."""

    def __init__(self):
        self.calls, self.refuses = [], False

    def put_metric_data(self, **parameters):
        if self.refuses:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "PutMetricData")
        self.calls.append(parameters)


def test_cloudwatch_takes_them_by_the_minute():
    """Values go out together, under the names and dimensions that the CloudWatch agent has for them."""
    client, clock = Client(), Clock(0.0)
    publisher = CloudWatchPublisher(client, clock=clock)
    publisher.publish(SAMPLE)
    for second in (15, 30, 45):
        clock.at = second
        publisher.publish(replace(SAMPLE, at=NOW + timedelta(seconds=second)))
    assert len(client.calls) == 1
    clock.at = 60
    publisher.publish(replace(SAMPLE, at=NOW + timedelta(seconds=60)))
    assert [len(call["MetricData"]) for call in client.calls] == [4, 16]
    values = {one["MetricName"]: one["Value"] for one in client.calls[0]["MetricData"]}
    assert values == {
        "nvidia_smi_utilization_gpu": 0,
        "nvidia_smi_power_draw": 68.5,
        "nvidia_smi_memory_used": 1024,
        "nvidia_smi_memory_total": 81_920,
    }
    dimensions = {one["Name"]: one["Value"] for one in client.calls[0]["MetricData"][0]["Dimensions"]}
    assert dimensions == {"InstanceId": "i-1", "host": "node-1", "index": "0", "name": "H100"}


def test_cloudwatch_has_a_cut_gpu_as_one():
    """Custom metrics cost money: of a GPU in MIG mode its own values go out, its use while all instances are seen."""
    client = Client()
    publisher = CloudWatchPublisher(client, clock=Clock(0.0))
    seen = replace(CUT, values={**CUT.values, "utilization_peak_percent": 12.5})
    publisher.publish(replace(SAMPLE, gpus=(CUT, seen)))
    found = [(one["MetricName"], one["Value"]) for one in client.calls[0]["MetricData"]]
    power = ("nvidia_smi_power_draw", 90.5)
    assert found == [power, ("nvidia_smi_utilization_gpu", 12.5), power]


def test_cloudwatch_gets_later_what_it_refused():
    """What was refused waits and goes out with its own time; at the end everything is sent."""
    client, clock = Client(), Clock(0.0)
    publisher = CloudWatchPublisher(client, clock=clock)
    client.refuses = True
    with pytest.raises(OSError, match="Rate exceeded"):
        publisher.publish(SAMPLE)
    client.refuses = False
    publisher.close()
    assert {one["Timestamp"] for one in client.calls[0]["MetricData"]} == {NOW}


def test_no_call_has_more_than_a_thousand_values():
    """A long silence of CloudWatch comes out in calls that it takes."""
    client, clock = Client(), Clock(0.0)
    publisher = CloudWatchPublisher(client, clock=clock)
    client.refuses = True
    for n in range(300):
        try:
            publisher.publish(replace(SAMPLE, gpus=(GPU, GPU)))
        except OSError:
            assert n == 0
    client.refuses = False
    publisher.close()
    assert [len(call["MetricData"]) for call in client.calls] == [1000, 1000, 400]


def test_values_are_json(tmp_path):
    """A line is JSON with one object a GPU."""
    found = json.loads(encode(SAMPLE))
    assert found["gpus"][1] == {
        "index": "1",
        "uuid": "GPU-1",
        "model": "H100",
        "missing": {"utilization_peak_percent": "faulted"},
        "fault": "the GPU is lost",
    }


# --- who uses the machine


def test_who_uses_it_is_scraped(endpoint):
    """Logins are a number, each job is a series; without a job there is a 0."""
    publisher, _, shown = endpoint
    publisher.publish(OWNED)
    text = shown()
    assert 'bursar_sessions_active{hostname="node-1",instance_id="i-1"} 2.0' in text
    assert 'bursar_jobs_running{hostname="node-1",hpc_job="4711",instance_id="i-1"} 1.0' in text
    assert 'bursar_jobs_running{hostname="node-1",hpc_job="4712",instance_id="i-1"} 1.0' in text
    publisher.publish(replace(OWNED, owners=OwnersSample({"sessions_active": 0.0, "jobs_running": 0.0})))
    assert 'bursar_jobs_running{hostname="node-1",hpc_job="",instance_id="i-1"} 0.0' in shown()


def test_what_cannot_be_seen_is_no_zero(endpoint):
    """A container does not see who is logged in to its machine: there is no number, and why is told."""
    publisher, _, shown = endpoint
    publisher.publish(UNSEEN)
    text = shown()
    assert "bursar_sessions_active{" not in text
    assert "bursar_jobs_running{" not in text
    assert (
        'bursar_host_missing{hostname="node-1",instance_id="i-1",state="unsupported",value="sessions_active"}' in text
    )


@pytest.mark.parametrize("sample", [OWNED, UNSEEN, SAMPLE])
def test_lines_say_who_uses_it(sample):
    """Read back, a line says what was written; one of an older agent says nothing of it."""
    assert decode(encode(sample)) == sample


def test_cloudwatch_takes_who_uses_it():
    """Beside the GPUs, by the machine."""
    client = Client()
    CloudWatchPublisher(client, clock=Clock(0.0)).publish(replace(OWNED, gpus=()))
    (call,) = client.calls
    assert {one["MetricName"]: one["Value"] for one in call["MetricData"]} == {
        "bursar_sessions_active": 2,
        "bursar_jobs_running": 2,
    }
    dimensions = {one["Name"]: one["Value"] for one in call["MetricData"][0]["Dimensions"]}
    assert dimensions == {"InstanceId": "i-1", "host": "node-1"}
