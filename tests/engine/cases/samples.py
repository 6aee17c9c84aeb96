"""A small file of policies and a file of their tests, for tests of what is done with both."""

from __future__ import annotations

from functools import cache

from actions.catalog import remediations
from bursar.zones import zone
from engine.cases.load import Cases, load_cases
from engine.cases.run import Case, built
from engine.cases.written import Written
from engine.planning import Installation
from engine.policy.load import load_policies
from engine.policy.model import Policy, PolicySet
from tests.engine.estates import CATALOG, context

INSTALLATION = Installation(remediations())
POLICIES = """\
version: 1
policies:
  - name: small
    description: Machines have four vCPUs at most.
    resource: compute.instance
    where: resource.running and tags.team != "core"
    unless: tags.keep == "true"
    rule: resource.vcpus > 4
    mode: notify
"""
FIXTURE = """\
version: 1
now: "2026-03-04T16:00:00Z"
fixtures:
  large: {kind: aws.ec2.instance, fields: {running: true, vcpus: 5}, tags: {team: vision}}
cases:
"""
ONE = "  - {name: large, policy: small, resource: {from: large}, expect: violation, mode: notify}\n"
ALL = (
    ONE
    + """\
  - {name: four, policy: small, resource: {from: large, fields: {vcpus: 4}}, expect: compliant}
  - {name: kept, policy: small, resource: {from: large, tags: {keep: "true"}}, expect: exempt}
  - name: stopped, or of the core
    policy: small
    resources: [{from: large, fields: {running: false}}, {from: large, tags: {team: core}}]
    expect: compliant
    applies: false
"""
)
contexts = cache(context)


def policies_of(text: str = POLICIES) -> PolicySet:
    return load_policies({"small.yaml": text}, CATALOG, remediations(), zones=zone)


def load(cases: str, policies: str = POLICIES, fixtures: str = FIXTURE) -> Cases:
    return load_cases(fixtures + cases, "small_test.yaml", policies_of(policies), CATALOG, remediations())


def cases_of(cases: str, policies: str = POLICIES, fixtures: str = FIXTURE) -> tuple[tuple[Case, ...], Policy, Written]:
    """Return the cases, the first policy and its text."""
    found = policies_of(policies)
    by_name = {policy.name: policy for policy in found.policies}
    loaded = load(cases, policies, fixtures)
    return built(loaded, by_name, CATALOG), found.policies[0], Written.of({"small.yaml": policies})
