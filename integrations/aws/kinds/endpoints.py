"""SageMaker endpoints, with the instances of all their variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from engine.kinds import Field, Kind, Metric, Type
from engine.model import Resource, Usage
from engine.values import Answer, Reason, Unknown, clean
from integrations.aws.declared import AwsKind
from integrations.aws.fields import encryption_key, hardware, running
from integrations.aws.metric_sources import Scale, Source
from integrations.aws.reader import Reader, attempt, summed_hardware, tags_of

CALL = "sagemaker:ListEndpoints"
PAGE = 100
"""Items a listing call, the most that SageMaker gives; it gives ten to who does not ask."""
BILLED = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")
CONFIG_GROUPS = ("config", "hardware", "encryption")
"""Groups that are read from the endpoint's configuration."""
INVOCATIONS = "AWS/SageMaker"
HOSTING = "/aws/sagemaker/Endpoints"
ACCELERATORS = (("InstanceId", "AcceleratorId"), ("InstanceId", "GpuId"))
"""Dimensions of enhanced metrics: as AWS documents them, and as its first examples had them."""
MINUTE = 60
SHADOWS = "ShadowProductionVariants"
"""Variants that get copies of requests; they run and are charged for as the others."""
COMPONENTS = Unknown(Reason.NOT_COLLECTED, "it serves inference components, whose requests are not collected")


@dataclass(frozen=True, slots=True)
class Variant:
    """One production variant."""

    name: str
    type: str
    """Empty where it is serverless."""
    count: int
    model: str
    """Empty where models are deployed to it as inference components."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """An endpoint's configuration with the instances it has now."""

    variants: tuple[Variant, ...]
    config: Mapping[str, Any]


BY_USE = Unknown(Reason.NOT_COLLECTED, "serverless variants are charged by use, which is not collected")
KIND = Kind(
    name="aws.sagemaker.endpoint",
    title="SageMaker endpoint",
    classes=("ml.endpoint",),
    fields=(
        Field(
            "state",
            Type.STRING,
            "State as SageMaker reports it.",
            values=(
                "OutOfService",
                "Creating",
                "Updating",
                "SystemUpdating",
                "RollingBack",
                "InService",
                "Deleting",
                "Failed",
                "UpdateRollbackFailed",
            ),
        ),
        running("Whether its instances are charged for."),
        Field("modified", Type.TIMESTAMP, "When it was last changed."),
        Field(
            "instance.type",
            Type.STRING,
            "Instance type of the first variant; absent where it is serverless.",
            group="config",
            optional=True,
        ),
        Field("instance.types", Type.STRINGS, "Instance types of all variants.", group="config"),
        Field("instance.count", Type.NUMBER, "Instances of all variants.", group="config"),
        Field("variants", Type.NUMBER, "Production variants.", group="config"),
        Field("variant.instances", Type.STRINGS, "Instances of each variant, as `name=number`.", group="config"),
        Field(
            "enhanced_metrics",
            Type.BOOL,
            "Whether it sends metrics of each instance and accelerator, not of its variants alone.",
            group="config",
        ),
        Field("metrics_interval", Type.DURATION, "How often it sends metrics of its instances.", group="config"),
        Field(
            "models",
            Type.STRINGS,
            "Models of all variants; inference components name theirs themselves.",
            group="config",
        ),
        Field(
            "serverless",
            Type.BOOL,
            "Whether every variant is serverless: no charge without requests.",
            group="config",
        ),
        Field("data_capture", Type.BOOL, "Whether requests are captured.", group="config"),
        Field("network_isolation", Type.BOOL, "Whether containers have no network.", group="config"),
        Field(
            "encryption.at_rest",
            Type.BOOL,
            "Whether storage volumes are encrypted: by a key, or by hardware on types with local NVMe disks.",
            group="encryption",
        ),
        encryption_key(),
        *hardware("all instances together"),
    ),
    metrics=(
        Metric(
            "requests",
            "count",
            60,
            "requests",
            "Requests to a variant (`Invocations`); nothing is sent when there are none.",
            devices="variants",
            event_driven=True,
            reduce="sum",
        ),
        Metric(
            "gpu.utilization",
            "percent",
            60,
            "compute",
            "Use of the busiest of a variant's GPUs; where only their sum is published, the sum: no GPU does more.",
            devices="variants",
        ),
        Metric(
            "gpu.memory_used",
            "percent",
            60,
            "memory",
            "Used memory of a variant's fullest GPU at most: the published sum over the GPUs of an instance.",
            devices="variants",
        ),
        Metric(
            "cpu.utilization",
            "percent",
            60,
            "cpu",
            "Use of a variant's vCPUs; the published sum over vCPUs is divided by their number.",
            devices="variants",
        ),
    ),
)


