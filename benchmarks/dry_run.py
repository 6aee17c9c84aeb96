"""Dry runs over HTTP, from the command line to the file with what was found, and the API calls they take."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.decisions import agree, written
from benchmarks.policies import two_metrics, write
from benchmarks.processes import Spent, bursar, custodian, environment, in_turn, median, spent
from benchmarks.rows import Row, at_most
from bursar.demo.process import running_server

INSTANCES, AT_FAULT = 2_000, 20
MOST_CALLS = 20


@dataclass(frozen=True)
class Account:
    """The account that both programs see."""

    address: str
    folder: Path

    def calls(self) -> Counter[str]:
        """Return the calls since the last time this was asked."""
        with urllib.request.urlopen(f"{self.address}/_calls") as answer:
            return Counter(json.load(answer))

    def theirs(self, policies: Path) -> Spent:
        """Run Custodian as it is run every hour: its cache is on, and what it holds is too old."""
        out, cache = self.folder / "custodian-out", self.folder / "custodian-cache"
        shutil.rmtree(out, ignore_errors=True)
        cache.unlink(missing_ok=True)
        command = custodian("run", "--dryrun", "-s", out, "-f", cache, policies)
        return spent(command, env={"AWS_ENDPOINT_URL": self.address})

    def matched(self) -> dict[str, int]:
        """Return how much each policy of Custodian matched in its last run."""
        files = (self.folder / "custodian-out").rglob("resources.json")
        found = {file.parent.name: len(json.loads(file.read_text("utf-8"))) for file in files}
        return {name: count for name, count in sorted(found.items()) if count}

    def ours(self, policies: Path) -> Spent:
        """Run Bursar; the plan, with all evidence, is what it prints."""
        command = bursar("plan", "-p", policies, "--region", "us-east-1", "-f", "json")
        run = spent(command, env={"AWS_ENDPOINT_URL": self.address})
        (self.folder / "plan.json").write_text(run.out, "utf-8")
        return run

    def found(self) -> dict[str, int]:
        plan = json.loads((self.folder / "plan.json").read_text("utf-8"))
        return dict(sorted(Counter(finding["policy"] for finding in plan["findings"]).items()))


@contextmanager
def account(folder: Path) -> Iterator[tuple[Account, str]]:
    """Yield an account with the fleet in it whose answers are replayed, and where it is emulated."""
    with running_server() as server:
        now = datetime.now(UTC).isoformat()
        plant = (sys.executable, "-m", "benchmarks.plant", server.endpoint, folder / "ids.json")
        spent([*plant, str(INSTANCES), str(AT_FAULT), now])
        proxy = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.replay", server.endpoint],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        try:
            assert proxy.stdout is not None
            yield Account(proxy.stdout.readline().decode().strip(), folder), server.endpoint
        finally:
            proxy.kill()
            proxy.communicate()


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    theirs, ours = written(folder, 50)
    with account(folder) as (replayed, endpoint):
        # The emulated account takes its time to answer each program's way of asking for the first time.
        replayed.theirs(theirs)
        replayed.ours(ours)
        agree({"matches": replayed.matched()}, {"matches": replayed.found()})
        found = in_turn(rounds, lambda: replayed.theirs(theirs), lambda: replayed.ours(ours))
        work = f"dry run, {INSTANCES:,} instances × 50 policies, end to end"
        slow, fast = (median([one.wall for one in runs]) for runs in found)
        yield at_most(f"{work}: wall", slow, fast, "{:.2f} s", 8)
        slow, fast = (median([one.cpu for one in runs]) for runs in found)
        yield at_most(f"{work}: CPU", slow, fast, "{:.2f} s", 8)
        slow, fast = (median([one.peak for one in runs]) for runs in found)
        yield Row(f"{work}: peak memory", f"{slow:.0f} MiB", f"{fast:.0f} MiB", f"1/{slow / fast:.1f}", "")
        yield calls(replayed, endpoint, folder)


def calls(replayed: Account, endpoint: str, folder: Path) -> Row:
    """Return the row of two policies about telemetry; calls are counted once, as they do not vary."""
    theirs = write(two_metrics(), folder / "two-metrics.yml")
    ours = folder / "two-metrics-bursar.yaml"
    spent(bursar("import", "custodian", theirs, "-o", ours))
    now = datetime.now(UTC).isoformat()
    plant = (sys.executable, "-m", "benchmarks.plant", endpoint, folder / "ids.json")
    spent([*plant, str(INSTANCES), str(AT_FAULT), now, "--telemetry"])
    replayed.calls()
    replayed.ours(ours)
    few = replayed.calls()
    replayed.theirs(theirs)
    many = replayed.calls()
    agree({"matches": replayed.matched()}, {"matches": replayed.found()})
    return Row(
        f"API calls, 2 policies about telemetry × {INSTANCES:,} instances",
        f"{many.total():,}",
        f"{few.total():,} ({few['cloudwatch:GetMetricData']} for telemetry)",
        f"1/{many.total() / few.total():.0f}",
        f"at most {MOST_CALLS}",
        few.total() <= MOST_CALLS,
    )
