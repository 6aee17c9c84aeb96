"""
AWS inventory over HTTP: what was planted through boto3 comes back as resources, and what fails is a gap or a status.
"""

import json
from decimal import Decimal

import pytest

from engine.model import ScopeStatus, Usage
from engine.values import Reason, Unknown
from integrations.aws.permissions import OPERATIONS, READ_ACTIONS, SHARED_ACTIONS
from integrations.aws.registry import aws_kinds
from tests.integrations.aws.kind_names import BUCKET, ENDPOINT, INSTANCE, NOTEBOOK, VOLUME

ALL = (INSTANCE, VOLUME, BUCKET, ENDPOINT, NOTEBOOK)
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
EAST = "us-east-1"


def pairs(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def launch(ec2, name, kind="g5.12xlarge", count=1, **more):
    tags = {"Name": name, **more.pop("tags", {})}
    specification = [{"ResourceType": "instance", "Tags": pairs(**tags)}]
    made = ec2.run_instances(
        ImageId="ami-0c0ffee0",
        InstanceType=kind,
        MinCount=count,
        MaxCount=count,
        TagSpecifications=specification,
        **more,
    )
    return [instance["InstanceId"] for instance in made["Instances"]]


def endpoint(sagemaker, name, *variants, **config):
    if not sagemaker.list_models()["Models"]:
        container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serve:1"}
        sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    given = [{"VariantName": v["VariantName"], "ModelName": "m", "InitialVariantWeight": 1.0, **v} for v in variants]
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-1", ProductionVariants=given, **config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-1", Tags=pairs(team="x"))


def test_an_instance(clients, read):
    """State, hardware, market, tags and what it is charged for."""
    (made,) = launch(clients("ec2"), "trainer", tags={"team": "vision"}, InstanceMarketOptions={"MarketType": "spot"})
    resources, reports = read(INSTANCE)
    found = resources["trainer"]
    assert (found.id, found.account, found.region) == (made, "123456789012", EAST)
    assert found.tags == {"Name": "trainer", "team": "vision"}
    assert {k: found.fields[k] for k in ("state", "running", "lifecycle", "instance.type", "accelerator.count")} == {
        "state": "running",
        "running": True,
        "lifecycle": "spot",
        "instance.type": "g5.12xlarge",
        "accelerator.count": 4,
    }
    assert found.usage == (Usage("aws.ec2.linux.spot:g5.12xlarge", Decimal(1), "hour"),)
    assert reports[EAST, INSTANCE].status is ScopeStatus.COMPLETE
    assert reports[EAST, INSTANCE].resources == 1


def test_stopped_and_terminated_instances(clients, read):
    """A stopped instance is free of compute charges; a terminated one is gone."""
    ec2 = clients("ec2")
    (stopped,), (gone,) = launch(ec2, "stopped"), launch(ec2, "gone")
    ec2.stop_instances(InstanceIds=[stopped])
    ec2.terminate_instances(InstanceIds=[gone])
    resources, _ = read(INSTANCE)
    assert set(resources) == {"stopped"}
    assert resources["stopped"].fields["running"] is False
    assert resources["stopped"].usage == ()


@pytest.mark.parametrize(
    ("tag", "manager"),
    [
        ("aws:autoscaling:groupName", "autoscaling"),
        ("kubernetes.io/cluster/prod", "eks"),
        ("karpenter.sh/nodepool", "eks"),
        ("parallelcluster:cluster-name", "parallelcluster"),
    ],
)
def test_who_manages_an_instance(clients, read, tag, manager):
    """What would replace it is read from its tags."""
    launch(clients("ec2"), "node", tags={tag: "x"})
    resources, _ = read(INSTANCE)
    assert resources["node"].fields["managed_by"] == manager


def test_many_pages(clients, read, aws):
    """A fleet of several pages arrives whole, and types are asked for once."""
    launch(clients("ec2"), "fleet", "g6.xlarge", 60)
    aws.calls()
    resources, reports = read(INSTANCE)
    assert reports[EAST, INSTANCE].resources == 60
    assert len(resources) == 1
    assert aws.calls().count("ec2:DescribeInstanceTypes") == 1


def test_only_what_is_needed_is_asked_for(clients, read, aws):
    """Without a policy that reads hardware nobody asks for it, and its absence is never attested."""
    launch(clients("ec2"), "trainer")
    aws.calls()
    resources, _ = read(INSTANCE, groups=frozenset({"tags"}))
    assert [c for c in aws.calls() if not c.startswith("sts:")] == ["ec2:DescribeInstances"]
    assert resources["trainer"].gaps["hardware"].reason is Reason.NOT_COLLECTED


