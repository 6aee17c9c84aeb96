"""Recorded telemetry in files of each format, read in batches; what is no sample is none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import integrations.recordings.files as module
from engine.errors import ConfigError
from integrations.nvml.samples import GpuSample, HostSample, encode
from integrations.recordings.files import open_recording

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECONDS = NOON.timestamp()
HEAD = "resource,device,at,gpu.utilization,gpu.power\n"


def read(path: Path, **columns: str) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return all values by machine, device and metric; the times stand under `at`, in minutes after noon."""
    with open_recording([path], {key.replace("__", "."): value for key, value in columns.items()}) as recording:
        return {
            one.resource: {
                track.device: {
                    "at": ((track.at - SECONDS) / 60).tolist(),
                    **{name: values.tolist() for name, values in track.values.items()},
                }
                for track in one.tracks
            }
            for one in recording.stream(recording.grid())
        }


def agent_lines(*hosts: str, minutes: int = 3) -> str:
    """Return lines as `bursar agent` writes them."""
    values = {
        "utilization_peak_percent": 7.0, "power_peak_watts": 58.5, "memory_used_bytes": 1e9, "memory_free_bytes": 3e9,
    }  # fmt: skip
    return "".join(
        encode(HostSample(NOON + timedelta(minutes=n), host, f"i-{host}", gpus=(
            GpuSample("0", "GPU-a", "NVIDIA L40S", values), GpuSample("1", "GPU-b"),
        ))) + "\n"
        for n in range(minutes)
        for host in hosts
    )  # fmt: skip


def test_lines_of_the_agent_are_read(tmp_path):
    """Peaks and the share of memory, by machine and GPU; a GPU without values has a track without any."""
    path = tmp_path / "a.jsonl"
    path.write_text(agent_lines("x", "y"))
    found = read(path)
    assert sorted(found) == ["i-x", "i-y"]
    assert found["i-x"]["GPU-a"] == {
        "at": [0, 1, 2], "gpu.utilization": [7.0] * 3, "gpu.power": [58.5] * 3, "gpu.memory_used": [25.0] * 3,
    }  # fmt: skip
    assert found["i-x"]["GPU-b"] == {"at": [0, 1, 2]}


def test_broken_lines_are_counted_and_left_out(tmp_path):
    """A line cut short, one that is no JSON and one without a time are no samples."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        agent_lines("x") + '{"bursar.agent":1,"at":"2026-0\nnonsense\n{"at":"soon","host":"x","gpus":[{"index":"0"}]}\n'
    )
    with open_recording([path], {}) as recording:
        assert (recording.samples, recording.broken, recording.machines) == (6, 3, 1)


@pytest.mark.parametrize("written", ["2026-03-02T12:00:00Z", "2026-03-02T13:00:00+01:00", f"{SECONDS:.0f}"])
def test_times_are_iso_8601_or_seconds(tmp_path, written):
    """All of these are noon."""
    path = tmp_path / "a.csv"
    path.write_text(f"{HEAD}i-1,0,{written},1.5,58\n")
    assert read(path)["i-1"]["0"]["at"] == [0.0]


def test_what_is_no_number_is_no_value(tmp_path):
    """Empty cells, words and NaN leave the metric without a value, and the row stays a row."""
    path = tmp_path / "a.csv"
    path.write_text(f"{HEAD}i-1,0,{SECONDS},,58\ni-1,0,{SECONDS + 60},N/A,59\ni-1,0,{SECONDS + 120},3,60\n")
    values = read(path)["i-1"]["0"]
    assert np.isnan(values["gpu.utilization"]).tolist() == [True, True, False]
    assert values["gpu.power"] == [58, 59, 60]


def test_rows_without_a_time_or_machine_are_left_out(tmp_path):
    """Nobody's samples and samples of no time are counted as broken."""
    path = tmp_path / "a.csv"
    path.write_text(f"{HEAD}i-1,0,{SECONDS},1,58\ni-1,0,yesterday,1,58\ni-1,0,,1,58\n")
    with open_recording([path], {}) as recording:
        assert (recording.samples, recording.broken) == (1, 2)


def test_columns_of_other_names_are_named(tmp_path):
    """`--columns` says which is which; a name that is not there is an error that lists what is."""
    path = tmp_path / "a.csv"
    path.write_text(f"value,when,pod\n4,{SECONDS},p\n")
    found = read(path, resource="pod", at="when", gpu__utilization="value")
    assert found["p"][""]["gpu.utilization"] == [4.0]
    with pytest.raises(ConfigError, match=r"no column `wen`.*value, when, pod"):
        read(path, resource="pod", at="wen", gpu__utilization="value")
    with pytest.raises(ConfigError, match="no column resource"):
        read(path)


