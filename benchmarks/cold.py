"""
A cold start of each Lambda function: a new process, its imports, and its first answer without the network.

AWS adds what it takes to fetch the zip and start Python, about 0.2 s; a function of 1,769 MB has one whole core.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 7
EMPTY = "pass"
IMPORTS = {
    "nothing: Python alone": EMPTY,
    "schedule": "import bursar.lambdas.schedule",
    "schedule, to the run": "import bursar.lambdas.schedule, bursar.lambdas.place, bursar.running, boto3",
    "slack": "import bursar.lambdas.slack",
    "slack, to the answer": "import bursar.lambdas.slack, bursar.lambdas.desk, boto3, slack_sdk.signature",
    "deferred": "import bursar.lambdas.deferred",
}


def main() -> None:
    for title, code in IMPORTS.items():
        times = [_time(code) for _ in range(ROUNDS)]
        print(f"  {title:<26} {statistics.median(times):.2f} s")


def _time(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