def test_an_unknown_type_does_not_spoil_the_others(clients, read, aws):
    """A type that AWS no longer describes is a gap of its own machines."""
    launch(clients("ec2"), "modern")
    made = clients("sagemaker")
    made.create_notebook_instance(NotebookInstanceName="old", InstanceType="ml.p2.xlarge", RoleArn=ROLE)
    made.create_notebook_instance(NotebookInstanceName="new", InstanceType="ml.g5.xlarge", RoleArn=ROLE)
    resources, reports = read(NOTEBOOK)
    assert resources["new"].fields["accelerator.model"] == "A10G"
    assert resources["old"].gaps["hardware"].reason is Reason.SOURCE_ERROR
    assert reports[EAST, NOTEBOOK].status is ScopeStatus.COMPLETE


def test_volumes(clients, read):
    """Size, type and extras are what they are charged for; who holds the key is asked of KMS."""
    ec2 = clients("ec2")
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    zone = {"AvailabilityZone": f"{EAST}a"}
    for name, more in {
        "plain": {"VolumeType": "gp3", "Size": 100},
        "fast": {"VolumeType": "gp3", "Size": 100, "Iops": 5000, "Throughput": 250},
        "ours": {"VolumeType": "gp2", "Size": 10, "Encrypted": True, "KmsKeyId": key},
    }.items():
        ec2.create_volume(**zone, **more, TagSpecifications=[{"ResourceType": "volume", "Tags": pairs(Name=name)}])
    found, _ = read(VOLUME)
    assert [u.sku for u in found["plain"].usage] == ["aws.ebs.gp3"]
    assert [(u.sku, u.quantity) for u in found["fast"].usage] == [
        ("aws.ebs.gp3", 100),
        ("aws.ebs.gp3.iops", 2000),
        ("aws.ebs.gp3.throughput", 125),
    ]
    assert found["plain"].fields["attached"] is False
    assert found["plain"].fields["encryption.at_rest"] is False
    assert "encryption.key" not in found["plain"].fields
    assert found["ours"].fields["encryption.key"] == "customer"


def plant_bucket(s3, name, *, secure=False, public=False, logged=False, key=""):
    s3.create_bucket(Bucket=name)
    statements = []
    if secure:
        resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        condition = {"Bool": {"aws:SecureTransport": "false"}}
        deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": condition}
        statements.append(deny)
    if public:
        read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        statements.append(read)
    if statements:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    if not public:
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    if key:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def test_buckets(clients, read):
    """Encryption, transport, public access and logging, each by the settings that decide it."""
    s3 = clients("s3")
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    plant_bucket(s3, "sound", secure=True, key=key)
    plant_bucket(s3, "open", public=True)
    s3.put_bucket_tagging(Bucket="sound", Tagging={"TagSet": pairs(owner="ana")})
    found, _ = read(BUCKET)
    names = ("encryption.at_rest", "encryption.key", "encryption.in_transit", "public_access", "public_access_blocked")
    assert {n: found["sound"].fields[n] for n in names} == {
        "encryption.at_rest": True,
        "encryption.key": "customer",
        "encryption.in_transit": True,
        "public_access": False,
        "public_access_blocked": True,
    }
    assert {n: found["open"].fields[n] for n in names} == {
        "encryption.at_rest": True,
        "encryption.key": "aws_owned",
        "encryption.in_transit": False,
        "public_access": True,
        "public_access_blocked": False,
    }
    assert found["sound"].tags == {"owner": "ana"}
    assert found["open"].tags == {}
    assert "tags" not in found["open"].gaps
    assert found["open"].fields["access_logging"] is False
    assert isinstance(found["open"].usage, Unknown)


def test_buckets_belong_to_their_region(clients, read):
    """A bucket is in the scope of its own region and in no other."""
    clients("s3").create_bucket(Bucket="east")
    west = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    clients("s3", "us-west-2").create_bucket(Bucket="west", **west)
    found, reports = read(BUCKET, regions=(EAST, "us-west-2"))
    assert {name: r.region for name, r in found.items()} == {"east": EAST, "west": "us-west-2"}
    assert [r.resources for r in reports.values()] == [1, 1]


