"""Run every benchmark in a process of its own and print its figures."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

SCRIPTS = ("startup", "decisions", "memory", "collect", "state", "reconcile")


def main() -> int:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    wanted = sys.argv[1:] or SCRIPTS
    failed = False
    for script in wanted:
        print(f"\n{script}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{script}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
