"""One resource for each pair of remediation and kind, ready to be acted on, in the emulated account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from actions.aws.calls import Calls
from actions.aws.tagging import SERVICES
from engine.model import Resource

ROLE = "arn:aws:iam::123456789012:role/work"
Client = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A resource to act on."""

    remediation: str
    kind: str
    plant: Callable[[Client], str]
    """Makes it; returns the name or id under which it is read."""
    state: Callable[[Client, Resource], object]
    """What the act changes, as the service tells it."""
    remove: Callable[[Client, Resource], object]
    """Deletes it, as somebody else would."""
    calls: tuple[str, ...]
    """The calls of `do` that change something."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    undoable: bool = True
    outlives: bool = False
    """The act is about something that stays where the resource is gone."""

    def __str__(self) -> str:
        return f"{self.remediation}-{self.kind}"


# --- machines


def machine(client: Client, **more: Any) -> str:
    asked = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1, **more}
    asked.setdefault("Placement", {"AvailabilityZone": "us-east-1a"})
    made: str = client("ec2").run_instances(**asked)["Instances"][0]["InstanceId"]
    return made


def stopped(client: Client, **more: Any) -> str:
    made = machine(client, **more)
    client("ec2").stop_instances(InstanceIds=[made])
    return made


def entry(client: Client, resource: Resource) -> dict[str, Any]:
    found: dict[str, Any] = client("ec2").describe_instances(InstanceIds=[resource.id])["Reservations"][0]["Instances"][
        0
    ]
    return found


def state(client: Client, resource: Resource) -> str:
    return str(entry(client, resource)["State"]["Name"])


def terminate(client: Client, resource: Resource) -> None:
    client("ec2").terminate_instances(InstanceIds=[resource.id])


# --- volumes and their likes


def volume(client: Client, kind: str = "gp2", size: int = 100) -> str:
    made: str = client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=size, VolumeType=kind)["VolumeId"]
    return made


def volume_type(client: Client, resource: Resource) -> object:
    return client("ec2").describe_volumes(VolumeIds=[resource.id])["Volumes"][0]["VolumeType"]


def volumes(client: Client, resource: Resource) -> object:
    listed = client("ec2").describe_volumes()["Volumes"]
    return [one["VolumeId"] for one in listed if one["VolumeId"] == resource.id]


def drop_volume(client: Client, resource: Resource) -> None:
    client("ec2").delete_volume(VolumeId=resource.id)


def snapshot(client: Client) -> str:
    return str(client("ec2").create_snapshot(VolumeId=volume(client))["SnapshotId"])


def image(client: Client) -> str:
    client("ec2").create_image(InstanceId=machine(client), Name="weights")
    return "weights"


def encrypts(client: Client, _: Resource) -> object:
    return client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]


# --- buckets


def bucket(client: Client) -> str:
    client("s3").create_bucket(Bucket="checkpoints")
    return "checkpoints"


def keyed(client: Client) -> str:
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=key)
    return bucket(client)


def encryption(client: Client, resource: Resource) -> object:
    answer = client("s3").get_bucket_encryption(Bucket=resource.id)["ServerSideEncryptionConfiguration"]["Rules"]
    return [rule["ApplyServerSideEncryptionByDefault"] for rule in answer]


def blocks(client: Client, resource: Resource) -> object:
    try:
        return client("s3").get_public_access_block(Bucket=resource.id)["PublicAccessBlockConfiguration"]
    except client("s3").exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def drop_bucket(client: Client, resource: Resource) -> None:
    client("s3").delete_bucket(Bucket=resource.id)


# --- groups


def group(client: Client, desired: int = 2, **more: Any) -> str:
    scaling = client("autoscaling")
    scaling.create_launch_configuration(
        LaunchConfigurationName="train", ImageId="ami-0123456789abcdef0", InstanceType="m5.large"
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="train",
        LaunchConfigurationName="train",
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=desired,
        AvailabilityZones=["us-east-1a"],
        **more,
    )
    return "train"


def group_sizes(client: Client, resource: Resource) -> object:
    groups = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[resource.name])
    return [(one["MinSize"], one["DesiredCapacity"], one["MaxSize"]) for one in groups["AutoScalingGroups"]]


def drop_group(client: Client, resource: Resource) -> None:
    client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=resource.name, ForceDelete=True)


def cluster(client: Client) -> str:
    network = {"subnetIds": ["subnet-1", "subnet-2"]}
    client("eks").create_cluster(name="research", roleArn=ROLE, resourcesVpcConfig=network)
    return "research"


def nodegroup(client: Client) -> str:
    cluster(client)
    client("eks").create_nodegroup(
        clusterName="research",
        nodegroupName="gpu",
        scalingConfig={"minSize": 1, "desiredSize": 2, "maxSize": 4},
        subnets=["subnet-1"],
        nodeRole=ROLE,
        instanceTypes=["g5.xlarge"],
    )
    return "gpu"


def node_sizes(client: Client, _: Resource) -> object:
    return client("eks").describe_nodegroup(clusterName="research", nodegroupName="gpu")["nodegroup"]["scalingConfig"]


def drop_nodegroup(client: Client, _: Resource) -> None:
    client("eks").delete_nodegroup(clusterName="research", nodegroupName="gpu")


def drop_cluster(client: Client, resource: Resource) -> None:
    client("eks").delete_cluster(name=resource.name)


# --- SageMaker


def endpoint(client: Client, name: str = "rerank", count: int = 2) -> str:
    sagemaker = client("sagemaker")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    variant = {"VariantName": "v1", "ModelName": "m", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": count}
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-1", ProductionVariants=[variant])
    tags = [{"Key": "team", "Value": "search"}]
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-1", Tags=tags)
    return name


def components(client: Client) -> str:
    name = endpoint(client)
    for component in ("a", "b"):
        client("sagemaker").create_inference_component(
            InferenceComponentName=component,
            EndpointName=name,
            VariantName="v1",
            Specification={"ModelName": "m", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}},
            RuntimeConfig={"CopyCount": 1},
        )
    return name


def copies(client: Client, _: Resource) -> object:
    sagemaker = client("sagemaker")
    described = (sagemaker.describe_inference_component(InferenceComponentName=name) for name in ("a", "b"))
    return [one["RuntimeConfig"]["DesiredCopyCount"] for one in described]


def endpoints(client: Client, _: Resource) -> object:
    sagemaker = client("sagemaker")
    described = [
        sagemaker.describe_endpoint(EndpointName=e["EndpointName"]) for e in sagemaker.list_endpoints()["Endpoints"]
    ]
    return [
        (one["EndpointName"], one["EndpointConfigName"], sagemaker.list_tags(ResourceArn=one["EndpointArn"])["Tags"])
        for one in described
    ]


def drop_endpoint(client: Client, resource: Resource) -> None:
    client("sagemaker").delete_endpoint(EndpointName=resource.name)


def notebook(client: Client) -> str:
    client("sagemaker").create_notebook_instance(NotebookInstanceName="lab", InstanceType="ml.g5.xlarge", RoleArn=ROLE)
    return "lab"


def notebook_state(client: Client, resource: Resource) -> object:
    found = client("sagemaker").describe_notebook_instance(NotebookInstanceName=resource.name)
    return found["NotebookInstanceStatus"]


def drop_notebook(client: Client, resource: Resource) -> None:
    sagemaker = client("sagemaker")
    sagemaker.stop_notebook_instance(NotebookInstanceName=resource.name)
    sagemaker.delete_notebook_instance(NotebookInstanceName=resource.name)


def app(client: Client) -> str:
    client("sagemaker").create_app(
        DomainId="d-0123456789ab",
        SpaceName="ana",
        AppType="JupyterLab",
        AppName="default",
        ResourceSpec={"InstanceType": "ml.g5.xlarge"},
    )
    return "default"


def app_state(client: Client, resource: Resource) -> object:
    found = [one for one in client("sagemaker").list_apps()["Apps"] if one["Status"] != "Deleted"]
    return [(one["AppName"], one["ResourceSpec"]["InstanceType"]) for one in found]


def drop_app(client: Client, _: Resource) -> None:
    client("sagemaker").delete_app(DomainId="d-0123456789ab", SpaceName="ana", AppType="JupyterLab", AppName="default")


# --- others


def database(client: Client, **more: Any) -> str:
    client("rds").create_db_instance(
        **{
            "DBInstanceIdentifier": "features",
            "Engine": "postgres",
            "DBInstanceClass": "db.r6g.large",
            "AllocatedStorage": 100,
            "MasterUsername": "root",
            "MasterUserPassword": "not-a-secret",
            **more,
        }
    )
    return "features"


def database_state(client: Client, resource: Resource) -> object:
    return client("rds").describe_db_instances(DBInstanceIdentifier=resource.name)["DBInstances"][0]["DBInstanceStatus"]


def drop_database(client: Client, resource: Resource) -> None:
    client("rds").delete_db_instance(DBInstanceIdentifier=resource.name, SkipFinalSnapshot=True)


def domain(client: Client) -> str:
    nodes = {"InstanceType": "r6g.xlarge.search", "InstanceCount": 3}
    client("opensearch").create_domain(DomainName="products", ClusterConfig=nodes)
    return "products"


def nodes_of(client: Client, resource: Resource) -> object:
    config = client("opensearch").describe_domain(DomainName=resource.name)["DomainStatus"]["ClusterConfig"]
    return (config["InstanceType"], config["InstanceCount"])


def drop_domain(client: Client, resource: Resource) -> None:
    client("opensearch").delete_domain(DomainName=resource.name)


def throughput(client: Client, **more: Any) -> str:
    client("bedrock").create_provisioned_model_throughput(
        provisionedModelName="tuned",
        modelId="arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        modelUnits=1,
        **more,
    )
    return "tuned"


def throughputs(client: Client, _: Resource) -> object:
    return client("bedrock").list_provisioned_model_throughputs()["provisionedModelSummaries"]


def drop_throughput(client: Client, resource: Resource) -> None:
    client("bedrock").delete_provisioned_model_throughput(provisionedModelId=resource.id)


def tags_of(client: Client, resource: Resource) -> object:
    service = SERVICES[resource.kind]
    return dict(service.read(Calls(client(service.client), resource.uid), resource))


def nothing(*_: object) -> None:
    """Somebody else's deletion where there is nothing to delete."""