def test_endpoints(clients, read):
    """Instances of all variants are added up; serverless ones have none and are charged by use, which is not known."""
    sagemaker = clients("sagemaker")
    endpoint(
        sagemaker,
        "two",
        {"VariantName": "a", "InstanceType": "ml.g5.12xlarge", "InitialInstanceCount": 2},
        {"VariantName": "b", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1},
    )
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    endpoint(sagemaker, "none", {"VariantName": "a", "ServerlessConfig": serverless})
    found, _ = read(ENDPOINT)
    two, none = found["two"], found["none"]
    assert (two.fields["variants"], two.fields["instance.count"], two.fields["accelerator.count"]) == (2, 3, 9)
    assert two.fields["accelerator.model"] == "A10G"
    assert [(u.sku, u.quantity) for u in two.usage] == [
        ("aws.sagemaker.hosting:ml.g5.12xlarge", 2),
        ("aws.sagemaker.hosting:ml.g5.xlarge", 1),
    ]
    assert (none.fields["serverless"], none.fields["accelerator.count"]) == (True, 0)
    assert none.usage.reason is Reason.NOT_COLLECTED
    assert "instance.type" not in none.fields
    assert two.tags == {"team": "x"}


def test_notebooks(clients, read):
    """Network, root access and the volume come from the description of each."""
    clients("sagemaker").create_notebook_instance(
        NotebookInstanceName="nb",
        InstanceType="ml.g5.xlarge",
        RoleArn=ROLE,
        VolumeSizeInGB=50,
        DirectInternetAccess="Enabled",
        RootAccess="Disabled",
    )
    (found,) = read(NOTEBOOK)[0].values()
    assert {n: found.fields[n] for n in ("public_access", "root_access", "in_vpc", "volume.size_gib")} == {
        "public_access": True,
        "root_access": False,
        "in_vpc": False,
        "volume.size_gib": 50,
    }
    assert [(u.sku, u.quantity) for u in found.usage] == [
        ("aws.sagemaker.notebook:ml.g5.xlarge", 1),
        ("aws.sagemaker.notebook.storage", 50),
    ]


# --- what fails ----------------------------------------------------------------------------------

LISTINGS = {
    INSTANCE: "ec2:DescribeInstances",
    VOLUME: "ec2:DescribeVolumes",
    BUCKET: "s3:ListBuckets",
    ENDPOINT: "sagemaker:ListEndpoints",
    NOTEBOOK: "sagemaker:ListNotebookInstances",
}


@pytest.mark.parametrize(
    ("spoiled", "status"), [({"denied": True}, ScopeStatus.DENIED), ({"error_rate": 1}, ScopeStatus.FAILED)]
)
@pytest.mark.parametrize("kind", LISTINGS)
def test_a_listing_that_fails_is_its_scopes_status(aws, read, kind, spoiled, status):
    """The scope is denied or failed, with the call and the code; the other scopes are complete."""
    aws.faults({LISTINGS[kind]: spoiled})
    _, reports = read(*ALL)
    assert {k: r.status for (_, k), r in reports.items()} == {
        **dict.fromkeys(ALL, ScopeStatus.COMPLETE),
        kind: status,
    }
    assert LISTINGS[kind] in reports[EAST, kind].detail


def test_pages_that_fail_later_leave_a_partial_scope(aws, clients, read):
    """What was read before the failure is kept, and the scope is partial."""
    for n in range(4):
        clients("sagemaker").create_notebook_instance(
            NotebookInstanceName=f"nb-{n}", InstanceType="ml.t3.medium", RoleArn=ROLE
        )
    launch(clients("ec2"), "fleet", "m5.large", 1200)
    aws.faults({"ec2:DescribeInstances": {"denied": True, "after": 2}})
    _, reports = read(INSTANCE, NOTEBOOK, groups=frozenset({"tags"}))
    assert reports[EAST, INSTANCE].status is ScopeStatus.PARTIAL
    assert reports[EAST, INSTANCE].resources > 0
    assert reports[EAST, NOTEBOOK].status is ScopeStatus.COMPLETE


GROUPS = {
    "tags": (BUCKET, {"s3:GetBucketTagging": {"denied": True}}),
    "encryption": (BUCKET, {"s3:GetBucketEncryption": {"denied": True}}),
    "public_access": (BUCKET, {"s3:GetBucketPolicyStatus": {"denied": True}}),
    "logging": (BUCKET, {"s3:GetBucketLogging": {"denied": True}}),
    "policy": (BUCKET, {"s3:GetBucketPolicy": {"denied": True}}),
    "hardware": (INSTANCE, {"ec2:DescribeInstanceTypes": {"denied": True}}),
    "details": (NOTEBOOK, {"sagemaker:DescribeNotebookInstance": {"denied": True}}),
    "config": (ENDPOINT, {"sagemaker:DescribeEndpointConfig": {"denied": True}}),
}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_that_is_denied_is_a_gap_of_the_resource(aws, clients, read, group):
    """The resource is there, the group is a gap with its reason, and the scope is complete."""
    kind, faults = GROUPS[group]
    clients("s3").create_bucket(Bucket="bucket")
    launch(clients("ec2"), "i")
    sagemaker = clients("sagemaker")
    sagemaker.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    endpoint(sagemaker, "e", {"VariantName": "a", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1})
    aws.faults(faults)
    resources, reports = read(kind)
    (found,) = resources.values()
    assert found.gaps[group].reason is Reason.DENIED
    assert next(iter(faults)) in found.gaps[group].detail
    assert reports[EAST, kind].status is ScopeStatus.COMPLETE


