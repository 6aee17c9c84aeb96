"""The shipped policies: every case beside them, and what each of them has to have."""

from functools import cache

import pytest

from actions.catalog import remediations
from bursar.config import Config
from bursar.packs import pack_names, packs_folder
from bursar.wiring import context_at
from bursar.zones import zone
from engine.cases.load import load_cases
from engine.cases.run import Case, built, judge
from engine.planning import Installation
from engine.policy.checks import check_name
from engine.policy.load import load_policies
from engine.policy.model import PolicySet
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies


@cache
def policies() -> PolicySet:
    return load_policies(read_policies([packs_folder()]), default_catalog(), remediations(), zones=zone)


def by_name() -> dict:
    return {policy.name: policy for policy in policies().policies}


@cache
def cases() -> dict[str, Case]:
    """Return every case beside the shipped policies, by a name to choose it by."""
    found = {}
    for path in sorted(packs_folder().rglob("*_test.yaml")):
        text = path.read_text(encoding="utf-8")
        file = load_cases(text, str(path), policies(), default_catalog(), remediations())
        for case in built(file, by_name(), default_catalog()):
            name = f"{case.document.policy}: {case.document.name}"
            found[f"{path.parent.name}/{path.stem.removesuffix('_test')}::{name}"] = case
    return found


@cache
def context(now):
    return context_at(now, Config())


@pytest.mark.parametrize("name", cases())
def test_case(name):
    """The policy says about the case's resource what the case expects, through the same path as a real run."""
    case = cases()[name]
    result = judge(case, by_name()[case.document.policy], context, Installation(remediations()))
    assert result.differences == (), f"{result.place}: {'; '.join(map(str, result.differences))}"


@pytest.mark.parametrize("policy", policies().policies, ids=lambda p: p.name)
def test_every_policy_is_complete(policy):
    """It has a description, a rationale, and cases that are a violation, compliant and unknown."""
    expected = {case.document.expect for case in cases().values() if case.document.policy == policy.name}
    assert policy.description
    assert policy.rationale
    assert {"violation", "compliant", "unknown"} <= expected
    assert check_name(policy.check) in {"required_tags", "idle", "encryption", "schedule", "quota", "rule"}


def test_the_packs():
    """There are five packs, and over twenty policies."""
    assert set(pack_names()) == {"tagging", "idle", "encryption", "schedule", "quota"}
    assert len(policies().policies) >= 20
