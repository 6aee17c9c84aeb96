"""
Measure Bursar beside Cloud Custodian in one run on one machine and print one table of it.

`--write FILE` writes the table into a page, between its marks. Fleets of a hundred thousand that Custodian is asked
about and fleets of millions are measured once, and with `--long` as often as the rest. What takes long can be left
out by naming the other parts. `cold`, `collect`, `state`, `reconcile`, `backtest` and `serve` are Bursar's own, and
print figures of their own.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import decisions, dry_run, memory, startup
from benchmarks.processes import CUSTODIAN, BenchmarkError, custodian, spent
from benchmarks.rows import Row, markdown, show

LEAST = 5
PARTS = ("startup", "decisions", "dry-run", "memory")
OWN = ("cold", "collect", "state", "reconcile", "backtest", "serve")
LOAD = os.getloadavg()[0]
"""How busy the machine was with other things before this began."""
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS + OWN)}; all where none is named"
    )
    parser.add_argument("--rounds", type=int, default=LEAST, help="runs of which the median counts [default: 5]")
    parser.add_argument("--long", action="store_true", help="large fleets as often as the rest: half an hour")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the page to write the table into")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - {*PARTS, *OWN}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS + OWN)}")
    if not (CUSTODIAN / "custodian").exists():
        parser.error("Cloud Custodian is not installed: make custodian")
    start = time.monotonic()
    try:
        where = machine()
        print(where, flush=True)
        chosen = asked.parts or [*PARTS, *OWN]
        rows = measured([part for part in chosen if part in PARTS], asked.rounds, long=asked.long)
        for part in chosen:
            if part in OWN:
                more = ["--long"] if asked.long and part == "backtest" else []
                print(f"{part}\n{spent([sys.executable, '-m', f'benchmarks.{part}', *more]).out}", flush=True)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    show(rows)
    told = (
        f"{datetime.now(UTC):%Y-%m-%d}, {where}; medians of {asked.rounds}; load average before and after"
        f" {LOAD:.1f} and {os.getloadavg()[0]:.1f}; {(time.monotonic() - start) / 60:.0f} minutes"
    )
    print(told)
    if asked.write:
        write(asked.write, [told + ".", "", *markdown(rows)])
    return 0


def machine() -> str:
    """Return what the figures are of."""
    version = spent(custodian("version")).out.strip()
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()};"
        f" Cloud Custodian {version}"
    )


def measured(parts: list[str], rounds: int, *, long: bool) -> list[Row]:
    """Return all rows; each is told as it is there."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in parts:
            match part:
                case "startup":
                    rows = startup.rows(folder, rounds)
                case "decisions":
                    rows = decisions.rows(folder, rounds)
                case "dry-run":
                    rows = dry_run.rows(folder, rounds)
                case _:
                    rows = memory.rows(folder, rounds, long=long)
            for row in rows:
                print(f"  {row.work}: {row.custodian or '-'} | {row.bursar} | {row.ratio} {row.verdict}", flush=True)
                found.append(row)
    return found


def write(page: Path, lines: list[str]) -> None:
    """Put `lines` between the marks of `page`."""
    head, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has no marks {BEGIN} and {END}")
    page.write_text("\n".join([f"{head}{BEGIN}", *lines, f"{END}{tail}"]), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
