"""
Which of our fields holds what Custodian finds under a path: one table for each of its resource types.

A type or a path that is not here has no equal, and a policy that asks for it is not translated. To add one, add
a line: what it says is checked against the declared kinds by the tests, and against Custodian itself by those
that run both. A path belongs here only where the field has a value exactly where Custodian has one, and the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from integrations.custodian.places import AllTags, Filled, Flag, Items, Mapped, Place, Presence, Same, Words

TAGS: Mapping[str, Place] = {"Tags": AllTags()}
ENABLED: Mapping[str, object] = {"Enabled": True, "Disabled": False}


def _same(**paths: str) -> dict[str, Place]:
    return {path: Same(name) for path, name in paths.items()}


EC2 = Mapped(
    "aws.ec2.instance",
    paths={
        **TAGS,
        **_same(InstanceId="id", InstanceType="instance.type", LaunchTime="launched"),
        "State.Name": Same("state"),
        "Placement.AvailabilityZone": Same("availability_zone"),
        "Placement.Tenancy": Same("tenancy"),
        "InstanceLifecycle": Filled("lifecycle", nothing="on-demand"),
        "MetadataOptions.HttpTokens": Words("imdsv2", {"required": True, "optional": False}),
        "PlatformDetails": Words(
            "platform",
            {
                "Linux/UNIX": "linux",
                "Windows": "windows",
                "Red Hat Enterprise Linux": "rhel",
                "SUSE Linux": "suse",
            },
        ),
        "PublicIpAddress": Presence("resource.public_ip"),
    },
    ages={"instance-age": "resource.age", "instance-uptime": "now - resource.launched"},
    remarks={
        "instance-age": "age counts from the first sign of the instance; Custodian's counts from its oldest disk, "
        "and starts anew where that is replaced"
    },
    queries={
        "instance-state-name": "State.Name",
        "instance-type": "InstanceType",
        "instance-id": "InstanceId",
        "instance-lifecycle": "InstanceLifecycle",
        "availability-zone": "Placement.AvailabilityZone",
        "tenancy": "Placement.Tenancy",
    },
    actions={"start": "start", "stop": "stop", "terminate": "terminate"},
    gone={"State.Name": frozenset({"terminated", "shutting-down"})},
    namespace="AWS/EC2",
)
EBS = Mapped(
    "aws.ebs.volume",
    paths={
        **TAGS,
        **_same(
            VolumeId="id",
            State="state",
            Size="volume.size_gib",
            VolumeType="volume.type",
            Iops="volume.iops",
            Throughput="volume.throughput_mibps",
            AvailabilityZone="availability_zone",
            CreateTime="created",
            Encrypted="encryption.at_rest",
        ),
        "Attachments": Items("resource.attached"),
        "Attachments[0].InstanceId": Same("attached_to"),
        "Attachments[0].Device": Presence("resource.attached"),
        "KmsKeyId": Presence("resource.encryption.at_rest"),
    },
    queries={
        "availability-zone": "AvailabilityZone",
        "status": "State",
        "volume-id": "VolumeId",
        "volume-type": "VolumeType",
    },
    actions={"delete": "snapshot_and_delete"},
    gone={"State": frozenset({"deleting", "deleted"})},
    namespace="AWS/EBS",
)
SNAPSHOT = Mapped(
    "aws.ebs.snapshot",
    paths={
        **TAGS,
        **_same(
            SnapshotId="id",
            State="state",
            VolumeId="volume",
            VolumeSize="volume.size_gib",
            StartTime="created",
            Encrypted="encryption.at_rest",
        ),
    },
    ages={"age": "resource.age"},
    queries={"status": "State", "snapshot-id": "SnapshotId", "volume-id": "VolumeId"},
)
IMAGE = Mapped(
    "aws.ec2.image",
    paths={
        **TAGS,
        **_same(
            ImageId="id",
            Name="name",
            State="state",
            Architecture="architecture",
            PlatformDetails="platform",
            CreationDate="created",
            DeprecationTime="deprecated",
            LastLaunchedTime="last_launched",
            Public="public_access",
        ),
    },
    ages={"image-age": "resource.age"},
)
BUCKET = Mapped(
    "aws.s3.bucket",
    paths={
        **TAGS,
        **_same(Name="id", CreationDate="created"),
        "Logging": Items("resource.access_logging"),
        "Logging.TargetBucket": Presence("resource.access_logging"),
    },
    actions={"set-public-block": "block_public_access", "set-bucket-encryption": "encrypt"},
)
ENDPOINT = Mapped(
    "aws.sagemaker.endpoint",
    paths={
        **TAGS,
        **_same(
            EndpointArn="id",
            EndpointName="name",
            EndpointStatus="state",
            CreationTime="created",
            LastModifiedTime="modified",
        ),
    },
    actions={"delete": "delete"},
)
NOTEBOOK = Mapped(
    "aws.sagemaker.notebook",
    paths={
        **TAGS,
        **_same(
            NotebookInstanceArn="id",
            NotebookInstanceName="name",
            NotebookInstanceStatus="state",
            InstanceType="instance.type",
            VolumeSizeInGB="volume.size_gib",
            CreationTime="created",
            LastModifiedTime="modified",
        ),
        "DirectInternetAccess": Words("public_access", ENABLED),
        "RootAccess": Words("root_access", ENABLED),
        "SubnetId": Presence("resource.in_vpc"),
        "KmsKeyId": Presence('resource.encryption.key != "aws_owned"'),
    },
    actions={"stop": "stop"},
)
RDS = Mapped(
    "aws.rds.instance",
    paths={
        **TAGS,
        **_same(
            DBInstanceArn="id",
            DBInstanceIdentifier="name",
            DBInstanceStatus="state",
            DBInstanceClass="instance.type",
            Engine="engine",
            EngineVersion="engine.version",
            DBClusterIdentifier="cluster",
            MultiAZ="multi_az",
            StorageType="storage.type",
            AllocatedStorage="storage.size_gib",
            AvailabilityZone="availability_zone",
            DeletionProtection="deletion_protection",
            PubliclyAccessible="public_access",
            InstanceCreateTime="created",
        ),
        # RDS's own encryption, which they do not count as any, is the only one without a key of the account.
        "StorageEncrypted": Flag('resource.encryption.at_rest and resource.encryption.key != "aws_owned"'),
    },
    actions={"stop": "stop"},
    namespace="AWS/RDS",
)
EFS = Mapped(
    "aws.efs.file_system",
    paths={
        **TAGS,
        **_same(
            FileSystemId="id",
            LifeCycleState="state",
            CreationTime="created",
            NumberOfMountTargets="mount_targets",
            ThroughputMode="throughput.mode",
            ProvisionedThroughputInMibps="throughput.mibps",
            Encrypted="encryption.at_rest",
        ),
        "AvailabilityZoneName": Presence("resource.one_zone"),
    },
    namespace="AWS/EFS",
)
FSX = Mapped(
    "aws.fsx.file_system",
    paths={
        **TAGS,
        **_same(
            FileSystemId="id",
            Lifecycle="state",
            FileSystemType="type",
            StorageType="storage.type",
            StorageCapacity="storage.size_gib",
            CreationTime="created",
        ),
    },
    namespace="AWS/FSx",
)
DOMAIN = Mapped(
    "aws.opensearch.domain",
    paths={
        **TAGS,
        **_same(ARN="id", DomainName="name"),
        "ElasticsearchClusterConfig.InstanceCount": Same("instance.count"),
        "EncryptionAtRestOptions.Enabled": Same("encryption.at_rest"),
        "NodeToNodeEncryptionOptions.Enabled": Same("encryption.between_nodes"),
        "DomainEndpointOptions.EnforceHTTPS": Same("encryption.in_transit"),
        "AdvancedSecurityOptions.Enabled": Same("fine_grained_access"),
        "EBSOptions.VolumeType": Same("storage.type"),
        "VPCOptions.VPCId": Presence("resource.in_vpc"),
    },
    namespace="AWS/ES",
)
KEY = Mapped(
    "aws.kms.key",
    paths={
        **TAGS,
        **_same(
            Arn="id",
            KeyArn="id",
            KeyId="name",
            KeyState="state",
            KeyManager="manager",
            KeyUsage="usage",
            KeySpec="spec",
            Origin="origin",
            MultiRegion="multi_region",
            DeletionDate="deleted",
            CreationDate="created",
        ),
    },
)

GROUP = Mapped(
    "aws.autoscaling.group",
    paths={
        **TAGS,
        **_same(
            AutoScalingGroupARN="id",
            AutoScalingGroupName="name",
            MinSize="size.min",
            MaxSize="size.max",
            DesiredCapacity="size.desired",
            CreatedTime="created",
        ),
        "Status": Presence("resource.deleting"),
    },
)
CLUSTER = Mapped(
    "aws.eks.cluster",
    paths={
        **TAGS,
        **_same(arn="id", name="name", status="state", version="version", createdAt="created"),
        "resourcesVpcConfig.endpointPublicAccess": Same("public_endpoint"),
    },
)
NODEGROUP = Mapped(
    "aws.eks.nodegroup",
    paths={
        **TAGS,
        **_same(
            nodegroupName="name", clusterName="cluster", status="state", createdAt="created", modifiedAt="modified"
        ),
        "scalingConfig.minSize": Same("size.min"),
        "scalingConfig.maxSize": Same("size.max"),
        "scalingConfig.desiredSize": Same("size.desired"),
        "capacityType": Words(
            "lifecycle", {"ON_DEMAND": "on-demand", "SPOT": "spot", "CAPACITY_BLOCK": "capacity-block"}
        ),
    },
)
SERVICE = Mapped(
    "aws.ecs.service",
    paths={
        **TAGS,
        **_same(
            serviceArn="id",
            serviceName="name",
            status="state",
            desiredCount="size.desired",
            runningCount="size.running",
            launchType="launch_type",
            createdAt="created",
        ),
    },
    namespace="AWS/ECS",
)
ENVIRONMENT = Mapped(
    "aws.batch.compute_environment",
    paths={
        **TAGS,
        **_same(computeEnvironmentArn="id", computeEnvironmentName="name", state="state", status="status"),
        "type": Words("managed", {"MANAGED": True, "UNMANAGED": False}),
        "computeResources.type": Same("capacity"),
        "computeResources.minvCpus": Same("vcpus.min"),
        "computeResources.maxvCpus": Same("vcpus.max"),
        "computeResources.desiredvCpus": Same("vcpus.desired"),
    },
)
QUEUE = Mapped(
    "aws.batch.queue",
    paths={
        **TAGS,
        **_same(jobQueueArn="id", jobQueueName="name", state="state", status="status", priority="priority"),
    },
)
CACHE = Mapped(
    "aws.elasticache.cluster",
    paths={
        **TAGS,
        **_same(
            ARN="id",
            ReplicationGroupId="name",
            Status="state",
            CacheNodeType="instance.type",
            SnapshotRetentionLimit="backup_days",
            ReplicationGroupCreateTime="created",
        ),
        "MultiAZ": Words("multi_az", {"enabled": True, "disabled": False}),
    },
)
ENDED = frozenset({"Completed", "Failed", "Stopped"})
TRAINING = Mapped(
    "aws.sagemaker.training_job",
    paths={
        **TAGS,
        **_same(
            TrainingJobArn="id",
            TrainingJobName="name",
            TrainingJobStatus="state",
            CreationTime="created",
            LastModifiedTime="modified",
        ),
    },
    queries={"StatusEquals": "TrainingJobStatus"},
    actions={"stop": "stop_job"},
    gone={"TrainingJobStatus": ENDED},
    always='resource.state == "InProgress"',
)
PROCESSING = Mapped(
    "aws.sagemaker.processing_job",
    paths={
        **TAGS,
        **_same(
            ProcessingJobArn="id",
            ProcessingJobName="name",
            ProcessingJobStatus="state",
            CreationTime="created",
            LastModifiedTime="modified",
        ),
    },
    queries={"StatusEquals": "ProcessingJobStatus"},
    actions={"stop": "stop_job"},
    gone={"ProcessingJobStatus": ENDED},
    always='resource.state == "InProgress"',
)
HYPERPOD = Mapped(
    "aws.sagemaker.cluster",
    paths={**TAGS, **_same(ClusterArn="id", ClusterName="name", ClusterStatus="state", CreationTime="created")},
)

TYPES: Mapping[str, Mapped] = MappingProxyType(
    {
        "ec2": EC2,
        "ebs": EBS,
        "ebs-snapshot": SNAPSHOT,
        "ami": IMAGE,
        "s3": BUCKET,
        "sagemaker-endpoint": ENDPOINT,
        "sagemaker-notebook": NOTEBOOK,
        "rds": RDS,
        "efs": EFS,
        "fsx": FSX,
        "elasticsearch": DOMAIN,
        "kms-key": KEY,
        "asg": GROUP,
        "eks": CLUSTER,
        "eks-nodegroup": NODEGROUP,
        "ecs-service": SERVICE,
        "batch-compute": ENVIRONMENT,
        "batch-queue": QUEUE,
        "elasticache-group": CACHE,
        "sagemaker-job": TRAINING,
        "sagemaker-processing-job": PROCESSING,
        "sagemaker-cluster": HYPERPOD,
    }
)
"""By the name of the type in Custodian, without `aws.`."""
