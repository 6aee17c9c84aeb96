"""Decisions per CPU second: Custodian's own filters, and Bursar's whole plan with evidence, findings and dollars."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.policies import five_conditions, write
from benchmarks.processes import CUSTODIAN, BenchmarkError, Spent, bursar, in_turn, median, spent
from benchmarks.rows import Row

RESOURCES, POLICIES = 10_000, 50


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    theirs, ours = written(folder, POLICIES)
    for share, aim in ((100, 30), (7, 0)):
        now = datetime.now(UTC).isoformat()
        asked = (str(RESOURCES), str(RESOURCES // share), now)
        found = in_turn(
            rounds,
            lambda asked=asked: told(spent([CUSTODIAN / "python", "-m", "benchmarks.custodian_side", theirs, *asked])),
            lambda asked=asked: told(spent([sys.executable, "-m", "benchmarks.engine_side", ours, *asked])),
        )
        agree(found[0][0], found[1][0])
        slow, fast = (median([one["decisions"] / one["cpu"] for one in runs]) for runs in found)
        findings = sum(found[1][0]["matches"].values())
        yield Row(
            f"decisions per CPU second, {RESOURCES:,} instances × {POLICIES} policies, one instance in {share} at fault"
            f" ({findings:,} findings)",
            f"{slow:,.0f}",
            f"{fast:,.0f}",
            f"{fast / slow:.0f}x",
            f"at least {aim}x" if aim else "",
            fast / slow >= aim if aim else None,
        )


def written(folder: Path, count: int) -> tuple[Path, Path]:
    """Return the files of `count` policies for Custodian and for Bursar."""
    theirs = write(five_conditions(count), folder / f"five-conditions-{count}.yml")
    ours = folder / f"five-conditions-{count}-bursar.yaml"
    spent(bursar("import", "custodian", theirs, "-o", ours))
    return theirs, ours


def told(run: Spent) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.out)
    return found


def agree(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """Raise where the two programs did not find the same: then they did not do the same work."""
    if theirs["matches"] != ours["matches"]:
        raise BenchmarkError(f"Custodian matches {theirs['matches']}, Bursar finds {ours['matches']}")
