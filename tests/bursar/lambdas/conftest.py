"""A function in the emulated account: its environment, its configuration, and what Lambda says of an invocation."""

from __future__ import annotations

from dataclasses import dataclass, field

import boto3
import pytest


@dataclass
class FakeContext:
    """What Lambda hands to a handler; `left` are the seconds it has, one after the other, the last for ever."""

    left: list[float] = field(default_factory=lambda: [900.0])
    function_name: str = "bursar-run"
    aws_request_id: str = "e1506fd5-9e7b-434f-bd42-4f8fa224b599"

    def get_remaining_time_in_millis(self):
        now = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return int(now * 1000)


@pytest.fixture
def context():
    return FakeContext


@pytest.fixture
def client(account):
    """Return clients of the emulated account, closed in the end."""
    made = []

    def make(service):
        made.append(boto3.client(service, region_name="us-east-1", endpoint_url=account.endpoint))
        return made[-1]

    yield make
    for one in made:
        one.close()


POLICIES = """
version: 1
policies:
  - name: close-buckets
    description: Buckets that everybody can read.
    severity: critical
    resource: storage.bucket
    where: has(tags.team)
    rule: {when: not resource.public_access_blocked}
    mode: enforce
    grace: 0s
    remediate: [block_public_access]
    limits: {max_share: 100%}
"""
CONFIG = """
version: 1
max_mode: enforce
aws:
  regions: [us-east-1]
  act: {role: BursarAct, accounts: ["123456789012"]}
"""


@pytest.fixture
def function(tmp_path, monkeypatch, account, client):
    """A function with a configuration in its package and its state in DynamoDB, and two open buckets of a team."""
    root = tmp_path / "task"
    (root / "config" / "policies").mkdir(parents=True)
    (root / "config" / "bursar.yaml").write_text(CONFIG, encoding="utf-8")
    (root / "config" / "policies" / "p.yaml").write_text(POLICIES, encoding="utf-8")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(root))
    monkeypatch.setenv("BURSAR_STATE", "dynamodb://bursar-state?region=us-east-1")
    for name in ("BURSAR_CONFIG", "BURSAR_ESTATE", "BURSAR_DEFERRED"):
        monkeypatch.delenv(name, raising=False)
    s3 = client("s3")
    for name in ("first", "second"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": "perception"}]})
    return root


@pytest.fixture
def blocked(client):
    """Return a function that says whether public access to a bucket is blocked."""
    s3 = client("s3")

    def ask(name):
        try:
            found = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        except s3.exceptions.ClientError:
            return False
        return all(found.values())

    return ask
