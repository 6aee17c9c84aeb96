"""The shipped policies: every case beside them, and what each of them has to have."""

from functools import cache
from pathlib import Path

import pytest

from actions.catalog import remediations
from bursar.config import Config
from bursar.packs import pack_names, packs_folder
from bursar.wiring import context_at
from bursar.zones import zone
from engine.cases.run import Cases, load_cases, run_case
from engine.planning import Installation
from engine.policy.checks import check_name
from engine.policy.load import load_policies
from engine.policy.model import PolicySet
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies

FILES = sorted(packs_folder().rglob("*_test.yaml"))


@cache
def policies() -> PolicySet:
    return load_policies(read_policies([packs_folder()]), default_catalog(), remediations(), zones=zone)


@cache
def cases_of(path: Path) -> Cases:
    return load_cases(path.read_text(encoding="utf-8"), str(path), policies())


CASES = [
    pytest.param(path, number, id=f"{path.parent.name}/{path.stem.removesuffix('_test')}::{case.policy}: {case.name}")
    for path in FILES
    for number, case in enumerate(cases_of(path).document.cases)
]


@pytest.mark.parametrize(("path", "number"), CASES)
def test_case(path, number):
    """The policy says about the case's resource what the case expects, through the same path as a real run."""
    result = run_case(
        cases_of(path), number, policies(), lambda now: context_at(now, Config()), Installation(remediations())
    )
    assert result.complaints == (), f"{result.place}: {'; '.join(result.complaints)}"


@pytest.mark.parametrize("policy", policies().policies, ids=lambda p: p.name)
def test_every_policy_is_complete(policy):
    """It has a description, a rationale, and cases that are a violation, compliant and unknown."""
    expected = {case.expect for path in FILES for case in cases_of(path).document.cases if case.policy == policy.name}
    assert policy.description
    assert policy.rationale
    assert {"violation", "compliant", "unknown"} <= expected
    assert check_name(policy.check) in {"required_tags", "idle", "encryption", "schedule", "quota", "rule"}


def test_the_packs():
    """There are five packs, and over twenty policies."""
    assert set(pack_names()) == {"tagging", "idle", "encryption", "schedule", "quota"}
    assert len(policies().policies) >= 20
