"""
Judging recorded telemetry: the GenTD26 sweep of 5 windows x 5 thresholds, and 1,000 GPUs x 1 day at one minute.

With `--long`, 10,000 GPUs x 7 days in one process (some minutes). Each is read from files, with CPU seconds and the
peak of memory of the process.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

POLICY = """\
version: 1
policies:
  - name: bench
    description: Stop what rests.
    resource: compute.instance
    where: resource.accelerator.count > 0
    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: enforce
    remediate: [stop]
    limits: {max_actions: 1000, max_share: 100%}
"""
USE_ALONE = POLICY.replace(", gpu.power_over_idle: 15%", "")
AXES = {"for": ("30m", "1h", "2h", "4h", "6h"), "below.gpu.utilization": ("1%", "5%", "10%", "20%", "50%")}
TRACE = Path(os.environ.get("BURSAR_SHARED_DATA", "../shared/data")) / "gentd26/pod_gpu_duty_cycle_anon.tar.gz"
ROWS = """\
COPY (
  SELECT printf('i-%05d', g // 8) AS resource, CAST(g % 8 AS VARCHAR) AS device, 'NVIDIA H100' AS model,
         1772409600 + 60 * t AS at, CASE WHEN busy THEN 90.0 + t % 10 ELSE 0.0 END AS "gpu.utilization",
         CASE WHEN busy THEN 600.0 ELSE 95.0 END + (t * 7 % 13) / 10 AS "gpu.power"
  FROM (SELECT g, t, (t // 360 + g // 8 * 7) % 5 < 3 AS busy FROM range({minutes}) b(t), range({gpus}) a(g))
) TO '{path}' (FORMAT parquet)
"""
"""Shifts of six hours, three of five at work; all machines of a minute lie together, as they are recorded."""


def main() -> None:
    if sys.argv[1:2] == ["run"]:
        _run(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
        return
    sizes = [(1_000, 1)] + ([(10_000, 1), (10_000, 7)] if "--long" in sys.argv else [])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.yaml").write_text(POLICY)
        (folder / "use.yaml").write_text(USE_ALONE)
        if TRACE.is_file():
            with tarfile.open(TRACE) as packed:
                packed.extractall(folder, filter="data")
            trace = next(folder.glob("*duty*.csv"))
            _child("GenTD26, 25 settings", trace, folder / "use.yaml", "sweep")
        else:
            print(f"  NOT MEASURED: {TRACE} is not there")
        for gpus, days in sizes:
            recording = folder / f"{gpus}.parquet"
            rows = ROWS.format(gpus=gpus, minutes=days * 1440, path=recording)
            # In a process of its own: a child begins with the peak of memory that its parent had.
            subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"import duckdb; duckdb.execute('SET enable_progress_bar = false'); duckdb.execute({rows!r})",
                ],
                check=True,
            )
            size = recording.stat().st_size / 2**20
            _child(f"{gpus:,} GPUs x {days} d ({size:,.0f} MiB)", recording, folder / "policy.yaml", "once")
            recording.unlink()


def _child(title: str, recording: Path, policy: Path, how: str) -> None:
    print(f"  {title:<34}", end="", flush=True)
    subprocess.run([sys.executable, "-m", "benchmarks.backtest", "run", recording, policy, how], check=True)


def _run(recording: Path, policy: Path, how: str) -> None:
    from bursar.backtesting import Ask, backtest
    from bursar.wiring import Choice
    from integrations.recordings.inventory import Taken

    start, cpu = time.perf_counter(), time.process_time()
    sweep = how == "sweep"
    columns = {"resource": "container_ip", "at": "timestamp_anon", "gpu.utilization": "value"} if sweep else {}
    taken = Taken("g6e.xlarge" if sweep else "p5.48xlarge")
    axes = AXES if sweep else {}
    done = backtest(
        Ask(Choice(policies=(str(policy),)), (recording,), columns, taken, limits=False, one_signal=sweep, axes=axes)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent, wall = time.process_time() - cpu, time.perf_counter() - start
    acts = sum(row.outcome.acts for row in done.rows)
    print(
        f"{spent:>7.1f} s of CPU, {wall:.1f} s, peak {peak:,.0f} MiB; {done.recording.samples:,} samples, {acts:,} acts"
    )


if __name__ == "__main__":
    main()