INSTANCE, VOLUME, BUCKET = "aws.ec2.instance", "aws.ebs.volume", "aws.s3.bucket"
GROUP, NODEGROUP, ENDPOINT = "aws.autoscaling.group", "aws.eks.nodegroup", "aws.sagemaker.endpoint"
TAGS = {"owner": "unowned", "review": "2026-12"}

CASES = (
    Case("stop", INSTANCE, machine, state, terminate, ("ec2:StopInstances",)),
    Case(
        "hibernate",
        INSTANCE,
        lambda client: machine(client, HibernationOptions={"Configured": True}),
        state,
        terminate,
        ("ec2:StopInstances",),
    ),
    Case("start", INSTANCE, stopped, state, terminate, ("ec2:StartInstances",)),
    Case(
        "terminate", INSTANCE, machine, state, terminate, ("ec2:CreateImage", "ec2:TerminateInstances"), undoable=False
    ),
    Case(
        "resize",
        INSTANCE,
        stopped,
        lambda client, r: entry(client, r)["InstanceType"],
        terminate,
        ("ec2:ModifyInstanceAttribute",),
        {"to": "m5.xlarge"},
    ),
    Case(
        "snapshot_and_delete",
        VOLUME,
        volume,
        volumes,
        drop_volume,
        ("ec2:CreateSnapshot", "ec2:DeleteVolume"),
        undoable=False,
    ),
    Case("gp3", VOLUME, volume, volume_type, drop_volume, ("ec2:ModifyVolume",)),
    Case(
        "encrypt_new_volumes", VOLUME, volume, encrypts, nothing, ("ec2:EnableEbsEncryptionByDefault",), outlives=True
    ),
    Case("encrypt", BUCKET, keyed, encryption, drop_bucket, ("s3:PutBucketEncryption",), {"key": "alias/data"}),
    Case("block_public_access", BUCKET, bucket, blocks, drop_bucket, ("s3:PutPublicAccessBlock",)),
    Case("scale", GROUP, group, group_sizes, drop_group, ("autoscaling:UpdateAutoScalingGroup",), {"to": "0"}),
    Case("scale", NODEGROUP, nodegroup, node_sizes, drop_nodegroup, ("eks:UpdateNodegroupConfig",), {"to": "0"}),
    Case(
        "scale",
        ENDPOINT,
        components,
        copies,
        drop_endpoint,
        ("sagemaker:UpdateInferenceComponentRuntimeConfig",),
        {"to": "0"},
    ),
    Case(
        "scale",
        ENDPOINT,
        endpoint,
        lambda client, r: client("sagemaker").describe_endpoint(EndpointName=r.name)["ProductionVariants"][0][
            "DesiredInstanceCount"
        ],
        drop_endpoint,
        ("sagemaker:UpdateEndpointWeightsAndCapacities",),
        {"to": "1"},
    ),
    Case("delete", ENDPOINT, endpoint, endpoints, drop_endpoint, ("sagemaker:DeleteEndpoint",)),
    Case(
        "stop",
        "aws.sagemaker.notebook",
        notebook,
        notebook_state,
        drop_notebook,
        ("sagemaker:StopNotebookInstance",),
    ),
    Case("stop", "aws.sagemaker.app", app, app_state, drop_app, ("sagemaker:DeleteApp",)),
    Case("stop", "aws.rds.instance", database, database_state, drop_database, ("rds:StopDBInstance",)),
    Case(
        "resize",
        "aws.opensearch.domain",
        domain,
        nodes_of,
        drop_domain,
        ("opensearch:UpdateDomainConfig", "es:UpdateDomainConfig"),
        {"to": "r6g.large.search"},
    ),
    Case(
        "release",
        "aws.bedrock.provisioned_throughput",
        throughput,
        throughputs,
        drop_throughput,
        ("bedrock:DeleteProvisionedModelThroughput",),
        undoable=False,
    ),
    *(
        Case("tag", kind, plant, tags_of, remove, calls, TAGS)
        for kind, plant, remove, calls in (
            (INSTANCE, machine, nothing, ("ec2:CreateTags",)),
            (VOLUME, volume, nothing, ("ec2:CreateTags",)),
            ("aws.ebs.snapshot", snapshot, nothing, ("ec2:CreateTags",)),
            ("aws.ec2.image", image, nothing, ("ec2:CreateTags",)),
            (BUCKET, bucket, drop_bucket, ("s3:PutBucketTagging",)),
            (GROUP, group, nothing, ("autoscaling:CreateOrUpdateTags",)),
            (ENDPOINT, endpoint, nothing, ("sagemaker:AddTags",)),
            ("aws.sagemaker.notebook", notebook, nothing, ("sagemaker:AddTags",)),
            ("aws.eks.cluster", cluster, drop_cluster, ("eks:TagResource",)),
            ("aws.rds.instance", database, nothing, ("rds:AddTagsToResource",)),
            ("aws.opensearch.domain", domain, nothing, ("es:AddTags", "opensearch:AddTags")),
        )
    ),
)