def test_parquet_is_read_and_joined_by_machine(tmp_path):
    """Timestamps without a zone are UTC; rows may lie in any order."""
    import duckdb

    path = tmp_path / "a.parquet"
    rows = (
        "SELECT 'i-' || (n % 2) AS resource, '0' AS device, n::DOUBLE AS \"gpu.utilization\", "
        "TIMESTAMP '2026-03-02 12:00:00' + INTERVAL 1 MINUTE * (9 - n // 2) AS at FROM range(20) t(n)"
    )
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    found = read(path)
    assert found["i-1"]["0"]["at"] == list(range(10))
    assert found["i-1"]["0"]["gpu.utilization"] == list(range(19, 0, -2))


def test_batches_hold_whole_machines_and_leave_none_out(tmp_path, monkeypatch):
    """However small a batch is, every machine comes once and whole."""
    path = tmp_path / "a.csv"
    rows = [f"i-{m},{d},{SECONDS + 60 * n},{m},58" for n in range(5) for m in range(7) for d in range(2)]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    whole = read(path)
    monkeypatch.setattr(module, "BATCH", 11)
    assert read(path) == whole
    assert len(whole) == 7
    assert all(len(track["at"]) == 5 for tracks in whole.values() for track in tracks.values())


@pytest.mark.parametrize(("name", "text", "says"), [
    ("a.txt", "x", "no known format"), ("a.csv", HEAD, "no sample"), ("a.parquet", "x", "cannot be read"),
    ("a.jsonl", "\n", "no sample"),
])  # fmt: skip
def test_what_cannot_be_read_is_an_error_about_the_file(tmp_path, name, text, says):
    """Each says which file and why."""
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=says), open_recording([tmp_path / name], {}):
        pass


@pytest.mark.parametrize(("use", "power", "says"), [
    ("0.35", "58", "looks like a ratio"), ("320", "58", "is above 100%"), ("35", "58200", "above what any GPU draws"),
])  # fmt: skip
def test_numbers_in_another_unit_are_refused(tmp_path, use, power, says):
    """A ratio would be taken for rest; one such number among many is a mishap and refuses nothing."""
    rows = [f"i-1,0,{SECONDS + 60 * n},{use},{power}" for n in range(200)]
    (tmp_path / "a.csv").write_text(HEAD + "\n".join(rows) + "\n")
    with pytest.raises(ConfigError, match=says), open_recording([tmp_path / "a.csv"], {}):
        pass
    rows = [f"i-1,0,{SECONDS + 60 * n},{n % 50},58" for n in range(200)] + rows[:1]
    (tmp_path / "a.csv").write_text(HEAD + "\n".join(rows) + "\n")
    assert len(read(tmp_path / "a.csv")["i-1"]["0"]["at"]) == 201


@pytest.mark.parametrize("use", ["0", "1"])
def test_rest_is_no_ratio(tmp_path, use):
    """Whole percent at rest are percent."""
    (tmp_path / "a.csv").write_text(HEAD + f"i-1,0,{SECONDS},{use},58\n")
    assert read(tmp_path / "a.csv")


def test_a_wrong_year_does_not_make_an_endless_grid(tmp_path):
    """A single sample of the year 2090 is refused with the way out."""
    path = tmp_path / "a.csv"
    rows = [f"i-1,0,{SECONDS + 60 * n},1,58" for n in range(10)]
    path.write_text(HEAD + "\n".join([*rows, "i-1,0,2090-01-01T00:00:00Z,1,58"]) + "\n")
    with open_recording([path], {}) as recording, pytest.raises(ConfigError, match="more than a year"):
        recording.grid()
    with open_recording([path], {}) as recording:
        assert recording.grid(end=SECONDS + 3600).buckets == 61


@pytest.mark.parametrize("rows", ["own", "each"])
def test_processors_are_of_the_machine(tmp_path, rows):
    """Use of processors stands in rows of its own or beside each GPU; either way it is the machine's, and no GPU."""
    lines = ["resource,device,at,gpu.utilization,cpu.utilization"]
    for minute in (1, 0):
        beside = f"{30 + minute}" if rows == "each" else ""
        lines += [f"i-1,{device},{SECONDS + 60 * minute},0,{beside}" for device in ("a", "b")]
        lines += [f"i-1,,{SECONDS + 60 * minute},,{30 + minute}"] * (rows == "own")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n")
    with open_recording([path], {}) as recording:
        grid = recording.grid()
        (found,) = recording.stream(grid)
    assert [track.device for track in found.tracks] == ["a", "b"]
    assert grid.lay(found.whole.at, found.whole.values["cpu.utilization"]).tolist() == [30, 31]


def test_without_processors_there_is_nothing_of_the_whole(tmp_path):
    """A device that sends nothing stays one: it may be at work."""
    path = tmp_path / "a.csv"
    path.write_text(f"{HEAD}i-1,,{SECONDS},,\ni-1,a,{SECONDS},0,58\n")
    with open_recording([path], {}) as recording:
        (found,) = recording.stream(recording.grid())
    assert ([track.device for track in found.tracks], found.whole) == (["", "a"], None)
