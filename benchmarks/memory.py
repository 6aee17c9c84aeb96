"""Peak memory of one process over a million resources, streamed."""

from __future__ import annotations

import resource
import sys
import time

from benchmarks.policies import context, instances, rules
from engine.planning import Installation, plan_items

POLICIES = 20
UNITS = 2**20 if sys.platform == "darwin" else 2**10
"""`ru_maxrss` counts bytes on macOS and KiB elsewhere; in MiB."""


def main() -> None:
    for count in (100_000, 1_000_000):
        start = time.process_time()
        plan = plan_items(rules(POLICIES), instances(count), "bench", context(), Installation({}))
        spent = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNITS
        rate = count * POLICIES / spent
        print(
            f"  {count:>9,} resources x {POLICIES} policies: peak {peak:,.0f} MiB, {spent:,.0f} CPU seconds "
            f"({rate:,.0f} decisions each), {len(plan.findings):,} findings"
        )


if __name__ == "__main__":
    main()
