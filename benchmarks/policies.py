"""Policies and resources for measurements: plain, many, and made the same way every time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from actions.catalog import remediations
from engine.checks.context import Context
from engine.model import Resource, Scope, ScopeReport, ScopeStatus, Usage
from engine.policy.load import load_policies
from engine.policy.model import PolicySet
from engine.ports import Item
from engine.prices import PriceBook
from integrations.catalog import default_catalog
from integrations.prices.load import bundled, gpu_idle_watts

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
TYPES = ("m7i.large", "c7i.2xlarge", "g5.xlarge", "g6.12xlarge", "p4d.24xlarge", "p5.48xlarge")
GPUS = (0, 0, 1, 4, 8, 8)


def rules(count: int) -> PolicySet:
    """Return `count` rules of five conditions each, of which few are met."""
    entries = [
        f"""
  - name: rule-{n}
    description: five conditions
    resource: aws.ec2.instance
    rule: >-
      resource.running and resource.accelerator.count > {n % 7}
      and (resource.instance.type.startsWith("p{n % 9}") or resource.age > {n}d) and tags.team == "team-{n}"
"""
        for n in range(count)
    ]
    return _loaded(entries)


def tags(count: int) -> PolicySet:
    """Return `count` tag policies."""
    entries = [
        f"""
  - name: tags-{n}
    description: presence and values
    resource: aws.ec2.instance
    required_tags:
      tags: {{owner: {{}}, team: {{}}, environment: {{values: [production, staging, dev, sandbox]}}}}"""
        for n in range(count)
    ]
    return _loaded(entries)


def _loaded(entries: list[str]) -> PolicySet:
    text = "version: 1\npolicies:" + "".join(entries) + "\n"
    return load_policies({"bench.yaml": text}, default_catalog(), remediations())


def context() -> Context:
    """Return the constants of a run."""
    return Context(NOW, default_catalog(), PriceBook((bundled(),)), gpu_idle_watts(), _no_zone)


def _no_zone(name: str) -> timedelta:
    raise KeyError(name)


def instances(count: int) -> Iterator[Item]:
    """Yield `count` instances and the report of their scope; one in a thousand lacks its tags."""
    for n in range(count):
        which = n % len(TYPES)
        yield Resource(
            kind="aws.ec2.instance",
            id=f"i-{n:017x}",
            account="123456789012",
            region="us-east-1",
            name=f"node-{n}",
            fields={
                "state": "running",
                "running": True,
                "instance.type": TYPES[which],
                "lifecycle": "on-demand",
                "created": NOW - timedelta(days=n % 300),
                "accelerator.count": GPUS[which],
                "accelerator.devices": GPUS[which],
            },
            tags={}
            if n % 1000 == 0
            else {"owner": f"person-{n % 50}@example.com", "team": f"team-{n % 400}", "environment": "dev"},
            usage=(Usage(f"aws.ec2.linux.on_demand:{TYPES[which]}", Decimal(1), "hour"),),
        )
    yield ScopeReport(Scope("123456789012", "us-east-1", "aws.ec2.instance"), ScopeStatus.COMPLETE, count)
