"""
Who uses this machine: terminals into which somebody types, and jobs of Slurm that run.

Terminals are looked at themselves, not at `utmp`: its entries outlive the logins they are of, and distributions no
longer keep it. The kernel dates a terminal's last input by its access time, to eight seconds. Jobs are seen by the
daemon that watches over each of their steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from integrations.nvml.samples import OwnersSample, State

ACTIVE = timedelta(minutes=15)
"""How long ago somebody may have typed last to be taken to be there."""
HOST_PIDS = "pid:[4026531836]"
"""The PID namespace of the machine itself (PROC_PID_INIT_INO of Linux); that of a container has another number."""
STEP = re.compile(r"slurmstepd: \[(\d+)(?:_\d+)?\.")
"""What a daemon of a step calls itself: `slurmstepd: [4711.batch]`."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where a machine shows who uses it."""

    proc: Path = Path("/proc")

    def sample(self, now: float) -> OwnersSample:
        """Return who uses the machine at `now`, in epoch seconds; what cannot be seen is missing, never 0."""
        if not self._of_machine():
            return OwnersSample(missing={"sessions_active": State.UNSUPPORTED, "jobs_running": State.UNSUPPORTED})
        values: dict[str, float] = {}
        missing: dict[str, State] = {}
        jobs: tuple[str, ...] = ()
        try:
            values["sessions_active"] = float(sum(now - at < ACTIVE.total_seconds() for at in self._typed()))
        except OSError as error:
            missing["sessions_active"] = _state(error)
        try:
            jobs = tuple(sorted(set(self._jobs()), key=lambda job: (len(job), job)))
            values["jobs_running"] = float(len(jobs))
        except OSError as error:
            missing["jobs_running"] = _state(error)
        return OwnersSample(values, jobs, missing)

    def _of_machine(self) -> bool:
        """Return whether this process sees those of the whole machine."""
        try:
            return str((self.proc / "self" / "ns" / "pid").readlink()) == HOST_PIDS
        except OSError:
            return False

    def _typed(self) -> Iterator[float]:
        """
        Yield when something was typed into each terminal, in epoch seconds.

        They are those of the machine's first process, as far as that can be looked at: a container has its own.
        """
        folder = self.proc / "1" / "root" / "dev" / "pts"
        try:
            names = sorted(folder.iterdir())
        except PermissionError:
            folder = self.proc / "self" / "root" / "dev" / "pts"
            names = sorted(folder.iterdir())
        for name in names:
            if name.name.isdecimal():
                try:
                    yield name.stat().st_atime
                except FileNotFoundError:
                    continue

    def _jobs(self) -> Iterator[str]:
        """Yield the id of the job of each step that runs; raise `OSError` where those of others are hidden."""
        if not (self.proc / "1" / "cmdline").exists():
            raise PermissionError("processes of others are hidden (hidepid)")
        for folder in self.proc.iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                line = (folder / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found = STEP.match(line.decode(errors="replace"))
            if found:
                yield found[1]


def _state(error: OSError) -> State:
    return State.NO_PERMISSION if isinstance(error, PermissionError) else State.FAILED
