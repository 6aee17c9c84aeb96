"""Who uses a machine, from a `/proc` as a machine, a container and a locked one have it."""

import os

import pytest

from integrations.nvml.owners import HOST_PIDS, Host
from integrations.nvml.samples import OwnersSample, State

NOW = 1_772_640_000.0


class Proc:
    """A `/proc` of a machine, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "self" / "ns").mkdir(parents=True)
        (folder / "self" / "ns" / "pid").symlink_to(HOST_PIDS)
        self.terminals = folder / "1" / "root" / "dev" / "pts"
        self.terminals.mkdir(parents=True)
        (self.terminals / "ptmx").touch()
        self.process(1, "/sbin/init")

    def terminal(self, name, minutes, written=0.0):
        """Add a terminal into which something was typed so many minutes ago, and written to since."""
        path = self.terminals / name
        path.touch()
        os.utime(path, (NOW - 60 * minutes, NOW - 60 * written))
        return path

    def process(self, number, *words):
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        (folder / "cmdline").write_bytes("\0".join((*words, "")).encode())
        return folder

    def sample(self):
        return Host(self.folder).sample(NOW)


@pytest.fixture
def proc(tmp_path):
    return Proc(tmp_path)


def test_nobody(proc):
    """A machine that nobody uses has zeros: it was looked at."""
    assert proc.sample() == OwnersSample({"sessions_active": 0, "jobs_running": 0})


def test_terminals(proc):
    """Typed into in the last fifteen minutes; a program that writes into one left open is nobody."""
    proc.terminal("0", 3)
    proc.terminal("1", 14.9)
    proc.terminal("2", 15)
    proc.terminal("3", 900, written=0)
    assert proc.sample().values["sessions_active"] == 2


def test_a_clock_that_was_set_back(proc):
    """Input of the future was a moment ago by another clock: somebody may be there."""
    proc.terminal("0", -600)
    assert proc.sample().values["sessions_active"] == 1


def test_jobs(proc):
    """A job has a daemon for each of its steps, and counts once; what is only called alike is none."""
    proc.process(100, "slurmstepd: [4711.extern]")
    proc.process(101, "slurmstepd: [4711.batch]")
    proc.process(102, "slurmstepd: [98.0]")
    proc.process(103, "/usr/sbin/slurmstepd", "infinity")
    proc.process(104, "vim", "slurmstepd: [12.0]")
    proc.process(105)
    assert proc.sample() == OwnersSample({"sessions_active": 0, "jobs_running": 2}, ("98", "4711"))


def test_a_process_that_has_just_ended(proc):
    """It is none."""
    (proc.folder / "200").mkdir()
    assert proc.sample().values["jobs_running"] == 0


def test_a_container(proc):
    """Terminals and processes are its own, so nothing is said of the machine's."""
    link = proc.folder / "self" / "ns" / "pid"
    link.unlink()
    link.symlink_to("pid:[4026532198]")
    proc.terminal("0", 1)
    assert proc.sample() == OwnersSample(
        missing={"sessions_active": State.UNSUPPORTED, "jobs_running": State.UNSUPPORTED}
    )


def test_no_proc(tmp_path):
    """Where there is no `/proc`, nothing is said."""
    assert set(Host(tmp_path / "none").sample(NOW).missing.values()) == {State.UNSUPPORTED}


def test_hidden_processes(proc):
    """Where those of others are hidden, that there is no daemon of a job says nothing."""
    (proc.folder / "1" / "cmdline").unlink()
    found = proc.sample()
    assert found.values == {"sessions_active": 0}
    assert found.missing == {"jobs_running": State.NO_PERMISSION}


def test_no_terminals(proc):
    """A machine without a folder of terminals says nothing of them."""
    (proc.terminals / "ptmx").unlink()
    proc.terminals.rmdir()
    assert proc.sample().missing == {"sessions_active": State.FAILED}
