"""Files of the agent as a source: damage, rotation, several machines and names."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.model import KindNeeds
from integrations.nvml.samples import Instance, OwnersSample, State, decode, encode
from integrations.telemetry.attaching import SourcesTelemetry
from integrations.telemetry.reach import Reach
from integrations.telemetry.recorded import RecordedSettings, RecordedSource
from tests.engine.estates import CATALOG
from tests.gpu_fleet import FAULTS, recorded
from tests.telemetry_judging import WINDOW, judged, machine, measured, outcome

NOW = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
IDLE, BUSY = (next(one for one in FAULTS if one.name == name) for name in ("idle", "busy"))


@pytest.fixture
def source(tmp_path):
    """Return a function that writes files and gives a source of them."""

    def of(files, patterns=("*.jsonl*",), **settings):
        for name, lines in files.items():
            (tmp_path / name).write_text("".join(lines), encoding="utf-8")
        return RecordedSource(RecordedSettings(patterns, tmp_path, **settings), NOW)

    return of


def idle_lines():
    return list(recorded(IDLE, NOW))


def test_rotated_files_are_one_recording(source):
    """The parts of a recording are read together, in whatever order they come."""
    lines = idle_lines()
    one = source({"gpus.jsonl": lines[100:], "gpus.jsonl.1": lines[:100]})
    assert outcome(judged([one], NOW, machine(NOW, "i-idle"))) is True


def test_a_line_cut_by_a_crash_costs_one_sample(source):
    """Broken lines are counted and left out; the others stand, and of a minute that nobody saw nothing is known."""
    lines = idle_lines()
    lines[50] = lines[50][:30] + "\n"
    one = source({"gpus.jsonl": lines})
    found = judged([one], NOW, machine(NOW, "i-idle"))
    assert outcome(found) == {"insufficient_samples"}
    assert found.unknowns[0].detail.startswith("1m of it unseen by recorded ")
    assert "1 files, 1 broken lines; 1 machines joined" in one.report().detail


def test_a_file_of_something_else(source):
    """A file without a sample is no telemetry: what it was to measure is unknown."""
    one = source({"gpus.jsonl": ["hello\n"] * 10 + ["x" * 3_000_000]})
    found = judged([one], NOW, machine(NOW, "i-idle"))
    assert outcome(found) == {"source_error"}
    assert one.report().status == "partial"


def test_no_file(source):
    """A pattern that fits nothing leaves everything unknown."""
    one = source({})
    assert outcome(judged([one], NOW, machine(NOW, "i-idle"))) == {"not_collected"}
    assert one.report().status == "failed"


def test_a_file_that_cannot_be_read(source, tmp_path):
    """One file in the way of reading leaves everything unknown: what stands in it is not known."""
    (tmp_path / "b.jsonl").mkdir()
    one = source({"a.jsonl": idle_lines()})
    found = judged([one], NOW, machine(NOW, "i-idle"))
    assert outcome(found) == {"source_error"}
    assert "b.jsonl cannot be read" in found.unknowns[0].detail


def test_by_host_name_and_by_table(source):
    """Without an instance id a machine is found by its private DNS name, or by a table of GPUs."""
    lines = [line.replace('"instance": "i-idle", ', "") for line in idle_lines()]
    one = source({"a.jsonl": lines})
    assert outcome(judged([one], NOW, machine(NOW, "i-x", private_dns_name="host-idle.ec2.internal"))) is True
    table = {"GPU-idle-0": "i-y", "GPU-idle-1": "i-y"}
    assert outcome(judged([source({"a.jsonl": lines}, gpus=table)], NOW, machine(NOW, "i-y"))) is True


def test_samples_of_another_time_do_not_count(source):
    """A recording of last week says nothing of today."""
    lines = [line.replace("2026-03-04", "2026-02-25") for line in idle_lines()]
    assert outcome(judged([source({"a.jsonl": lines})], NOW, machine(NOW, "i-idle"))) == {"source_error"}


def test_machines_do_not_mix(source):
    """Each machine is judged by its own lines."""
    one = source({"a.jsonl": [*recorded(BUSY, NOW), *idle_lines()]})
    assert outcome(judged([one], NOW, machine(NOW, "i-idle"))) is True
    assert outcome(judged([one], NOW, machine(NOW, "i-busy"))) is False


def test_it_speaks_of_its_own_accounts_alone(source):
    """Machines out of its reach are none of its business."""
    one = source({"a.jsonl": idle_lines()}, reach=Reach(accounts=("999999999999",)))
    (found,) = measured([one], NOW, machine(NOW, "i-idle"))
    assert found.metrics == {}
    assert one.report() is None


def test_a_machine_that_is_not_recorded(source):
    """It is as it would be without the recording."""
    one = source({"a.jsonl": idle_lines()})
    assert outcome(judged([one], NOW, machine(NOW, "i-other"))) == {"not_collected"}
    resting = replace(machine(NOW, "i-idle"), fields={"running": False})
    assert measured([one], NOW, resting)[0].metrics == {}


def cut(lines, use):
    """Return the lines with GPUs in MIG mode, whose instances are used as `use` says at the n-th line."""

    def gpu(found, n):
        values = {name: value for name, value in found.values.items() if name != "utilization_peak_percent"}
        known = use(n)
        whole = {} if None in known else {"utilization_peak_percent": max(known)}
        parts = [{} if one is None else {"utilization_peak_percent": one} for one in known]
        held = {"memory_used_bytes": 5e9, "memory_free_bytes": 5e9}
        mig = tuple(Instance(str(n), f"MIG-{n}", {**part, **held}) for n, part in enumerate(parts))
        return replace(found, values={**values, **whole}, mig=mig)

    samples = [decode(line) for line in lines]
    return [encode(replace(one, gpus=tuple(gpu(g, n) for g in one.gpus))) + "\n" for n, one in enumerate(samples)]


def test_cut_gpus_of_recordings(source):
    """A GPU in MIG mode is one device: at rest if all its instances are, unknown while one of them is silent."""
    rest, work, silent = ((0.0, 0.0), (0.0, 88.0), (0.0, None))
    lines = idle_lines()
    found = judged([source({"a.jsonl": cut(lines, lambda _: rest)})], NOW, machine(NOW, "i-idle"))
    assert (outcome(found), found.classification) == (True, "context_held")
    worked = source({"a.jsonl": cut(lines, lambda n: work if n == 100 else rest)})
    assert outcome(judged([worked], NOW, machine(NOW, "i-idle"))) is False
    unseen = source({"a.jsonl": cut(lines, lambda _: silent)})
    assert outcome(judged([unseen], NOW, machine(NOW, "i-idle"))) & {"not_collected", "insufficient_samples"}


def test_faults_and_video_of_recordings(source):
    """What the agent wrote of broken GPUs and of video engines is read; the higher of the two engines counts."""
    lines = [decode(line) for line in idle_lines()]
    broken = [
        replace(one, gpus=tuple(replace(g, xids=(79,) * (n == 100)) for g in one.gpus)) for n, one in enumerate(lines)
    ]
    found = judged([source({"a.jsonl": [encode(one) + "\n" for one in broken]})], NOW, machine(NOW, "i-idle"))
    assert (found.classification, found.actionable) == ("faulted", False)
    assert "fallen off the bus (XID 79)" in found.summary
    engines = {"encoder_percent": 0.0, "decoder_percent": 12.0}
    encoding = [replace(one, gpus=tuple(replace(g, values={**g.values, **engines}) for g in one.gpus)) for one in lines]
    found = judged([source({"a.jsonl": [encode(one) + "\n" for one in encoding]})], NOW, machine(NOW, "i-idle"))
    assert found.violated is False


def owned(source, *owners):
    """Return the machine as recorded with these owners, a stretch of the recording each."""
    lines = idle_lines()
    each = -(-len(lines) // len(owners))
    samples = [replace(decode(line), owners=owners[n // each]) for n, line in enumerate(lines)]
    one = source({"gpus.jsonl": [encode(sample) + "\n" for sample in samples]})
    need = KindNeeds(metrics=dict.fromkeys(("gpu.utilization", "sessions.active", "jobs.running"), WINDOW))
    (found,) = SourcesTelemetry(CATALOG.kinds, [one]).attach([machine(NOW, "i-idle")], need, "us-east-1")
    return {name: {s.device: s for s in found.metrics.get(name, ())} for name in ("sessions.active", "jobs.running")}


def test_who_used_it(source):
    """Jobs by their ids and logins by their number, in buckets of five minutes; whom a line does not name is gone."""
    nobody = OwnersSample({"sessions_active": 0.0, "jobs_running": 0.0})
    somebody = OwnersSample({"sessions_active": 3.0, "jobs_running": 1.0}, ("4711",))
    found = owned(source, nobody, somebody, nobody)
    assert set(found["jobs.running"]) == {"agent", "Slurm job 4711"}
    assert found["jobs.running"]["agent"].step == 300
    jobs = [value for value in found["jobs.running"]["Slurm job 4711"].values if value is not None]
    assert (jobs[0], max(jobs), jobs[-1]) == (0, 1, 0)
    assert sum(jobs) == pytest.approx(50 / 5, abs=1)
    assert max(v for v in found["sessions.active"]["agent"].values if v is not None) == 3


def test_who_used_it_was_not_to_be_seen(source):
    """Before the agent could see it, and where it never could, there is no sample, and never a 0."""
    unseen = OwnersSample(missing={"sessions_active": State.NO_PERMISSION})
    found = owned(source, OwnersSample({"sessions_active": 0.0}), unseen)
    assert found["sessions.active"]["agent"].values[-3:] == (None, None, None)
    assert found["jobs.running"] == {}
