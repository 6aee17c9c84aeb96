"""
What every kind has to have, so that one that is added without it fails here: see docs/how-to/add-a-kind.md.

Its recording is damaged, denied and compared with the service's own model in `test_kinds`.
"""

import re
from pathlib import Path

import pytest

from bursar.config import Config
from bursar.loading import load
from engine.model import Usage
from engine.values import Unknown
from integrations.aws.registry import AWS_KINDS
from tests.integrations.aws.replayed import RECORDINGS, replay

ROOT = Path(__file__).parents[3]
TESTS = Path(__file__).parent / "kinds"
COLLECTORS = ROOT / "integrations" / "aws" / "kinds"
UNENCRYPTED = {
    "aws.autoscaling.group": "its machines' disks are volumes",
    "aws.batch.compute_environment": "its machines' disks are volumes",
    "aws.batch.job": "its machines' disks are volumes",
    "aws.batch.queue": "it stores nothing",
    "aws.bedrock.inference_profile": "it stores nothing",
    "aws.bedrock.provisioned_throughput": "its model is a kind of its own",
    "aws.ec2.capacity_reservation": "it stores nothing",
    "aws.ec2.instance": "its disks are volumes",
    "aws.ecs.service": "it stores nothing; where its tasks run is a machine or Fargate",
    "aws.eks.nodegroup": "its machines' disks are volumes",
    "aws.kms.key": "it is what others are encrypted with",
    "aws.opensearch.capacity": "it stores nothing",
    "aws.sagemaker.app": "its files are in a space or the domain",
    "aws.sagemaker.cluster": "its volumes are encrypted by default; the keys of single volumes are not read",
    "aws.sagemaker.inference_component": "its endpoint's volumes hold it",
    "aws.sagemaker.space": "its disk is encrypted under the domain's key",
    "aws.sagemaker.tuning_job": "its training jobs are a kind of their own",
}
"""Kinds without fields of encryption, and why."""
FREE = {
    "aws.autoscaling.group": "its machines are charged for",
    "aws.batch.compute_environment": "its machines are charged for",
    "aws.batch.queue": "its jobs' machines are charged for",
    "aws.ec2.image": "its snapshots are charged for",
    "aws.eks.nodegroup": "its machines are charged for",
    "aws.sagemaker.domain": "its file system is charged for as one",
    "aws.sagemaker.inference_component": "its endpoint is charged for",
    "aws.sagemaker.tuning_job": "its training jobs are charged for",
}
"""Kinds that cost nothing themselves, and why."""
WITHOUT_POLICY = {
    "aws.bedrock.inference_profile": "who uses it is a matter of spend",
    "aws.ecs.service": "its tasks run on machines that have policies, or on Fargate, which is not collected",
    "aws.opensearch.capacity": "its limits bound spend; a policy needs the account's own number",
    "aws.sagemaker.space": "its size alone says nothing; whether an app uses it is a matter of two kinds",
}
"""Kinds that no shipped policy is about, and why."""
KINDS = sorted(AWS_KINDS)


def test_the_tables_name_kinds():
    """A kind that is gone leaves the tables too."""
    assert {*UNENCRYPTED, *FREE, *WITHOUT_POLICY} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_a_recording_and_a_test_of_its_own(kind):
    """What AWS said, and what is made of it, by value."""
    assert (RECORDINGS / f"{kind}.jsonl").exists()
    tests = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    assert f'"{kind}"' in tests


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_one_file(kind):
    """A kind is one file of declarations and a normaliser."""
    named = [path.name for path in COLLECTORS.glob("*.py") if f'name="{kind}"' in path.read_text(encoding="utf-8")]
    assert len(named) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_how_it_is_encrypted(kind):
    """Whether it is at rest, and under whose key; or why there is nothing to say."""
    declared = AWS_KINDS[kind].kind.field_by_name
    assert ("encryption.at_rest" in declared) != (kind in UNENCRYPTED)
    if "encryption.at_rest" in declared:
        assert "encryption.key" in declared or kind == "aws.ec2.image"


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_costs(kind):
    """What is charged for, in its recording, or why that is not known; nothing only where others are charged for."""
    usages = [resource.usage for resource in replay(kind).resources.values()]
    told = [usage for usage in usages if isinstance(usage, Unknown) or usage]
    assert bool(told) != (kind in FREE)
    for usage in told:
        assert usage.detail if isinstance(usage, Unknown) else all(isinstance(one, Usage) for one in usage)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_in_the_generated_reference(kind):
    """Its fields and metrics, and every call that it makes."""
    page = (ROOT / "docs" / "reference" / "kinds.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(kind)}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    declared = AWS_KINDS[kind].kind
    names = [field.name for field in declared.fields] + [metric.name for metric in declared.metrics]
    assert [name for name in names if f"| `{name}` |" not in section] == []
    permissions = (ROOT / "docs" / "reference" / "permissions.md").read_text(encoding="utf-8")
    assert [action for action in AWS_KINDS[kind].actions if f'"{action}"' not in permissions] == []


def test_policies_are_about_it():
    """Every kind has a shipped policy, or a reason why not."""
    about = {kind.name for policy in load(Config(), ("pack:all",)).policies for kind in policy.kinds}
    assert set(KINDS) - about == set(WITHOUT_POLICY)
