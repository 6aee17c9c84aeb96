"""
Peak memory of a process.

The same 200 instances are at fault whatever the size of the fleet: findings are kept, and resources are not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.decisions import agree, told, written
from benchmarks.processes import CUSTODIAN, Spent, median, spent
from benchmarks.rows import Row, at_most

AT_FAULT = 200
FLAT = 1.1
"""Times the memory of 100,000 that is still the same."""


def rows(folder: Path, rounds: int, *, long: bool) -> Iterator[Row]:
    theirs, ours = written(folder, 50)
    now = datetime.now(UTC).isoformat()
    at_hundred = [streamed(ours, 100_000, now) for _ in range(rounds)]
    # One run takes minutes and its memory hardly varies.
    custodian = [
        spent([CUSTODIAN / "python", "-m", "benchmarks.custodian_side", theirs, "100000", str(AT_FAULT), now])
        for _ in range(rounds if long else 1)
    ]
    agree(told(custodian[0]), told(at_hundred[0]))
    small, large = median([run.peak for run in at_hundred]), median([run.peak for run in custodian])
    yield at_most("peak memory, 100,000 instances × 50 policies", large, small, "{:.0f} MiB", 4)
    million = [streamed(ours, 1_000_000, now) for _ in range(rounds if long else 1)]
    yield _flat("1,000,000 × 50", million, small)
    _, twenty = written(folder, 20)
    base = median([streamed(twenty, 100_000, now).peak for _ in range(rounds)])
    yield _flat("10,000,000 × 20", [streamed(twenty, 10_000_000, now)], base)


def streamed(policies: Path, count: int, now: str) -> Spent:
    command = [sys.executable, "-m", "benchmarks.engine_side", policies, str(count), str(AT_FAULT), now, "--stream"]
    return spent(command)


def _flat(size: str, runs: list[Spent], base: float) -> Row:
    peak, cpu = median([run.peak for run in runs]), median([run.cpu for run in runs])
    decisions = told(runs[0])["decisions"]
    return Row(
        f"peak memory, {size}, streamed",
        "",
        f"{peak:.0f} MiB ({decisions / cpu:,.0f} decisions per CPU second, with the making of the fleet)",
        f"{peak / base:.2f} × that of 100,000",
        "flat",
        peak <= base * FLAT,
    )