def test_a_key_that_is_denied(aws, clients, read):
    """Whose key it is stays unknown; that the volume is encrypted is known."""
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    clients("ec2").create_volume(AvailabilityZone=f"{EAST}a", Size=1, VolumeType="gp3", Encrypted=True, KmsKeyId=key)
    aws.faults({"kms:DescribeKey": {"denied": True}})
    (found,) = read(VOLUME)[0].values()
    assert found.fields["encryption.at_rest"] is True
    assert found.fields["encryption.key"].reason is Reason.DENIED


def test_throttling_is_waited_out(aws, clients, read):
    """A call that is throttled once is tried again."""
    launch(clients("ec2"), "trainer")
    aws.faults({"ec2:DescribeInstances": {"throttled": True, "times": 1}})
    resources, reports = read(INSTANCE, attempts=4)
    assert set(resources) == {"trainer"}
    assert reports[EAST, INSTANCE].status is ScopeStatus.COMPLETE


def test_a_region_that_times_out(aws, clients, read):
    """One region that does not answer leaves the other whole."""
    launch(clients("ec2"), "east")
    aws.faults({"ec2:DescribeInstances": {"latency_ms": 9000, "region": "us-west-2"}})
    resources, reports = read(INSTANCE, regions=(EAST, "us-west-2"), read_seconds=3, attempts=1)
    assert set(resources) == {"east"}
    assert reports[EAST, INSTANCE].status is ScopeStatus.COMPLETE
    assert reports["us-west-2", INSTANCE].status is ScopeStatus.FAILED
    assert "ReadTimeoutError" in reports["us-west-2", INSTANCE].detail


def test_every_field_is_a_declared_one(clients, read):
    """Collectors send no field that the kind does not declare, and no value of another type."""
    clients("s3").create_bucket(Bucket="bucket")
    launch(clients("ec2"), "i")
    sagemaker = clients("sagemaker")
    sagemaker.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    endpoint(sagemaker, "e", {"VariantName": "a", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1})
    kinds = {kind.name: kind for kind in aws_kinds()}
    for resource in read(*ALL)[0].values():
        declared = kinds[resource.kind].field_by_name
        assert set(resource.fields) <= set(declared), resource.kind
        required = {f.name for f in kinds[resource.kind].fields if not f.optional and f.group not in resource.gaps}
        assert required - set(resource.fields) == set(), resource.kind


def test_every_call_is_permitted(aws, clients, read):
    """Over HTTP, telemetry and all, nothing is called that the list of permissions does not hold."""
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    plant_bucket(clients("s3"), "bucket", public=True, key=key)
    launch(clients("ec2"), "i")
    sagemaker = clients("sagemaker")
    sagemaker.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    endpoint(sagemaker, "e", {"VariantName": "a", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1})
    machine = next(iter(clients("ec2").describe_instances()["Reservations"]))["Instances"][0]["InstanceId"]
    aws.put_series(EAST, "AWS/EC2", "CPUUtilization", {"InstanceId": machine}, _hour_ago(), 300, [1.0] * 11)
    aws.calls()
    read(*ALL, metrics=("gpu.utilization", "cpu.utilization"))
    called = {OPERATIONS.get(call, call) for call in aws.calls()}
    assert called <= set(READ_ACTIONS)
    assert set(SHARED_ACTIONS) <= called


def _hour_ago():
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def test_a_consumer_that_stops_early_leaves_nothing_behind(aws, clients):
    """A stream that is given up ends its threads."""
    import threading
    from datetime import UTC, datetime

    from engine.model import KindNeeds, Needs
    from integrations.aws.live import live_estate
    from integrations.aws.session import AwsSettings

    launch(clients("ec2"), "fleet", "m5.large", 30)
    before = threading.active_count()
    settings = AwsSettings(regions=(EAST, "us-west-2"), endpoint_url=aws.endpoint, access_key=("a", "b"))
    with live_estate(settings, datetime.now(UTC)) as estate:
        stream = estate.stream(Needs({kind: KindNeeds(frozenset({"tags"})) for kind in ALL}))
        next(stream)
        stream.close()
    assert threading.active_count() == before
