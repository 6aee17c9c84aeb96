"""Decisions per CPU second, findings with evidence and dollars included."""

from __future__ import annotations

import statistics
import time

from benchmarks.policies import context, instances, rules, tags
from engine.evaluate import Tallies, compile_policies, judge_items
from engine.planning import Installation, plan_items
from engine.policy.model import PolicySet

RESOURCES = 10_000
ROUNDS = 5


def main() -> None:
    items = list(instances(RESOURCES))
    for title, policies in (("rule, five conditions", rules(50)), ("required_tags, three tags", tags(50))):
        print(f"  {title}: {RESOURCES:,} resources x {len(policies.policies)} policies")
        _evaluation(policies, items)
        _measure("verdicts, explained", policies, items, whole=False)
        _measure("whole plan", policies, items, whole=True)


def _evaluation(policies: PolicySet, items: list) -> None:
    rates = []
    for _ in range(ROUNDS):
        deciders = [compiled.decide for compiled in compile_policies(policies.policies, context()).single]
        start = time.process_time()
        for resource in items[:-1]:
            for decide in deciders:
                decide(resource)
        rates.append(RESOURCES * len(deciders) / (time.process_time() - start))
    print(f"    {'evaluation':<20} {statistics.median(rates):>12,.0f} decisions per CPU second")


def _measure(title: str, policies: PolicySet, items: list, *, whole: bool) -> None:
    rates = []
    found = 0
    for _ in range(ROUNDS):
        ours = context()
        start = time.process_time()
        if whole:
            found = len(plan_items(policies, items, "bench", ours, Installation({})).findings)
        else:
            compiled = compile_policies(policies.policies, ours)
            found = sum(1 for _ in judge_items(compiled, items, Tallies()))
        spent = time.process_time() - start
        rates.append(RESOURCES * len(policies.policies) / spent)
    print(f"    {title:<20} {statistics.median(rates):>12,.0f} decisions per CPU second, {found:,} findings")


if __name__ == "__main__":
    main()
