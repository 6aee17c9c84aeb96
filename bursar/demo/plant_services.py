"""Create the demo's buckets, endpoints and notebooks through the S3 and SageMaker APIs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bursar.demo.blueprint import BUCKET, ENDPOINT, NOTEBOOK, Planted
from bursar.demo.estate import EAST
from bursar.demo.estate_services import Bucket, Endpoint, Notebook
from bursar.demo.plant_compute import Ground, Grown, pairs
from bursar.demo.process import Times

ACCOUNT = "123456789012"
LOGS = "tallowmere-logs"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
MODEL = "tallowmere-serving"


def plant_buckets(ground: Ground, buckets: Sequence[Bucket]) -> list[Grown]:
    """Create and configure the buckets; the one that takes the logs comes first."""
    s3 = ground.clients["s3"]
    found = []
    for bucket in sorted(buckets, key=lambda b: b.name != LOGS):
        where = {"CreateBucketConfiguration": {"LocationConstraint": ground.region}}
        s3.create_bucket(Bucket=bucket.name, **({} if ground.region == EAST else where))
        if bucket.tags:
            s3.put_bucket_tagging(Bucket=bucket.name, Tagging={"TagSet": pairs(bucket.tags)})
        _configure(s3, bucket, ground.key)
        planted = Planted(BUCKET, ground.region, bucket.name, bucket.name, bucket.story, bucket.tags)
        times = Times(ground.now - timedelta(days=bucket.age))
        found.append(Grown(planted, f"bucket/{bucket.name}", times))
    return found


def plant_endpoints(ground: Ground, endpoints: Sequence[Endpoint]) -> list[Grown]:
    """Create the endpoints, each with a configuration of its name."""
    sagemaker = ground.clients["sagemaker"]
    sagemaker.create_model(
        ModelName=MODEL,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": f"{ACCOUNT}.dkr.ecr.{ground.region}.amazonaws.com/serve:41"},
    )
    found = []
    for endpoint in endpoints:
        sagemaker.create_endpoint_config(
            EndpointConfigName=f"{endpoint.name}-1",
            ProductionVariants=[_variant(endpoint, name) for name in endpoint.variants],
            **({"KmsKeyId": ground.key} if endpoint.customer_key else {}),
            **({"EnableNetworkIsolation": True} if endpoint.isolated else {}),
        )
        made = sagemaker.create_endpoint(
            EndpointName=endpoint.name, EndpointConfigName=f"{endpoint.name}-1", Tags=pairs(endpoint.tags)
        )
        planted = Planted(
            ENDPOINT,
            ground.region,
            made["EndpointArn"],
            endpoint.name,
            endpoint.story,
            endpoint.tags,
            endpoint.type,
            endpoint.customer_key,
        )
        times = Times(ground.now - timedelta(days=endpoint.age))
        found.append(Grown(planted, f"endpoint/{endpoint.name}", times))
    return found


def plant_notebooks(ground: Ground, notebooks: Sequence[Notebook]) -> list[Grown]:
    """Create the notebook instances and stop those that are not to run."""
    sagemaker = ground.clients["sagemaker"]
    found = []
    for notebook in notebooks:
        made = sagemaker.create_notebook_instance(
            NotebookInstanceName=notebook.name,
            InstanceType=notebook.type,
            RoleArn=ROLE,
            VolumeSizeInGB=100,
            RootAccess="Enabled" if notebook.root else "Disabled",
            DirectInternetAccess="Enabled" if notebook.internet else "Disabled",
            Tags=pairs(notebook.tags),
            **({} if notebook.internet else {"SubnetId": "subnet-0a1b2c3d4e5f60718"}),
        )
        if notebook.story == "stopped":
            sagemaker.stop_notebook_instance(NotebookInstanceName=notebook.name)
        planted = Planted(
            NOTEBOOK,
            ground.region,
            made["NotebookInstanceArn"],
            notebook.name,
            notebook.story,
            notebook.tags,
            notebook.type,
        )
        times = Times(ground.now - timedelta(days=notebook.age), ground.now - timedelta(hours=notebook.started))
        found.append(Grown(planted, f"notebook/{notebook.name}", times))
    return found


def _variant(endpoint: Endpoint, name: str) -> Mapping[str, Any]:
    if not endpoint.type:
        serverless = {"MemorySizeInMB": 4096, "MaxConcurrency": 20}
        return {"VariantName": name, "ModelName": MODEL, "ServerlessConfig": serverless}
    return {
        "VariantName": name,
        "ModelName": MODEL,
        "InstanceType": endpoint.type,
        "InitialInstanceCount": endpoint.count,
        "InitialVariantWeight": 1.0,
    }


def _configure(s3: Any, bucket: Bucket, key: str) -> None:
    if bucket.story in ("sound", "no_tls", "log_target"):
        blocked = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=blocked)
    statements = _statements(bucket)
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        s3.put_bucket_policy(Bucket=bucket.name, Policy=policy)
    if bucket.story == "sound":
        rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}]}
        s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration=rules)
        target = {"TargetBucket": LOGS, "TargetPrefix": f"{bucket.name}/"}
        s3.put_bucket_logging(Bucket=bucket.name, BucketLoggingStatus={"LoggingEnabled": target})


def _statements(bucket: Bucket) -> list[Mapping[str, Any]]:
    arn = f"arn:aws:s3:::{bucket.name}"
    encrypted_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    take_logs = {
        "Sid": "TakeLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{arn}/*",
    }
    read_by_all = {
        "Sid": "ReadByAll",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{arn}/*",
    }
    match bucket.story:
        case "sound":
            return [encrypted_only]
        case "log_target":
            return [take_logs, encrypted_only]
        case "public":
            return [read_by_all]
        case _:
            return []
