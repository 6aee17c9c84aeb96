"""What cases show of the conditions of a policy."""

from decimal import Decimal

import pytest

from engine.cases.coverage import cover, percent
from tests.engine.cases.samples import ALL, FIXTURE, ONE, cases_of, contexts

HEAD = "version: 1\npolicies:\n  - name: small\n    description: d\n"


def conditions(cases, **given):
    """Return each condition with how often it was true, false and unknown, and how often it decided."""
    found, policy, written = cases_of(cases, **given)
    (coverage,) = cover([policy], {"small": found}, written, contexts, lambda _stage, _more: None)
    assert coverage.cases == len(found)
    return {one.name: (one.true, one.false, one.unknown, one.decided) for one in coverage.conditions}


def share(cases):
    found, policy, written = cases_of(cases)
    return percent(cover([policy], {"small": found}, written, contexts, lambda _stage, _more: None))


def test_all_that_is_to_see():
    """
    Four cases: a large machine, a small one, a kept one, and one of two machines that the policy is not about.

    In the last, each of the two conditions of `where` is true of one machine and false of the other, and decides.
    """
    assert conditions(ALL) == {
        "where: resource.running": (4, 1, 0, 3),
        'where: tags.team != "core"': (4, 1, 0, 3),
        'unless: tags.keep == "true"': (1, 3, 0, 2),
        "rule: resource.vcpus > 4": (3, 1, 0, 3),
    }
    assert share(ALL) == 100


def test_a_single_case_shows_one_side():
    """Every condition decided in it and was seen one way only: nothing is covered."""
    assert conditions(ONE) == {
        "where: resource.running": (1, 0, 0, 1),
        'where: tags.team != "core"': (1, 0, 0, 1),
        'unless: tags.keep == "true"': (0, 1, 0, 1),
        "rule: resource.vcpus > 4": (1, 0, 0, 1),
    }
    assert share(ONE) == 0


def test_what_is_not_known_is_counted_apart():
    """Denied tags leave both conditions about tags unknown."""
    case = "  - {name: x, policy: small, resource: {from: large, gaps: {tags: denied}}, expect: unknown}"
    found = conditions(case)
    assert found['where: tags.team != "core"'] == (0, 0, 1, 1)
    assert found['unless: tags.keep == "true"'] == (0, 0, 1, 1)


def test_a_condition_that_never_decides():
    """Where the rule is false, it does not matter whether the machine is kept."""
    case = (
        "  - name: x\n    policy: small\n    expect: compliant\n    resources:\n"
        "      - {from: large, fields: {vcpus: 1}, tags: {keep: 'true'}}\n      - {from: large, fields: {vcpus: 1}}\n"
    )
    assert conditions(case)['unless: tags.keep == "true"'] == (1, 1, 0, 0)


CHECKS = [
    (
        "    resource: storage.bucket\n    encryption: {at_rest: required, key: customer}\n",
        "  a: {kind: aws.s3.bucket, fields: {encryption.at_rest: true, encryption.key: customer}}\n",
        ["{from: a}", "{from: a, fields: {encryption.at_rest: false}}", "{from: a, fields: {encryption.key: aws}}"],
        {"encryption: at_rest is violated": (1, 1, 0, 2), "encryption: key is violated": (1, 1, 0, 2)},
    ),
    (
        "    resource: compute.instance\n    required_tags: [team, owner]\n",
        "  a: {kind: aws.ec2.instance, tags: {team: a, owner: b}}\n",
        ["{from: a}", "{from: a, without: [tags.team]}", "{from: a, without: [tags.owner]}"],
        {
            "required_tags: team is not as it should be": (1, 1, 0, 2),
            "required_tags: owner is not as it should be": (1, 1, 0, 2),
        },
    ),
    (
        "    resource: compute.instance\n    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}\n",
        """\
  a:
    kind: aws.ec2.instance
    fields: {running: true, launched: now-9d, accelerator.count: 1, accelerator.devices: 1, accelerator.model: A10G}
    metrics: {gpu.utilization: {"0": "0x240"}, gpu.power: {"0": "(57.9 58.3)x120"}, cpu.utilization: "1x48"}
""",
        [
            "{from: a}",
            '{from: a, metrics: {gpu.utilization: {"0": "9x239 8"}}}',
            '{from: a, metrics: {gpu.power: {"0": "(99.1 99.2)x120"}}}',
        ],
        {
            "idle: gpu.utilization below 5%": (1, 1, 0, 3),
            "idle: gpu.power_over_idle below 15%": (1, 1, 0, 2),
        },
    ),
    (
        '    resource: compute.instance\n    schedule: {days: [wed], hours: "08:00-16:00", zone: UTC}\n',
        "  a: {kind: aws.ec2.instance, fields: {running: true}}\n",
        ["{from: a}", "{from: a, fields: {running: false}}"],
        {"schedule: running outside working hours": (1, 1, 0, 1)},
    ),
]


@pytest.mark.parametrize(("policy", "fixture", "resources", "expected"), CHECKS, ids=lambda part: str(part)[:60])
def test_conditions_of_checks(policy, fixture, resources, expected):
    """
    Each demand, tag, threshold and the hours are conditions. The first resource keeps them all or violates them all;
    each of the others differs in one, and decides by it. Power does not decide where use is told already, use does
    where power is: the two then contradict each other, or do not.
    """
    fixtures = 'version: 1\nnow: "2026-03-04T16:00:00Z"\nfixtures:\n' + fixture + "cases:\n"
    cases = "  - {name: x, policy: small, expect: compliant, resources: [" + ", ".join(resources) + "]}\n"
    split = "".join(
        f"  - {{name: x{n}, policy: small, expect: compliant, resource: {one}}}\n" for n, one in enumerate(resources)
    )
    assert set(conditions(cases, policies=HEAD + policy, fixtures=fixtures)) == set(expected)
    found = conditions(split, policies=HEAD + policy, fixtures=fixtures)
    assert {name: (min(t, 1), min(f, 1), u, d) for name, (t, f, u, d) in found.items()} == expected


def test_conditions_of_a_quota():
    """Each limit is a condition of the groups that it holds for; `where` is one of every resource."""
    policy = (
        HEAD + "    resource: compute.instance\n    where: resource.running\n"
        "    quota: {group_by: tags.team, limits: {resources: 1}, overrides: {core: {resources: 2}}}\n"
    )
    two = "[{from: large}, {from: large, id: i-2}]"
    core = two.replace("from: large", "from: large, tags: {team: core}")
    cases = (
        f"  - {{name: two, policy: small, resources: {two}, group: vision, expect: violation}}\n"
        "  - {name: one, policy: small, resource: {from: large}, group: vision, expect: compliant}\n"
        f"  - {{name: core, policy: small, resources: {core}, group: core, expect: compliant}}\n"
    )
    assert conditions(cases, policies=policy, fixtures=FIXTURE) == {
        "where: resource.running": (3, 0, 0, 1),
        "quota: over limits.resources 1": (1, 1, 0, 2),
        "quota: over overrides.core.resources 2": (0, 1, 0, 1),
    }


def test_the_share_is_rounded_down():
    """Two of three are 66.6%, and never enough for 66.7%; no conditions at all are all of them."""
    assert percent([]) == Decimal(100)
    assert share(
        ALL.replace("  - {name: kept", "  - {name: kept2")
        .replace('tags: {keep: "true"}', "id: i-2")
        .replace("expect: exempt", "expect: violation")
    ) == Decimal(75)
