"""Reading, writing and removing tags by each service's own API; they differ in every name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from actions.aws.calls import CallError
from engine.model import Resource

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """How one service tags. Every function is given its client and the resource."""

    client: str
    read: Callable[[Any, Resource], Tags]
    write: Callable[[Any, Resource, Tags], object]
    remove: Callable[[Any, Resource, Sequence[str]], object]
    actions: tuple[str, ...]
    """IAM names of what these call."""


def _pairs(tags: Tags, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: k, value: v} for k, v in tags.items()]


def _read(pairs: Sequence[Mapping[str, str]], key: str = "Key", value: str = "Value") -> Tags:
    return {pair[key]: pair.get(value) or "" for pair in pairs}


def _ec2_tags(client: Any, resource: Resource) -> Tags:
    found = client.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource.id]}])
    return _read(found["Tags"])


def _group(resource: Resource, tags: Tags) -> list[dict[str, Any]]:
    about = {"ResourceId": resource.name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    return [{**about, **pair} for pair in _pairs(tags)]


def _group_tags(client: Any, resource: Resource) -> Tags:
    found = client.describe_tags(Filters=[{"Name": "auto-scaling-group", "Values": [resource.name]}])
    return _read(found["Tags"])


def _bucket_tags(client: Any, resource: Resource) -> Tags:
    try:
        return _read(client.get_bucket_tagging(**_bucket(resource))["TagSet"])
    except CallError as error:
        if error.aws.startswith("NoSuchTagSet"):
            return {}
        raise


def _write_bucket_tags(client: Any, resource: Resource, tags: Tags) -> None:
    """S3 has no call that adds a tag: the whole set is written."""
    _put_bucket_tags(client, resource, {**_bucket_tags(client, resource), **tags})


def _remove_bucket_tags(client: Any, resource: Resource, keys: Sequence[str]) -> None:
    _put_bucket_tags(client, resource, {k: v for k, v in _bucket_tags(client, resource).items() if k not in keys})


def _put_bucket_tags(client: Any, resource: Resource, tags: Tags) -> None:
    if tags:
        client.put_bucket_tagging(**_bucket(resource), Tagging={"TagSet": _pairs(tags)})
    else:
        client.delete_bucket_tagging(**_bucket(resource))


def _bucket(resource: Resource) -> dict[str, str]:
    # A bucket's name can be taken by another account once it is deleted.
    return {"Bucket": resource.id, "ExpectedBucketOwner": resource.account}


EC2 = Service(
    "ec2",
    _ec2_tags,
    lambda client, r, tags: client.create_tags(Resources=[r.id], Tags=_pairs(tags)),
    lambda client, r, keys: client.delete_tags(Resources=[r.id], Tags=[{"Key": key} for key in keys]),
    ("ec2:DescribeTags", "ec2:CreateTags", "ec2:DeleteTags"),
)
S3 = Service(
    "s3",
    _bucket_tags,
    _write_bucket_tags,
    _remove_bucket_tags,
    ("s3:GetBucketTagging", "s3:PutBucketTagging"),
)
AUTOSCALING = Service(
    "autoscaling",
    _group_tags,
    lambda client, r, tags: client.create_or_update_tags(Tags=_group(r, tags)),
    lambda client, r, keys: client.delete_tags(Tags=_group(r, dict.fromkeys(keys, ""))),
    ("autoscaling:DescribeTags", "autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"),
)
SAGEMAKER = Service(
    "sagemaker",
    lambda client, r: _read(client.list_tags(ResourceArn=r.id, MaxResults=100)["Tags"]),
    lambda client, r, tags: client.add_tags(ResourceArn=r.id, Tags=_pairs(tags)),
    lambda client, r, keys: client.delete_tags(ResourceArn=r.id, TagKeys=list(keys)),
    ("sagemaker:ListTags", "sagemaker:AddTags", "sagemaker:DeleteTags"),
)
RDS = Service(
    "rds",
    lambda client, r: _read(client.list_tags_for_resource(ResourceName=r.id)["TagList"]),
    lambda client, r, tags: client.add_tags_to_resource(ResourceName=r.id, Tags=_pairs(tags)),
    lambda client, r, keys: client.remove_tags_from_resource(ResourceName=r.id, TagKeys=list(keys)),
    ("rds:ListTagsForResource", "rds:AddTagsToResource", "rds:RemoveTagsFromResource"),
)
EKS = Service(
    "eks",
    lambda client, r: dict(client.list_tags_for_resource(resourceArn=r.id)["tags"]),
    lambda client, r, tags: client.tag_resource(resourceArn=r.id, tags=dict(tags)),
    lambda client, r, keys: client.untag_resource(resourceArn=r.id, tagKeys=list(keys)),
    ("eks:ListTagsForResource", "eks:TagResource", "eks:UntagResource"),
)
OPENSEARCH = Service(
    "opensearch",
    lambda client, r: _read(client.list_tags(ARN=r.id)["TagList"]),
    lambda client, r, tags: client.add_tags(ARN=r.id, TagList=_pairs(tags)),
    lambda client, r, keys: client.remove_tags(ARN=r.id, TagKeys=list(keys)),
    ("es:ListTags", "es:AddTags", "es:RemoveTags"),
)
BEDROCK = Service(
    "bedrock",
    lambda client, r: _read(client.list_tags_for_resource(resourceARN=r.id)["tags"], "key", "value"),
    lambda client, r, tags: client.tag_resource(resourceARN=r.id, tags=_pairs(tags, "key", "value")),
    lambda client, r, keys: client.untag_resource(resourceARN=r.id, tagKeys=list(keys)),
    ("bedrock:ListTagsForResource", "bedrock:TagResource", "bedrock:UntagResource"),
)

SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "aws.ec2.instance": EC2,
        "aws.ebs.volume": EC2,
        "aws.ebs.snapshot": EC2,
        "aws.ec2.image": EC2,
        "aws.ec2.capacity_reservation": EC2,
        "aws.s3.bucket": S3,
        "aws.autoscaling.group": AUTOSCALING,
        "aws.sagemaker.endpoint": SAGEMAKER,
        "aws.sagemaker.inference_component": SAGEMAKER,
        "aws.sagemaker.notebook": SAGEMAKER,
        "aws.sagemaker.training_job": SAGEMAKER,
        "aws.sagemaker.processing_job": SAGEMAKER,
        "aws.sagemaker.tuning_job": SAGEMAKER,
        "aws.sagemaker.domain": SAGEMAKER,
        "aws.sagemaker.space": SAGEMAKER,
        "aws.sagemaker.app": SAGEMAKER,
        "aws.sagemaker.cluster": SAGEMAKER,
        "aws.rds.instance": RDS,
        "aws.eks.cluster": EKS,
        "aws.eks.nodegroup": EKS,
        "aws.opensearch.domain": OPENSEARCH,
        "aws.bedrock.custom_model": BEDROCK,
        "aws.bedrock.inference_profile": BEDROCK,
        "aws.bedrock.provisioned_throughput": BEDROCK,
    }
)
"""By kind."""
