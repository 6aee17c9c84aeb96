"""
Add to moto what actions call and it does not know: Studio apps, inference components and Bedrock's
provisioned throughput; and mend what it changes otherwise than AWS does.

`Emulation.install` calls `patch_acting` once in the server's process. State lives on moto's backends, so that a reset
empties it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from moto.bedrock.exceptions import ResourceNotFoundException
from moto.bedrock.responses import BedrockResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.amis import AmiBackend
from moto.eks.responses import EKSResponse
from moto.opensearch.models import OpenSearchServiceBackend
from moto.sagemaker.exceptions import AWSValidationException, ResourceNotFound
from moto.sagemaker.responses import SageMakerResponse

APP_KEY = ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName")
THROUGHPUT = "provisioned-model-throughput"


def patch_acting() -> None:
    """Patch moto in this process."""
    for method in (
        create_app, describe_app, delete_app, list_apps,
        create_inference_component, describe_inference_component, list_inference_components,
        update_inference_component_runtime_config,
    ):  # fmt: skip
        setattr(SageMakerResponse, method.__name__, method)
    for answer in (
        create_provisioned_model_throughput, get_provisioned_model_throughput,
        delete_provisioned_model_throughput, list_provisioned_model_throughputs,
    ):  # fmt: skip
        setattr(BedrockResponse, answer.__name__, answer)
    EKSResponse.untag_resource = untag_resource  # type: ignore[method-assign]
    update = OpenSearchServiceBackend.update_domain_config
    OpenSearchServiceBackend.update_domain_config = _merging(update)  # type: ignore[method-assign]
    AmiBackend.create_image = _tagging_snapshots(AmiBackend.create_image)  # type: ignore[method-assign]


def _kept(backend: Any, name: str) -> dict[Any, dict[str, Any]]:
    """Return what a backend keeps under `name`; moto's reset forgets it with the rest."""
    kept: dict[Any, dict[str, Any]] = backend.__dict__.setdefault(f"bursar_{name}", {})
    return kept


# --- Studio apps


def _app(self: Any) -> tuple[str, ...]:
    return tuple(self._get_param(key) or "" for key in APP_KEY)


def create_app(self: Any) -> ActionResult:
    key, apps = _app(self), _kept(self.sagemaker_backend, "apps")
    if key in apps and apps[key]["Status"] != "Deleted":
        raise AWSValidationException("App already exists.")
    place = "/".join(part for part in key if part).lower()
    arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}:app/{place}"
    spec = self._get_param("ResourceSpec") or {"InstanceType": "system"}
    given = {name: value for name, value in zip(APP_KEY, key, strict=True) if value}
    apps[key] = {
        **given,
        "AppArn": arn,
        "Status": "InService",
        "CreationTime": time.time(),
        "ResourceSpec": dict(spec),
    }
    return ActionResult({"AppArn": arn})


def describe_app(self: Any) -> ActionResult:
    app = _kept(self.sagemaker_backend, "apps").get(_app(self))
    if app is None:
        raise ResourceNotFound(f"App {self._get_param('AppName')} does not exist.")
    return ActionResult(app)


def delete_app(self: Any) -> ActionResult:
    app = _kept(self.sagemaker_backend, "apps").get(_app(self))
    if app is None:
        raise ResourceNotFound(f"App {self._get_param('AppName')} does not exist.")
    app["Status"] = "Deleted"
    return EmptyResult()


def list_apps(self: Any) -> ActionResult:
    return ActionResult({"Apps": list(_kept(self.sagemaker_backend, "apps").values())})


# --- inference components


