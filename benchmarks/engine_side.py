"""
Bursar's engine on the fleet: `python -m benchmarks.engine_side POLICIES COUNT AT_FAULT NOW [--stream]`.

Prints CPU seconds, decisions and findings as JSON. Findings have evidence and dollars. With `--stream`
instances are made as they are asked for, as an estate sends them; their making is then part of the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from actions.catalog import remediations
from benchmarks.fleet import ACCOUNT, REGION, TYPES, machines, moment
from bursar.cli import collect_garbage_rarely
from engine.checks.context import Context
from engine.model import Resource, Scope, ScopeReport, ScopeStatus, Usage
from engine.planning import Installation, plan_items
from engine.policy.load import load_policies
from engine.policy.model import PolicySet
from engine.ports import Item
from engine.prices import PriceBook
from integrations.catalog import default_catalog
from integrations.prices.load import bundled, gpu_idle_watts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("policies", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("at_fault", type=int)
    parser.add_argument("now", type=moment)
    parser.add_argument("--stream", action="store_true")
    asked = parser.parse_args()
    collect_garbage_rarely()
    policies = load_policies({"bench.yaml": asked.policies.read_text("utf-8")}, default_catalog(), remediations())
    items: Iterable[Item] = instances(asked.count, asked.at_fault, asked.now)
    if not asked.stream:
        items = list(items)
    print(json.dumps(measure(policies, items, asked.count, asked.now)))


def measure(policies: PolicySet, items: Iterable[Item], count: int, now: datetime) -> dict[str, object]:
    """Return what a plan took and how much it found."""
    context = Context(now, default_catalog(), PriceBook((bundled(),)), gpu_idle_watts(), _no_zone)
    start = time.process_time()
    plan = plan_items(policies, items, "bench", context, Installation(remediations()))
    cpu = time.process_time() - start
    found = Counter(finding.verdict.policy for finding in plan.findings)
    return {"cpu": cpu, "decisions": count * len(policies.policies), "matches": dict(sorted(found.items()))}


def _no_zone(name: str) -> timedelta:
    raise KeyError(name)


def instances(count: int, at_fault: int, now: datetime) -> Iterator[Item]:
    """Yield the fleet as Bursar's reader of EC2 hands it over, and the report of its scope."""
    sku = {t: (Usage(f"aws.ec2.linux.on_demand:{t}", Decimal(1), "hour"),) for t in TYPES}
    for machine in machines(count, at_fault):
        created = machine.created(now)
        yield Resource(
            kind="aws.ec2.instance",
            id=machine.id,
            account=ACCOUNT,
            region=REGION,
            fields={
                "state": machine.state,
                "running": machine.state == "running",
                "instance.type": machine.type,
                "availability_zone": "us-east-1a",
                "lifecycle": "on-demand",
                "tenancy": "default",
                "platform": "linux",
                "launched": created,
                "created": created,
                "public_ip": False,
                "imdsv2": True,
                "private_dns_name": f"ip-{machine.number}.ec2.internal",
            },
            tags=dict(machine.tags),
            usage=sku[machine.type] if machine.state == "running" else (),
        )
    yield ScopeReport(Scope(ACCOUNT, REGION, "aws.ec2.instance"), ScopeStatus.COMPLETE, count)


if __name__ == "__main__":
    main()
