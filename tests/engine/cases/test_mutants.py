"""The mutants of a policy: one for each thing that could be otherwise, each at its place."""

import pytest

from engine.cases.mutants import mutants_of
from engine.cases.written import Written
from tests.engine.cases.samples import policies_of
from tests.engine.estates import CATALOG

HEAD = "version: 1\npolicies:\n  - name: p\n    description: d\n"
APPROVE = '    mode: approve\n    approval: {channel: "#x", approvers: ["@y"]}\n    remediate: [stop]\n'
CHANGES = {
    "    resource: compute.instance\n    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}, "
    "classes: [no_process]}\n" + APPROVE: [
        "6:17 idle.for: 4h → 3h",
        "6:17 idle.for: 4h → 5h",
        "6:46 idle.below.gpu.utilization: 5% → 4%",
        "6:46 idle.below.gpu.utilization: 5% → 6%",
        "6:46 idle.below.gpu.utilization: dropped",
        "6:71 idle.below.gpu.power_over_idle: 15% → 14%",
        "6:71 idle.below.gpu.power_over_idle: 15% → 16%",
        "6:71 idle.below.gpu.power_over_idle: dropped",
        "6:87 idle.classes: dropped",
        "7:11 mode: approve → report",
        "9:17 remediate: stop dropped",
    ],
    "    resource: compute.instance\n    idle: {for: 4h, below: {gpu.utilization: 5%}, unseen: 2m, "
    "protect_while: {cpu.utilization: 20%}, coverage: 90%}\n": [
        "6:17 idle.for: 4h → 3h",
        "6:17 idle.for: 4h → 5h",
        "6:46 idle.below.gpu.utilization: 5% → 4%",
        "6:46 idle.below.gpu.utilization: 5% → 6%",
        "6:96 idle.protect_while.cpu.utilization: dropped",
        "6:96 idle.protect_while.cpu.utilization: 20% → 19%",
        "6:96 idle.protect_while.cpu.utilization: 20% → 21%",
        "6:59 idle.unseen: 2m → 1m",
        "6:59 idle.unseen: 2m → 3m",
        "6:112 idle.coverage: 90% → 89%",
        "6:112 idle.coverage: 90% → 91%",
    ],
    "    resource: storage.bucket\n    encryption: {at_rest: required, key: customer}\n": [
        "6:27 encryption.at_rest: dropped",
        "6:42 encryption.key: dropped",
    ],
    "    resource: compute.instance\n    required_tags: {tags: {team: {values: [a, b], synonyms: [Team]}}}\n": [
        "6:34 required_tags.tags.team: dropped",
        "6:34 required_tags.tags.team.values: a dropped",
        "6:34 required_tags.tags.team.values: b dropped",
        "6:34 required_tags.tags.team.synonyms: Team dropped",
        "6:34 required_tags.tags.team.values: dropped",
        "6:34 required_tags.tags.team.case: exact → insensitive",
    ],
    '    resource: compute.instance\n    schedule: {days: [mon], hours: "08:00-24:00", zone: Europe/Berlin, '
    "holidays: [2026-12-25]}\n": [
        "6:23 schedule.days: mon dropped",
        "6:36 schedule.hours: 08:00-24:00 → 07:59-24:00",
        "6:36 schedule.hours: 08:00-24:00 → 08:00-23:59",
        "6:36 schedule.hours: 08:00-24:00 → 08:01-24:00",
        "6:83 schedule.holidays: 2026-12-25 dropped",
        "6:57 schedule.zone: Europe/Berlin → UTC",
    ],
    "    resource: [compute.instance, ml.endpoint]\n    quota: {group_by: tags.team, limits: {spend_rate: $50/h}, "
    "overrides: {a: {resources: 2}}}\n": [
        "5:16 resource: compute.instance dropped",
        "5:34 resource: ml.endpoint dropped",
        "6:23 quota.group_by: `tags.team`: another key",
        "6:55 quota.limits.spend_rate: dropped",
        "6:55 quota.limits.spend_rate: $50/h → $49/h",
        "6:55 quota.limits.spend_rate: $50/h → $51/h",
        "6:78 quota.overrides.a: dropped",
        "6:90 quota.overrides.a.resources: dropped",
        "6:90 quota.overrides.a.resources: 2 → 1",
        "6:90 quota.overrides.a.resources: 2 → 3",
    ],
    '    resource: compute.instance\n    where: resource.running\n    unless:\n      - tags.a == "1"\n'
    '      - >-\n        (tags.b == "1" or\n        tags.c == "1") and resource.running\n    rule: resource.imdsv2\n': [
        "6:12 where: dropped",
        "6:12 where: `resource.running`: negated",
        '8:9 unless: `tags.a == "1"`: dropped',
        '8:9 unless: `tags.a == "1"`: == → !=',
        "8:9 unless: `tags.a`: another key",
        '9:9 unless: `(tags.b == "1" or tags.c == "1") and resource.running`: dropped',
        '10:10 unless: `(tags.b == "1" or tags.c == "1") and resource.running`: and → or',
        '10:10 unless: `tags.b == "1" or tags.c == "1"`: dropped',
        '10:10 unless: `tags.b == "1" or tags.c == "1"`: or → and',
    ],
}  # fmt: skip


@pytest.mark.parametrize("body", CHANGES)
def test_every_mutant(body):
    """They come in the order of the policy's keys, with line and column of what is changed."""
    text = HEAD + body
    found = list(mutants_of(policies_of(text).policies[0], CATALOG, Written.of({"small.yaml": text})))
    told = [f"{mutant.place.line}:{mutant.place.column} {mutant.change}" for mutant in found]
    assert told[: len(CHANGES[body])] == CHANGES[body]
    if "unless" not in body:
        assert told == CHANGES[body]


@pytest.mark.parametrize("body", CHANGES)
def test_no_mutant_is_the_policy(body):
    """Each differs from the policy and from all others, and says so in words of its own."""
    text = HEAD + body
    (policy,) = policies_of(text).policies
    found = list(mutants_of(policy, CATALOG, Written.of({"small.yaml": text})))
    assert policy not in [mutant.policy for mutant in found]
    assert len({repr(mutant.policy) for mutant in found}) == len(found)
    assert len({(mutant.change, mutant.place) for mutant in found}) == len(found)