def create_inference_component(self: Any) -> ActionResult:
    name, endpoint = self._get_param("InferenceComponentName"), self._get_param("EndpointName")
    copies = int((self._get_param("RuntimeConfig") or {}).get("CopyCount", 1))
    arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}:inference-component/{name}"
    now = time.time()
    _kept(self.sagemaker_backend, "components")[name] = {
        "InferenceComponentName": name,
        "InferenceComponentArn": arn,
        "EndpointName": endpoint,
        "EndpointArn": f"arn:aws:sagemaker:{self.region}:{self.current_account}:endpoint/{endpoint}",
        "VariantName": self._get_param("VariantName") or "AllTraffic",
        "InferenceComponentStatus": "InService",
        "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies},
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    return ActionResult({"InferenceComponentArn": arn})


def _component(self: Any) -> dict[str, Any]:
    name = self._get_param("InferenceComponentName")
    found = _kept(self.sagemaker_backend, "components").get(name)
    if found is None:
        raise AWSValidationException(f'Could not find inference component "{name}".')
    return found


def describe_inference_component(self: Any) -> ActionResult:
    return ActionResult(_component(self))


def list_inference_components(self: Any) -> ActionResult:
    endpoint = self._get_param("EndpointNameEquals")
    components = _kept(self.sagemaker_backend, "components").values()
    return ActionResult({"InferenceComponents": [c for c in components if endpoint in (None, c["EndpointName"])]})


def update_inference_component_runtime_config(self: Any) -> ActionResult:
    found = _component(self)
    copies = int(self._get_param("DesiredRuntimeConfig")["CopyCount"])
    found["RuntimeConfig"] = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
    return ActionResult({"InferenceComponentArn": found["InferenceComponentArn"]})


# --- Bedrock


def _throughput(self: Any) -> dict[str, Any]:
    asked = unquote(self.path.rpartition(f"{THROUGHPUT}/")[2])
    found = next((t for arn, t in _kept(self.bedrock_backend, "throughputs").items() if arn == asked), None)
    if found is None:
        raise ResourceNotFoundException("The provided provisioned model was not found.")
    return found


def create_provisioned_model_throughput(self: Any) -> str:
    sent = json.loads(self.body)
    kept = _kept(self.bedrock_backend, "throughputs")
    arn = f"arn:aws:bedrock:{self.region}:{self.current_account}:provisioned-model/{len(kept):012x}"
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kept[arn] = {
        "provisionedModelName": sent["provisionedModelName"],
        "provisionedModelArn": arn,
        "modelArn": sent["modelId"],
        "desiredModelArn": sent["modelId"],
        "foundationModelArn": sent["modelId"],
        "modelUnits": sent["modelUnits"],
        "desiredModelUnits": sent["modelUnits"],
        "status": "InService",
        "creationTime": made,
        "lastModifiedTime": made,
        **({"commitmentDuration": sent["commitmentDuration"]} if sent.get("commitmentDuration") else {}),
    }
    return json.dumps({"provisionedModelArn": arn})


def get_provisioned_model_throughput(self: Any) -> str:
    return json.dumps(_throughput(self))


def delete_provisioned_model_throughput(self: Any) -> str:
    del _kept(self.bedrock_backend, "throughputs")[_throughput(self)["provisionedModelArn"]]
    return json.dumps({})


def list_provisioned_model_throughputs(self: Any) -> str:
    return json.dumps({"provisionedModelSummaries": list(_kept(self.bedrock_backend, "throughputs").values())})


# --- OpenSearch


def _merging(update: Callable[..., Any]) -> Callable[..., Any]:
    """Change of a cluster what is named and keep the rest, as the service does; moto forgets the rest."""

    def update_domain_config(self: Any, domain_name: str, cluster_config: Mapping[str, Any], **rest: Any) -> Any:
        now = self.describe_domain(domain_name).cluster_config
        return update(self, domain_name, {**now, **(cluster_config or {})}, **rest)

    return update_domain_config


# --- images


def _tagging_snapshots(create: Callable[..., Any]) -> Callable[..., Any]:
    """Tag the snapshot of an image too, where that is asked for; moto refuses it."""

    def create_image(self: Any, *args: Any, tag_specifications: list[dict[str, Any]], **rest: Any) -> Any:
        own = [one for one in tag_specifications if one["ResourceType"] != "snapshot"]
        image = create(self, *args, tag_specifications=own, **rest)
        for one in tag_specifications:
            if one["ResourceType"] == "snapshot":
                image.ebs_snapshot.add_tags({tag["Key"]: tag["Value"] for tag in one["Tags"]})
        return image

    return create_image


# --- EKS


def untag_resource(self: Any) -> ActionResult:
    """Remove every tag that is named; moto takes the first alone."""
    self.eks_backend.untag_resource(self._extract_arn_from_path(), list(self.querystring.get("tagKeys", ())))
    return EmptyResult()
