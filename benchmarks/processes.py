"""Run a program as a whole process and take the operating system's own account of it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Measured = TypeVar("Measured")
ROOT = Path(__file__).parents[1]
CUSTODIAN = ROOT / ".venv-custodian" / "bin"
"""Where `make custodian` installs Custodian's programs."""
UNITS = 2**20 if sys.platform == "darwin" else 2**10
"""`ru_maxrss` counts bytes on macOS and KiB elsewhere; in MiB."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process needed."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, of user and system."""
    peak: float
    """MiB of resident memory, at most."""
    out: str


class BenchmarkError(Exception):
    """A program that is measured failed, so there is nothing to tell."""


def spent(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, ok: Sequence[int] = (0,)) -> Spent:
    """Run `command` to its end; raise `BenchmarkError` where its status is not among `ok`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        start = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=complaints,
            env={**environment(), **(env or {})},
            cwd=ROOT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        complaints.seek(0)
        if child.returncode not in ok:
            last = complaints.read().decode(errors="replace")[-2000:]
            raise BenchmarkError(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{last}")
        return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / UNITS, out.read().decode())


def environment() -> dict[str, str]:
    """Return this process's environment with dummies for its ways to AWS, and Python as it is by default."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def bursar(*arguments: str | Path) -> list[str | Path]:
    """Return the command line of Bursar."""
    return [sys.executable, "-m", "bursar", *arguments]


def custodian(*arguments: str | Path) -> list[str | Path]:
    """Return the command line of Cloud Custodian."""
    return [CUSTODIAN / "custodian", *arguments]


def in_turn(rounds: int, *works: Callable[[], Measured]) -> list[list[Measured]]:
    """Do each of `works` so many times, A B A B, so that a slower minute of the machine is a slower minute of all."""
    found: list[list[Measured]] = [[] for _ in works]
    for _ in range(rounds):
        for done, work in zip(found, works, strict=True):
            done.append(work())
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
