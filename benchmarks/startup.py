"""Wall time of the commands people type most, each in a new process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
KINDS = ("aws.ec2.instance", "aws.ebs.volume", "aws.s3.bucket", "aws.sagemaker.endpoint", "aws.sagemaker.notebook")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policies.yaml"
        entries = [
            f"  - name: policy-{n}\n    description: tags\n    resource: {KINDS[n % len(KINDS)]}\n"
            f"    where: resource.age > {n + 1}d and tags.team != 'team-{n}'\n    required_tags: [owner, team]\n"
            for n in range(50)
        ]
        file.write_text("version: 1\npolicies:\n" + "".join(entries))
        for title, arguments in (("--version", ["--version"]), ("validate, 50 policies", ["validate", str(file)])):
            times = [_time([sys.executable, "-m", "bursar", *arguments]) for _ in range(ROUNDS)]
            print(f"  bursar {title:<22} {statistics.median(times):.2f} s")


def _time(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
