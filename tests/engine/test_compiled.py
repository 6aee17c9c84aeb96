"""The two halves of a policy: the one that decides and the one that explains."""

from dataclasses import replace

import pytest

from engine.compiled import OWNER_TAGS, compile_check, compile_policy, explain, subject_of
from engine.findings import Confidence, Outcome
from engine.model import Resource
from tests.engine.estates import DENIED, context, instance, policy

ABOUT = "resource: aws.ec2.instance\n    "
CHECKS = {
    "required_tags": "required_tags: [owner]",
    "idle": "idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}",
    "schedule": 'schedule: {hours: "08:00-12:00", zone: UTC}',
    "rule": "rule: resource.running",
}


def compiled(entry: str):
    ours, found = context(), policy(entry)
    check = compile_check(found, ours)
    assert check is not None
    return compile_policy(found, check, ours)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("where", ["", "where: resource.imdsv2", "where: resource.id == 'other'"])
@pytest.mark.parametrize("unless", ["", "unless: resource.imdsv2", "unless: tags.environment == 'dev'"])
@pytest.mark.parametrize("imdsv2", [True, False, DENIED], ids=str)
@pytest.mark.parametrize("damage", ["none", "tags", "running"])
def test_both_halves_agree(name, where, unless, imdsv2, damage):
    """Every check under every clause: what is decided fast is what is explained slowly."""
    resource = instance(fields={"imdsv2": imdsv2})
    if damage == "tags":
        resource = replace(resource, tags={}, gaps={"tags": DENIED})
    if damage == "running":
        resource = instance(fields={"imdsv2": imdsv2, "running": DENIED})
    found = compiled(ABOUT + "\n    ".join(part for part in (CHECKS[name], where, unless) if part))
    decided = found.decide(resource)
    explanation = found.explain(resource)
    if decided is None:
        assert explanation.in_scope is False
    assert explanation.verdict.outcome is (decided or Outcome.COMPLIANT)
    assert bool(explanation.verdict.unknowns) is (decided is Outcome.UNKNOWN)


@pytest.mark.parametrize(
    "check",
    ["budget: {amount: '$1/mo'}", "unit_cost: {per: request, target: $1}", "job_approval: {gpus: 1}",
     "vector_limits: {replicas: 1}", "resource: aws.ec2.instance\n    quota: {limits: {resources: 1}}"],
)  # fmt: skip
def test_checks_about_something_else(check):
    """Checks about groups, spend, jobs and collections are none of single resources."""
    assert compile_check(policy(check), context()) is None


def test_the_whole_path():
    """An explanation has the answer of every clause with all it read, also where it did not matter."""
    clauses = "where: resource.imdsv2 or tags.a == 'x'\n    unless: [tags.b == 'y', tags.owner == 'ana']"
    entry = f"{ABOUT}rule: resource.running\n    {clauses}"
    found = compiled(entry).explain(instance(fields={"imdsv2": True}))
    assert found.in_scope is True
    assert [r.path for r in found.where.readings] == ["resource.imdsv2", "tags.a"]
    assert [(c.text, c.answer) for c in found.unless] == [("tags.b == 'y'", False), ("tags.owner == 'ana'", True)]
    assert found.judgement.violated is True
    assert found.verdict.outcome is Outcome.EXEMPT
    assert [e.path for e in found.verdict.evidence] == [
        "resource.running", "tags.b", "tags.owner", "resource.imdsv2", "tags.a",
    ]  # fmt: skip


def test_evidence_of_the_check_goes_before_that_of_clauses():
    """A path that the check has read is not repeated by what a clause read."""
    found = compiled(ABOUT + "required_tags: [team]\n    where: tags.team != 'x' or resource.running").explain(
        instance()
    )
    paths = [(e.path, e.expected) for e in found.verdict.evidence]
    assert paths == [("tags.team", "present"), ("resource.running", "")]


def test_confidence_is_of_violations():
    """Only a violation may be unsure; all else is as it is."""
    alone = ABOUT + "idle: {for: 4h, below: {gpu.utilization: 5%}}"
    assert compiled(alone).explain(instance()).verdict.confidence is Confidence.LOW
    exempt = compiled(alone + "\n    unless: resource.running").explain(instance()).verdict
    assert (exempt.outcome, exempt.confidence) == (Outcome.EXEMPT, Confidence.HIGH)


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({}, ""),
        ({"owner": "ana", "team": "red"}, "ana"),
        ({"Team": "red", "CreatedBy": "bot"}, "red"),
        ({"owner": "", "team": "red"}, "red"),
    ],
)
def test_owner(tags, owner):
    """The first owner tag with a value."""
    assert OWNER_TAGS[0] == "owner"
    assert subject_of(instance(tags=tags)).owner == owner


def test_subject():
    """Without a name the id stands for it."""
    subject = subject_of(Resource("k", "i", "a", "r"))
    assert (subject.uid, subject.name, subject.kind) == ("k/a/r/i", "i", "k")


def test_explain_of_a_resource_out_of_scope():
    """It complies, and says what the check would have answered."""
    ours = context()
    found = policy(ABOUT + "rule: resource.running\n    where: resource.id == 'x'")
    explanation = explain(found, compile_check(found, ours), instance(), ours)
    assert (explanation.in_scope, explanation.judgement.violated) == (False, True)
    assert explanation.verdict.outcome is Outcome.COMPLIANT