def collect(reader: Reader) -> Iterator[list[Resource]]:
    """Yield the endpoints of a region, page by page."""
    for page in reader.pages("sagemaker", "list_endpoints", "Endpoints", PAGE):
        entries = reader.sound(CALL, page, "EndpointName", "EndpointArn")
        yield reader.each(CALL, lambda entry: _endpoint(reader, entry), entries, itemgetter("EndpointArn"))


def _endpoint(reader: Reader, entry: Mapping[str, Any]) -> Resource:
    state = entry.get("EndpointStatus")
    gaps = reader.unasked()
    fields: dict[str, Answer] = {
        "state": clean(state, "resource.state"),
        "running": state in BILLED if state else Unknown(Reason.NULL, path="resource.running"),
        "created": clean(entry.get("CreationTime"), "resource.created"),
        "modified": clean(entry.get("LastModifiedTime"), "resource.modified"),
    }
    usage: tuple[Usage, ...] | Unknown = Unknown(Reason.NOT_COLLECTED, "its configuration was not read")
    if reader.wants(*CONFIG_GROUPS):
        deployed = attempt("sagemaker:DescribeEndpoint", lambda: _deployment(reader, entry["EndpointName"]))
        if isinstance(deployed, Unknown):
            gaps.update(dict.fromkeys((g for g in CONFIG_GROUPS if reader.wants(g)), deployed))
            usage = deployed
        else:
            _add_deployment(reader, deployed, fields, gaps)
            usage = _usage(fields["running"], deployed.variants)
    return Resource(
        kind=reader.kind.name,
        id=entry["EndpointArn"],
        account=reader.account,
        region=reader.region,
        name=entry["EndpointName"],
        fields=fields,
        tags=read_tags(reader, entry["EndpointArn"], gaps),
        gaps=gaps,
        usage=usage,
    )


def read_tags(reader: Reader, arn: str, gaps: dict[str, Unknown]) -> dict[str, str]:
    """Return the tags of a SageMaker resource; where they cannot be read, none and a gap."""
    if not reader.wants("tags"):
        return {}

    def ask() -> dict[str, str]:
        return {
            k: v
            for page in reader.pages("sagemaker", "list_tags", "Tags", ResourceArn=arn)
            for k, v in tags_of(page).items()
        }

    known = reader.known_tags.get(arn)
    tags = known if known is not None else attempt("sagemaker:ListTags", ask)
    if isinstance(tags, Unknown):
        gaps["tags"] = tags
        return {}
    return tags


