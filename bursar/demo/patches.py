"""
Change what moto answers for EC2, SageMaker, S3 and KMS where it differs from the real services.

`Emulation.install` calls `patch_resources` once in the server's process.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidParameterCombination
from moto.ec2.models.instances import Instance
from moto.ec2.models.tags import TagBackend
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.kms.models import Key
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from moto.sagemaker import models as sagemaker_models
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse

PAGE = 1000
S3_PAGE = 10_000
GP3_THROUGHPUT = 125
"""MiB/s that a gp3 volume has, and shows, when nobody asked for more."""


def patch_resources() -> None:
    """Patch moto in this process."""
    _patch_tags()
    _patch_paging()
    _patch_instances()
    _patch_endpoints()
    _patch_buckets()
    _patch_keys()


def _replace(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


def _patch_tags() -> None:
    """Look tags up by resource; moto scans every tag of the account for each resource it shows."""

    def make(scan: Callable[..., Any]) -> Callable[..., Any]:
        def describe_tags(self: Any, filters: Mapping[str, list[str]] | None = None) -> list[dict[str, str]]:
            ids = (filters or {}).get("resource-id", [])
            if not filters or set(filters) != {"resource-id"} or any(c in i for i in ids for c in "*?"):
                return list(scan(self, filters))
            return [
                {
                    "resource_id": i,
                    "key": key,
                    "value": value,
                    "resource_type": EC2_PREFIX_TO_RESOURCE.get(get_prefix(i), ""),
                }
                for i in ids
                for key, value in (self.tags[i].items() if i in self.tags else ())
            ]

        return describe_tags

    _replace(TagBackend, "describe_tags", make)


def _patch_paging() -> None:
    """Page instances and volumes by item; moto pages by reservation, and volumes not at all."""

    def instances(_: Callable[..., Any]) -> Callable[..., Any]:
        def describe_instances(self: Any) -> ActionResult:
            self.error_on_dryrun()
            backend, filters = self.ec2_backend, self._filters_from_querystring()
            ids = self._get_param("InstanceIds", [])
            if ids and self._get_param("MaxResults"):
                raise InvalidParameterCombination(
                    "The parameter instancesSet cannot be used with the parameter maxResults"
                )
            reservations = (
                backend.get_reservations_by_instance_ids(ids, filters=filters)
                if ids
                else backend.describe_instances(filters=filters)
            )
            pairs = [(r, i) for r in reservations for i in r.instances]
            page, token = _page(self, pairs, PAGE)
            found = []
            for _id, group in itertools.groupby(page, key=lambda pair: pair[0].id):
                members = list(group)
                shown = copy(members[0][0])
                shown.instances = [instance for _, instance in members]
                found.append(shown)
            return ActionResult({"Reservations": found, "NextToken": token})

        return describe_instances

    def volumes(_: Callable[..., Any]) -> Callable[..., Any]:
        def describe_volumes(self: Any) -> ActionResult:
            found = self.ec2_backend.describe_volumes(
                volume_ids=self._get_param("VolumeIds", []), filters=self._filters_from_querystring()
            )
            for volume in found:
                if volume.volume_type == "gp3":
                    volume.throughput = volume.throughput or GP3_THROUGHPUT
            page, token = _page(self, found, len(found))
            return ActionResult({"Volumes": page, "NextToken": token})

        return describe_volumes

    _replace(InstanceResponse, "describe_instances", instances)
    _replace(ElasticBlockStore, "describe_volumes", volumes)


def _page(response: Any, items: list[Any], usual: int) -> tuple[list[Any], str | None]:
    token, limit = response._get_param("NextToken"), response._get_param("MaxResults")
    size = usual if limit is None else int(limit)
    if limit is not None and not 5 <= size <= PAGE:
        raise EC2ClientError("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid.")
    if token and not token.isdigit():
        raise EC2ClientError("InvalidNextToken", "The token is invalid.")
    start = int(token or 0)
    return items[start : start + size], str(start + size) if len(items) > start + size else None


def _patch_instances() -> None:
    """Show the platform in words, as every real instance does."""
    instance: Any = Instance
    instance.platform_details = "Linux/UNIX"


def _patch_endpoints() -> None:
    """Accept every `ml.` type and keep network isolation; moto's list ends before today's accelerators."""

    def types(_: Callable[..., Any]) -> Callable[..., Any]:
        def validate_instance_type(_self: Any, instance_type: str) -> None:
            if not instance_type.startswith("ml."):
                raise ValidationError(message=f"Value '{instance_type}' at 'instanceType' failed to satisfy constraint")

        return validate_instance_type

    def creating(create: Callable[..., Any]) -> Callable[..., Any]:
        def create_endpoint_config(self: Any) -> Any:
            answer = create(self)
            config = self.sagemaker_backend.endpoint_configs[self._get_param("EndpointConfigName")]
            config.enable_network_isolation = bool(self._get_param("EnableNetworkIsolation"))
            return answer

        return create_endpoint_config

    for owner in vars(sagemaker_models).values():
        if isinstance(owner, type) and "validate_instance_type" in vars(owner):
            _replace(owner, "validate_instance_type", types)
    _replace(SageMakerResponse, "create_endpoint_config", creating)


def _patch_buckets() -> None:
    """List buckets with their region, in pages, and show the encryption every bucket has had since 2023."""

    def listing(_: Callable[..., Any]) -> Callable[..., Any]:
        def list_buckets(self: Any) -> Any:
            self.data["Action"] = "ListAllMyBuckets"
            self._authenticate_and_authorize_s3_action()
            found = sorted(
                self.backend.list_buckets(
                    prefix=self._get_param("prefix"),
                    bucket_region=self._get_param("bucket-region"),
                    max_buckets=None,
                ),
                key=lambda bucket: bucket.name,
            )
            start = int(self._get_param("continuation-token") or 0)
            limit = int(self._get_param("max-buckets") or S3_PAGE)
            content: dict[str, Any] = {
                "Owner": {"ID": "bcaf1ffd86f41161ca5fb16fd081034f"},
                "Buckets": [
                    {
                        "Name": bucket.name,
                        "CreationDate": bucket.creation_date_ISO8601,
                        "BucketRegion": bucket.region_name,
                    }
                    for bucket in found[start : start + limit]
                ],
            }
            if len(found) > start + limit:
                content["ContinuationToken"] = str(start + limit)
            self.data["Action"] = "ListBuckets"
            return self.serialized(ActionResult(content))

        return list_buckets

    def encryption(get: Callable[..., Any]) -> Callable[..., Any]:
        def get_bucket_encryption(self: Any, bucket_name: str) -> Any:
            usual = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}}
            return get(self, bucket_name) or usual

        return get_bucket_encryption

    _replace(S3Response, "all_buckets", listing)
    _replace(S3Backend, "get_bucket_encryption", encryption)


def _patch_keys() -> None:
    """Call the keys that a service keeps for itself managed by AWS; moto calls all keys the customer's."""

    def make(create: Callable[..., None]) -> Callable[..., None]:
        def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
            create(self, *args, **kwargs)
            if self.description.startswith("Default master key that protects my"):
                self.key_manager = "AWS"

        return initialise

    _replace(Key, "__init__", make)
