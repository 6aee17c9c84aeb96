"""IAM policies: what the loaded policies need, and nothing beside it."""

import json
from fnmatch import fnmatchcase

import pytest

from bursar.wiring import declared
from integrations.aws.iam_policy import act_policy, read_policy
from integrations.aws.registry import AWS_KINDS

ACCOUNTS, REGIONS = ("123456789012",), ("us-east-1",)


def statement(document, sid):
    return next(one for one in document["Statement"] if one["Sid"] == sid)


def allowed(document, action) -> bool:
    return any(
        fnmatchcase(action, pattern)
        for one in document["Statement"]
        if one["Effect"] == "Allow"
        for pattern in one["Action"]
    )


@pytest.mark.parametrize("kind", AWS_KINDS)
def test_reading_a_kind_needs_its_own_calls(kind):
    """No action of another kind is among them, and telemetry is where the kind has any."""
    (only,) = read_policy([kind], many=False)["Statement"]
    metrics = {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"} if AWS_KINDS[kind].metrics else set()
    assert set(only["Action"]) == set(AWS_KINDS[kind].actions) | metrics | {"sts:GetCallerIdentity"}


def test_other_accounts_are_reached_only_where_there_are_any():
    """Assuming roles is for many accounts."""
    assert not allowed(read_policy([], many=False), "sts:AssumeRole")
    assert allowed(read_policy([], many=True), "sts:AssumeRole")


def test_acting_is_allowed_where_it_was_listed():
    """Changes are allowed in the listed accounts and regions alone, and what is protected is denied."""
    document = act_policy({"ec2:StopInstances", "ec2:DescribeInstances"}, ACCOUNTS, REGIONS)
    change = statement(document, "ChangeEc2")
    assert change["Action"] == ["ec2:StopInstances"]
    assert change["Resource"][0] == "arn:aws:ec2:*:123456789012:*"
    assert change["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["us-east-1"]}}
    denied = statement(document, "NeverWhatIsProtected")
    assert (denied["Effect"], denied["Action"]) == ("Deny", ["ec2:StopInstances"])
    assert denied["Condition"]["Null"] == {"aws:ResourceTag/bursar/protect": "false"}
    assert statement(document, "Look")["Action"] == ["ec2:DescribeInstances", "sts:GetCallerIdentity"]


def test_buckets_are_told_by_their_account():
    """A bucket's ARN names no account, so a condition does."""
    change = statement(act_policy({"s3:PutBucketTagging"}, ACCOUNTS, ()), "ChangeS3")
    assert change["Condition"] == {"StringEquals": {"aws:ResourceAccount": ["123456789012"]}}


def test_nothing_but_what_is_declared_is_allowed():
    """All actions together: each is allowed, in a policy that AWS takes (6,144 characters), without a wildcard."""
    document = act_policy(declared(), ACCOUNTS, REGIONS)
    named = {action for one in document["Statement"] if one["Effect"] == "Allow" for action in one["Action"]}
    for_volumes = set(statement(document, "KeysOfVolumes")["Action"])
    assert named == declared() | for_volumes | {"sts:GetCallerIdentity"}
    assert not any("*" in action for action in named)
    assert len(json.dumps(document, separators=(",", ":"))) <= 6144