def _deployment(reader: Reader, name: str) -> Deployment:
    client = reader.client("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=name)
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    now = {v["VariantName"]: v for key in ("ProductionVariants", SHADOWS) for v in endpoint.get(key) or ()}
    configured = [*config["ProductionVariants"], *(config.get(SHADOWS) or ())]
    return Deployment(tuple(_variant(v, now.get(v["VariantName"], {})) for v in configured), config)


def _variant(configured: Mapping[str, Any], now: Mapping[str, Any]) -> Variant:
    """Return a variant with the instances it has now; those it was configured with where that is not said."""
    count = now.get("CurrentInstanceCount")
    if count is None:
        count = configured.get("InitialInstanceCount", 0)
    return Variant(
        configured["VariantName"],
        "" if "ServerlessConfig" in configured else configured["InstanceType"],
        0 if "ServerlessConfig" in configured else int(count),
        str(configured.get("ModelName") or ""),
    )


def _add_deployment(reader: Reader, deployed: Deployment, fields: dict[str, Answer], gaps: dict[str, Unknown]) -> None:
    variants, config = deployed.variants, deployed.config
    types = tuple(v.type for v in variants if v.type)
    fields.update(
        {
            "instance.types": types,
            "instance.count": sum(v.count for v in variants),
            "variants": len(variants),
            "variant.instances": tuple(f"{v.name}={v.count}" for v in variants),
            **published(config.get("MetricsConfig") or {}),
            "models": tuple(v.model for v in variants if v.model),
            "serverless": bool(variants) and not types,
            "data_capture": bool(config.get("DataCaptureConfig", {}).get("EnableCapture")),
            "network_isolation": bool(config.get("EnableNetworkIsolation")),
        }
    )
    if types:
        fields["instance.type"] = types[0]
    if not all(v.model for v in variants):
        gaps["metrics.requests"] = COMPONENTS
    described = reader.hardware(types) if types and reader.wants("hardware", "encryption") else {}
    if reader.wants("hardware"):
        hardware = summed_hardware(described, ((v.type, max(v.count, 0)) for v in variants if v.type))
        if isinstance(hardware, Unknown):
            gaps["hardware"] = hardware
        else:
            fields.update(hardware)
    if reader.wants("encryption"):
        fields.update(_encryption(reader, config.get("KmsKeyId"), types, described))


def published(config: Mapping[str, Any]) -> dict[str, Answer]:
    """Return how its instances are measured; a minute and as a whole where its configuration does not say."""
    seconds = config.get("MetricPublishFrequencyInSeconds", MINUTE)
    known = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0
    return {
        "enhanced_metrics": config.get("EnableEnhancedMetrics") is True,
        "metrics_interval": timedelta(seconds=seconds) if known else Unknown(Reason.WRONG_TYPE, repr(seconds)),
    }


def _encryption(
    reader: Reader, key: str | None, types: Sequence[str], described: Mapping[str, Mapping[str, Any] | Unknown]
) -> dict[str, Answer]:
    if key:
        return {"encryption.at_rest": True, "encryption.key": reader.key_manager(key)}
    if not types:
        why = Unknown(Reason.NOT_COLLECTED, "a serverless endpoint has no volume of its own")
        return {"encryption.at_rest": why, "encryption.key": why}
    local = [described[t.removeprefix("ml.")] for t in types]
    unknown = next((d for d in local if isinstance(d, Unknown)), None)
    if unknown is not None:
        return {"encryption.at_rest": unknown, "encryption.key": unknown}
    # Local NVMe disks are encrypted by their hardware, and such types take no key.
    if all(not isinstance(d, Unknown) and d.get("InstanceStorageSupported") for d in local):
        return {"encryption.at_rest": True, "encryption.key": "aws_owned"}
    return {"encryption.at_rest": False}


def _usage(running: Answer, variants: Sequence[Variant]) -> tuple[Usage, ...] | Unknown:
    if isinstance(running, Unknown):
        return running
    if not running:
        return ()
    if any(not v.type for v in variants):
        return BY_USE
    return tuple(Usage(f"aws.sagemaker.hosting:{v.type}", Decimal(v.count), "hour") for v in variants if v.count)


def _hosting(metric: str, scale: Scale, parts: tuple[tuple[str, ...], ...] = ()) -> Source:
    return Source(
        HOSTING,
        metric,
        "Maximum",
        "EndpointName",
        by_name=True,
        device="VariantName",
        discover=True,
        exact=True,
        scale=scale,
        accelerator=scale is Scale.OVER_ACCELERATORS,
        hosted=True,
        by_instance=True,
        parts=parts,
    )


SOURCE = AwsKind(
    KIND,
    CALL,
    collect,
    actions=(
        "ec2:DescribeInstanceTypes",
        "kms:DescribeKey",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:ListEndpoints",
        "sagemaker:ListTags",
    ),
    metrics={
        "requests": Source(
            INVOCATIONS,
            "Invocations",
            "Sum",
            "EndpointName",
            by_name=True,
            device="VariantName",
            discover=True,
            exact=True,
            siblings=((HOSTING, "CPUUtilization"),),
            witness="cpu.utilization",
        ),
        "gpu.utilization": _hosting("GPUUtilization", Scale.OVER_ACCELERATORS, ACCELERATORS),
        "gpu.memory_used": _hosting("GPUMemoryUtilization", Scale.OVER_ACCELERATORS),
        "cpu.utilization": _hosting("CPUUtilization", Scale.PER_VCPU),
    },
)
