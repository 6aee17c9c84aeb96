"""How controls stand: met only where everything was read, looked at and compliant."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.catalog import remediations
from bursar.zones import zone
from engine.compliance import Control, Framework, Standing, compliance
from engine.findings import Outcome
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Plan, Tally
from engine.policy.load import load_policies
from engine.policy.model import Mode
from integrations.catalog import default_catalog

TEXT = """
version: 1
policies:
  - name: whole
    description: x
    resource: aws.ebs.volume
    encryption: {at_rest: required}
    controls: ["F:1", "F:2", "G:1"]
  - name: part
    description: x
    resource: aws.ebs.volume
    where: resource.attached
    encryption: {at_rest: required}
    controls: ["F:2", "F:3", "F:9"]
  - name: support
    description: x
    resource: aws.s3.bucket
    encryption: {at_rest: required}
    controls: ["supports F:4"]
"""
POLICIES = load_policies({"p.yaml": TEXT}, default_catalog(), remediations(), zones=zone).policies
FRAMEWORK = Framework("F", "A framework", "", tuple(Control(str(n), "") for n in range(1, 6)))
VOLUMES = Scope("1", "us-east-1", "aws.ebs.volume")
GOOD = {Outcome.COMPLIANT: 3}


def plan(counts, status=ScopeStatus.COMPLETE):
    scopes = (ScopeReport(VOLUMES, status, 3), ScopeReport(replace(VOLUMES, kind="aws.s3.bucket"), "complete", 3))
    tallies = tuple(Tally(name, found) for name, found in counts.items())
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    return Plan("e", moment, "d", Mode.REPORT, (), (), (), (), (), (), scopes, tallies, 6)


def standings(counts, status=ScopeStatus.COMPLETE):
    return {r.control.id: r.standing for r in compliance(FRAMEWORK, POLICIES, plan(counts, status))}


def test_all_compliant():
    """A policy that looks at all meets its control; one that looks at a part, or supports, does so in part."""
    assert standings({"whole": GOOD, "part": GOOD, "support": GOOD}) == {
        "1": Standing.MET,
        "2": Standing.MET,
        "3": Standing.PARTLY,
        "4": Standing.PARTLY,
        "5": Standing.UNCOVERED,
        "9": Standing.PARTLY,
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({Outcome.COMPLIANT: 99, Outcome.VIOLATION: 1, Outcome.UNKNOWN: 1}, Standing.VIOLATED),
        ({Outcome.COMPLIANT: 99, Outcome.UNKNOWN: 1}, Standing.UNKNOWN),
        ({Outcome.COMPLIANT: 99, Outcome.ERROR: 1}, Standing.UNKNOWN),
        ({Outcome.COMPLIANT: 99, Outcome.EXEMPT: 1}, Standing.PARTLY),
        ({Outcome.EXEMPT: 1}, Standing.PARTLY),
        ({}, Standing.EMPTY),
    ],
    ids=["a violation", "an unknown", "an error", "an exemption", "nothing but exemptions", "nothing"],
)
def test_one_is_enough(found, expected):
    """A violation outweighs what is not known, and both outweigh what is compliant."""
    assert standings({"whole": found})["1"] is expected


def test_a_policy_that_found_nothing_shows_nothing():
    """One that looks at all is no reason to call met what another looked at in part."""
    assert standings({"whole": {}, "part": GOOD})["2"] is Standing.PARTLY


def test_controls_of_an_organization():
    """Resources are evidence for them and never meet them, whatever a policy says of itself."""
    framework = replace(FRAMEWORK, evidence_only=True)
    found = compliance(framework, POLICIES, plan({"whole": GOOD, "part": GOOD, "support": GOOD}))
    assert {report.standing for report in found} == {Standing.PARTLY, Standing.UNCOVERED}
    (violated, *_) = compliance(framework, POLICIES, plan({"whole": {Outcome.VIOLATION: 1}}))
    assert violated.standing is Standing.VIOLATED


@pytest.mark.parametrize("status", [s for s in ScopeStatus if s is not ScopeStatus.COMPLETE])
def test_a_scope_that_could_not_be_read(status):
    """Nothing is met by what was not looked at; a violation that was seen stays one."""
    assert standings({"whole": GOOD}, status)["1"] is Standing.UNKNOWN
    assert standings({"whole": {Outcome.VIOLATION: 1}}, status)["1"] is Standing.VIOLATED
    assert standings({"whole": {}}, status)["1"] is Standing.UNKNOWN


COUNTS = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(1, 5))


@given(COUNTS, st.sampled_from(list(Outcome)))
def test_more_trouble_never_helps(found, outcome):
    """A verdict that turns into an unknown never makes a control look better."""
    order = [Standing.VIOLATED, Standing.UNKNOWN, Standing.EMPTY, Standing.PARTLY, Standing.MET]
    before = standings({"whole": found})["1"]
    worse = {**found, Outcome.UNKNOWN: found.get(Outcome.UNKNOWN, 0) + 1}
    if outcome is not Outcome.VIOLATION and worse.get(outcome):
        worse[outcome] -= 1
    after = standings({"whole": worse})["1"]
    assert order.index(after) <= max(order.index(before), order.index(Standing.UNKNOWN))


def test_counts_are_those_of_all_policies():
    """With the policies by name, in the order they were loaded."""
    report = compliance(FRAMEWORK, POLICIES, plan({"whole": GOOD, "part": {Outcome.UNKNOWN: 2}}))[1]
    assert report.policies == ("whole", "part")
    assert report.counts == {Outcome.COMPLIANT: 3, Outcome.UNKNOWN: 2}
