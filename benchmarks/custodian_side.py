"""
Cloud Custodian's own filters on the fleet: `python -m benchmarks.custodian_side POLICIES COUNT AT_FAULT NOW`.

Runs in Custodian's environment, with nothing of ours but the fleet. Prints CPU seconds, decisions and matches as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks.fleet import ACCOUNT, REGION, described, machines, moment


def main() -> None:
    from c7n.config import Config
    from c7n.loader import PolicyLoader
    from c7n.resources import load_resources

    parser = argparse.ArgumentParser()
    parser.add_argument("policies", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("at_fault", type=int)
    parser.add_argument("now", type=moment)
    asked = parser.parse_args()
    load_resources(("aws.ec2",))
    loader = PolicyLoader(Config.empty(region=REGION, account_id=ACCOUNT, dryrun=True, output_dir=""))
    policies = list(loader.load_data(json.loads(asked.policies.read_text("utf-8")), "bench", validate=False))
    resources = [described(machine, asked.now) for machine in machines(asked.count, asked.at_fault)]
    matches: dict[str, int] = {}
    start = time.process_time()
    for policy in policies:
        found = policy.resource_manager.filter_resources(resources)
        if found:
            matches[policy.name] = len(found)
    cpu = time.process_time() - start
    print(json.dumps({"cpu": cpu, "decisions": asked.count * len(policies), "matches": dict(sorted(matches.items()))}))


if __name__ == "__main__":
    main()
