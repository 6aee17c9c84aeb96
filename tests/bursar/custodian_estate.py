"""
A varied estate in the emulated account, for two programs to look at.

Whatever the examples of Cloud Custodian's documentation ask about is there, and so is its opposite.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bursar.demo.process import Server, Times

EAST, WEST = "us-east-1", "us-west-2"
REGIONS = (EAST, WEST)
ROLE = "arn:aws:iam::123456789012:role/service"
IMAGE = "ami-0c0ffee0"


class Planter:
    """Fills one account through boto3, as a person would."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.now = datetime.now(UTC).replace(microsecond=0)

    def client(self, service: str, region: str):
        import boto3

        return boto3.client(service, region_name=region, endpoint_url=self.server.endpoint)

    def age(self, region: str, name: str, days: float) -> None:
        """Let something have been created `days` ago."""
        moment = self.now - timedelta(days=days)
        self.server.backdate(region, {name: Times(moment, moment)})

    def plant(self) -> None:
        for region in REGIONS:
            self._instances(region)
            self._volumes(region)
            self._snapshots(region)
            self._databases(region)
            self._machine_learning(region)
            self._domains(region)
            self._groups(region)
            self._jobs(region)
        self._buckets()

    # --- compute

    def launch(self, region: str, kind: str, tags: Mapping[str, str], days: float = 1, **more) -> str:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        given = [{"ResourceType": "instance", "Tags": pairs}] if pairs else []
        ec2 = self.client("ec2", region)
        made = ec2.run_instances(
            ImageId=IMAGE, InstanceType=kind, MinCount=1, MaxCount=1, TagSpecifications=given, **more
        )["Instances"][0]["InstanceId"]
        self.age(region, made, days)
        return made

    def _instances(self, region: str) -> None:
        ec2 = self.client("ec2", region)
        required = {"MetadataOptions": {"HttpTokens": "required"}}
        self.launch(
            region, "t3.micro", {"env": "prod", "Owner": "ana", "CostCenter": "cc-1", "Name": "web"}, **required
        )
        self.launch(region, "m5.large", {"env": "production", "Owner": "", "CostCenter": "cc-1"}, 29)
        self.launch(region, "m5.xlarge", {"Env": "prod", "testing8882": "x"}, 31)
        busy = self.launch(region, "c5.large", {f"key-{n}": "x" for n in range(49)}, 400, **required)
        idle = self.launch(region, "g5.xlarge", {"Owner": "ana", "CostCenter": "", "testing8882": ""}, 90)
        self._publish(region, "AWS/EC2", "CPUUtilization", {"InstanceId": busy}, [1.0] * 700 + [60.0] + [1.0] * 99)
        self._publish(region, "AWS/EC2", "CPUUtilization", {"InstanceId": idle}, [1.0, 2.5] * 400)
        self.launch(region, "p5.48xlarge", {"custodian_downtime": "on", "key-0": ""})
        self.launch(region, "t3.large", {})
        stopped = self.launch(region, "t3.small", {"env": "prod", "testing8882": "y"}, 60)
        ec2.stop_instances(InstanceIds=[stopped])
        self.launch(region, "t3.nano", {"env": "dev"}, InstanceMarketOptions={"MarketType": "spot"})

    def _volumes(self, region: str) -> None:
        ec2 = self.client("ec2", region)
        zone = f"{region}a"
        for number, (kind, size, encrypted, days) in enumerate(
            (("gp3", 40, True, 3), ("gp2", 500, False, 8), ("io1", 100, False, 30), ("st1", 2000, True, 400))
        ):
            more = {"Iops": 4000} if kind == "io1" else {}
            made = ec2.create_volume(AvailabilityZone=zone, VolumeType=kind, Size=size, Encrypted=encrypted, **more)[
                "VolumeId"
            ]
            if number % 2:
                ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": f"data-{number}"}])
            self.age(region, made, days)
            if kind in ("gp2", "io1"):
                reads = [0.0 if kind == "gp2" else 7.0] * 800
                self._publish(region, "AWS/EBS", "VolumeReadOps", {"VolumeId": made}, reads)

    def _publish(self, region: str, space: str, name: str, dimensions: Mapping[str, str], values: list[float]) -> None:
        """Publish a value every five minutes, the last one of the last whole five minutes; the spike is hours ago."""
        end = self.now.replace(minute=self.now.minute // 5 * 5, second=0)
        start = end - timedelta(minutes=5) * len(values)
        self.server.put_series(region, space, name, dimensions, start, 300, values)

    def _snapshots(self, region: str) -> None:
        ec2 = self.client("ec2", region)
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8)["VolumeId"]
        for days in (1, 6.9, 7.1, 27, 29, 300):
            made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
            self.age(region, made, days)
        machine = self.launch(region, "t3.micro", {"env": "qa"})
        for days in (2, 45, 75, 120):
            image = ec2.create_image(InstanceId=machine, Name=f"image-{days}")["ImageId"]
            self.age(region, image, days)
            described = ec2.describe_images(ImageIds=[image])["Images"][0]
            for device in described["BlockDeviceMappings"]:
                self.age(region, device["Ebs"]["SnapshotId"], days)

    def _groups(self, region: str) -> None:
        scaling = self.client("autoscaling", region)
        scaling.create_launch_configuration(LaunchConfigurationName="lc", ImageId=IMAGE, InstanceType="t3.micro")
        for name, least, tags in (
            ("owned", 0, {"OwnerName": "ana", "Resume": ""}),
            ("renamed", 2, {"OwnerNames": "ana", "SuspendTag": "x"}),
            ("plain", 2, {}),
            ("odd", 0, {"UnnecessaryTag": "x", "OwnerName": ""}),
        ):
            scaling.create_auto_scaling_group(
                AutoScalingGroupName=name,
                LaunchConfigurationName="lc",
                MinSize=least,
                MaxSize=4,
                DesiredCapacity=least,
                AvailabilityZones=[f"{region}a"],
                Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in tags.items()],
            )

    # --- storage

    def _buckets(self) -> None:
        for name, region, tags, crypto in (
            ("c7n-plain", EAST, {}, ""),
            ("c7n-aes", EAST, {"RegionName": "us-east-1"}, "AES256"),
            ("c7n-kms", EAST, {"BucketOwner": "ana"}, "aws:kms"),
            ("c7n-owned", EAST, {"BucketOwner": "ben", "RegionName": "x"}, "AES256"),
            ("c7n-west", WEST, {"IngestSetup": "done"}, "AES256"),
            ("c7n-west-plain", WEST, {"RegionName": "absent?"}, ""),
        ):
            s3 = self.client("s3", region)
            where = {} if region == EAST else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket=name, **where)
            if tags:
                pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
                s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
            if name == "c7n-aes":
                blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
                s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
            if name == "c7n-kms":
                self._log(s3, name)
            if crypto:
                rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": crypto}}
                s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def _log(self, s3, name: str) -> None:
        """Let a bucket log to itself."""
        s3.put_bucket_acl(Bucket=name, ACL="log-delivery-write")
        target = {"TargetBucket": name, "TargetPrefix": "log/"}
        s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})

    # --- services

    def _databases(self, region: str) -> None:
        rds = self.client("rds", region)
        for number, (engine, public, encrypted, protected) in enumerate(
            (
                ("postgres", True, True, True),
                ("mysql", True, False, False),
                ("postgres", False, True, True),
                ("mysql", False, False, False),
            )
        ):
            key = {"KmsKeyId": self._own_key(region)} if encrypted else {}
            rds.create_db_instance(
                DBInstanceIdentifier=f"db-{number}",
                DBInstanceClass="db.m5.large" if number == 2 else "db.t3.medium",
                Engine=engine,
                MasterUsername="root",
                MasterUserPassword="not-a-secret",
                AllocatedStorage=20,
                PubliclyAccessible=public,
                StorageEncrypted=encrypted,
                DeletionProtection=protected,
                **key,
            )

    def _own_key(self, region: str) -> str:
        return self.client("kms", region).create_key()["KeyMetadata"]["Arn"]

    def _machine_learning(self, region: str) -> None:
        sagemaker = self.client("sagemaker", region)
        for name, tags in (
            ("plain", {}),
            ("wanted", {"target-tag": "x", "DeleteMe": "yes"}),
            ("bad", {"BadTag": "", "InvalidTag": "1"}),
            ("both", {"target-tag": "", "InvalidTag": "", "DeleteMe": ""}),
        ):
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            closed = {"DirectInternetAccess": "Disabled", "SubnetId": "subnet-1", "SecurityGroupIds": ["sg-1"]}
            sagemaker.create_notebook_instance(
                NotebookInstanceName=name,
                InstanceType="ml.t3.medium",
                RoleArn=ROLE,
                Tags=pairs,
                RootAccess="Disabled" if name in ("wanted", "bad") else "Enabled",
                **(closed if name == "bad" else {}),
                **({"KmsKeyId": self._own_key(region)} if name == "both" else {}),
            )
        sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "image"})
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": "m",
            "InstanceType": "ml.g5.xlarge",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        for name, tags in (
            ("sagemaker-ep--2018-01-01-00-00-00", {}),
            ("tagged", {"required-tag": "x"}),
            ("expired", {"required-tag": "", "expired-tag": "x"}),
        ):
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c", Tags=pairs)

    def _jobs(self, region: str) -> None:
        sagemaker = self.client("sagemaker", region)
        for name, tags in (
            ("ml-job-10", {}),
            ("tagged", {"required-tag": "x"}),
            ("expired", {"expired-tag": "x"}),
        ):
            sagemaker.create_training_job(
                TrainingJobName=name,
                RoleArn=ROLE,
                AlgorithmSpecification={"TrainingInputMode": "File", "TrainingImage": "image"},
                OutputDataConfig={"S3OutputPath": "s3://out"},
                ResourceConfig={"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
                StoppingCondition={"MaxRuntimeInSeconds": 3600},
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )

    def _domains(self, region: str) -> None:
        es = self.client("opensearch", region)
        for name, disk, tags in (
            ("logs", "gp2", {"DesiredTag": "x"}),
            ("search", "gp3", {"ExpiredTag": "x"}),
            ("plain", "gp2", {}),
        ):
            es.create_domain(
                DomainName=name,
                EBSOptions={"EBSEnabled": True, "VolumeType": disk, "VolumeSize": 10},
                TagList=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
