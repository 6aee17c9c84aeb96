"""
Policies of Cloud Custodian on one estate: its own dry run against `bursar plan` on what was imported.

The policies are the examples of its documentation for the kinds that are read here, and one for each operator.
"""

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tests.bursar.custodian_estate import EAST, REGIONS, Planter

CASES = Path(__file__).parents[1] / "cases" / "custodian"
IDS = {
    "ec2": "InstanceId",
    "ebs": "VolumeId",
    "ebs-snapshot": "SnapshotId",
    "ami": "ImageId",
    "s3": "Name",
    "sagemaker-endpoint": "EndpointArn",
    "sagemaker-notebook": "NotebookInstanceArn",
    "rds": "DBInstanceArn",
    "efs": "FileSystemId",
    "fsx": "FileSystemId",
    "elasticsearch": "ARN",
    "asg": "AutoScalingGroupARN",
    "ecs-service": "serviceArn",
    "eks": "arn",
    "batch-compute": "computeEnvironmentArn",
    "batch-queue": "jobQueueArn",
    "sagemaker-job": "TrainingJobArn",
    "sagemaker-cluster": "ClusterArn",
}
"""Where Custodian keeps what is the id of a resource here."""
NOT_COMPARED = {
    "offhour-evening-stop": "Custodian matches in one hour of the day, a `schedule` at any time outside working hours",
    "offhours-asg-off": "likewise",
    "offhours-ecs-off": "likewise",
    "kms-key-disabled-rotation": "the emulated KMS says of every key that it is not rotated, AWS's own among them",
    "enable-cmk-rotation": "likewise",
    "ec2-tag-trim": "Custodian itself fails at it where an instance has no tags",
}
"""Policies that are translated and cannot be compared here."""


def run_custodian(programs, folder, policies):
    """Return what a dry run of Custodian matches: sets of ids by policy."""
    (folder / "custodian.yml").write_text(yaml.safe_dump({"policies": policies}), encoding="utf-8")
    regions = [word for region in REGIONS for word in ("--region", region)]
    wanted = ["-s", folder / "out", "-f", folder / "cache", *regions, folder / "custodian.yml"]
    done = subprocess.run(
        [programs / "custodian", "run", "--dryrun", *wanted],
        env={**os.environ, "AWS_DEFAULT_REGION": EAST, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    types = {policy["name"]: policy["resource"].removeprefix("aws.") for policy in policies}
    found = defaultdict(set)
    for file in (folder / "out").rglob("resources.json"):
        name = file.parent.name
        found[name] |= {item[IDS[types[name]]] for item in json.loads(file.read_text(encoding="utf-8"))}
    return found


def originals():
    """Return the policies of all cases by name, without actions: a dry run takes none."""
    kept = ("name", "resource", "filters", "query", "region")
    found = [policy for file in sorted(CASES.glob("*.yaml")) for policy in policies_of(file)]
    return {policy["name"]: {key: policy[key] for key in kept if key in policy} for policy in found}


def policies_of(file):
    return yaml.safe_load(file.read_text(encoding="utf-8"))["policies"]


@pytest.fixture
def compared(custodian, bursar, account, here):
    """Return what both match on one estate, the plan itself, and how many resources of each kind there are."""
    Planter(account).plant()
    imported = bursar("import", "custodian", str(CASES), "-o", "imported.yaml")
    assert imported.status == 3  # some have no equal
    names = {p["name"] for p in yaml.safe_load((here / "imported.yaml").read_text(encoding="utf-8"))["policies"]}
    wanted = {name.lower(): policy for name, policy in originals().items() if name.lower() in names - set(NOT_COMPARED)}
    theirs = run_custodian(custodian, here, list(wanted.values()))
    regions = [word for region in REGIONS for word in ("--region", region)]
    ran = bursar("plan", "-p", "imported.yaml", *regions, "-f", "json")
    plan = json.loads(ran.out)
    ours = defaultdict(set)
    for finding in plan["findings"]:
        ours[finding["policy"]].add(finding["subject"]["id"])
    return {name: (theirs[policy["name"]], ours[name]) for name, policy in wanted.items()}, plan


def test_the_same_resources(compared):
    """
    Each policy that is translated finds the very resources that Custodian matches.

    Most of them match some resources of their kind and not others; where telemetry is missing, nothing is known
    here and Custodian says nothing.
    """
    matches, plan = compared
    different = {
        name: {"theirs alone": sorted(theirs - ours), "ours alone": sorted(ours - theirs)}
        for name, (theirs, ours) in matches.items()
        if theirs != ours
    }
    assert different == {}
    assert [scope for scope in plan["scopes"] if scope["status"] != "complete"] == []
    undecided = {verdict["policy"] for verdict in plan["undecided"]}
    assert undecided == {"idle-for-a-day", "silent-for-a-day"}
    sizes = {tally["policy"]: sum(n for n in tally.values() if isinstance(n, int)) for tally in plan["policies"]}
    parted = {name for name, (theirs, _) in matches.items() if 0 < len(theirs) < sizes[name]}
    own = {policy["name"] for policy in policies_of(CASES / "operators.yaml")}
    assert len(set(matches) - own) >= 60
    assert len(parted - own) >= 25
    assert own - set(matches) == set()
    assert own - parted == set()
