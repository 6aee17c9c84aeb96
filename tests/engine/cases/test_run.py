"""What comes of a case: everything that was expected and did not come, for each resource at each moment."""

import pytest

from engine.cases.run import explain_view, judge, passes
from tests.engine.cases.samples import ALL, FIXTURE, INSTALLATION, cases_of, contexts

QUOTA = """\
version: 1
policies:
  - {name: small, description: d, resource: compute.instance, quota: {group_by: tags.team, limits: {resources: 1}}}
"""
OPEN = "but it is not known whether the policy applies"
DENIED = "tags['team']: denied (said by the case); tags['keep']: denied (said by the case)"


def differences(case, **given):
    """Return what is not as expected, in words; both ways to ask have to agree."""
    (found,), policy, _ = cases_of(f"  - {{name: x, policy: small, {case}}}", **given)
    result = judge(found, policy, contexts, INSTALLATION)
    assert passes(found, policy, contexts, INSTALLATION) is result.passed
    return [str(difference) for difference in result.differences]


def test_cases_that_hold():
    """Nothing is said of them."""
    cases, policy, _ = cases_of(ALL)
    assert [judge(case, policy, contexts, INSTALLATION).differences for case in cases] == [(), (), (), ()]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            "resource: {from: large}, expect: compliant",
            "expected compliant, came violation: resource.vcpus > 4 holds",
        ),
        ("resource: {from: large, fields: {vcpus: 4}}, expect: violation", "expected violation, came compliant"),
        (
            "resource: {from: large, gaps: {tags: denied}}, expect: violation",
            f"expected violation, came unknown: resource.vcpus > 4 holds, {OPEN} ({DENIED})",
        ),
        (
            "resource: {from: large, gaps: {tags: denied}}, expect: unknown, reason: stale",
            f"expected the reason stale, came {DENIED}",
        ),
        ("resource: {from: large}, expect: violation, mode: approve", "expected the mode approve, came notify"),
        ("resource: {from: large}, expect: violation, steps: [stop]", "expected the steps [stop], came []"),
        (
            "resource: {from: large}, expect: violation, classification: stuck",
            "expected the class stuck, came none",
        ),
        (
            "resource: {from: large, fields: {vcpus: 4}}, expect: compliant, applies: false",
            "expected that the policy does not apply, came that it does",
        ),
    ],
)
def test_what_did_not_come(case, expected):
    """What was expected is told beside what came, with the reason that the policy gives."""
    assert differences(case) == [expected]


def test_each_resource_at_each_moment():
    """A case of two resources and two moments is four verdicts, and two of them are wrong here."""
    case = (
        'now: ["2026-03-04T16:00:00Z", "2026-03-05T16:00:00Z"], expect: violation, '
        "resources: [{from: large}, {from: large, fields: {vcpus: 2}}]"
    )
    assert differences(case) == ["expected violation, came compliant"] * 2


def test_a_group_that_does_not_exist():
    """It is not compliant but misspelt, and the groups that exist are named."""
    case = "resource: {from: large}, group: visoin, expect: compliant"
    assert differences(case, policies=QUOTA) == ["expected a group `visoin`, came groups `vision`"]


def test_evidence_of_a_compliant_group():
    """What a group holds is shown, though it is compliant and no plan has it."""
    (case,), policy, _ = cases_of(
        "  - {name: x, policy: small, resource: {from: large}, group: vision, expect: violation}", policies=QUOTA
    )
    (difference,) = judge(case, policy, contexts, INSTALLATION).differences
    answers = explain_view(difference.view, policy, contexts)
    assert [(verdict.subject.name, verdict.evidence[0].value) for _, verdict in answers.groups] == [("vision", 1)]


def test_evidence_of_a_compliant_resource():
    """The decision path is there, with what was read."""
    (case,), policy, _ = cases_of(
        "  - {name: x, policy: small, resource: {from: large, fields: {vcpus: 4}}, expect: violation}"
    )
    answers = explain_view(case.views[0], policy, contexts)
    ((explained,),) = [found.explanations for found in answers.resources]
    assert [(one.path, one.value) for one in explained.judgement.evidence] == [("resource.vcpus", 4)]


def test_a_failed_tag_call_brings_no_tags():
    """Tags of a fixture are gone where the case says that tags were denied, and what it writes itself stays."""
    fixtures = FIXTURE.replace("team: vision}", "team: vision, keep: 'true'}")
    case = "resource: {from: large, gaps: {tags: denied}, tags: {team: a}}, expect: unknown, reason: denied"
    assert differences(case, fixtures=fixtures) == []
