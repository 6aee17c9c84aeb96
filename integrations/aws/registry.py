"""Every AWS kind: a new one is one file under `kinds/` and one name here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.kinds import Kind
from integrations.aws.declared import AwsKind
from integrations.aws.kinds import (
    autoscaling_groups,
    batch_environments,
    batch_jobs,
    batch_queues,
    bedrock_models,
    bedrock_profiles,
    bedrock_throughputs,
    buckets,
    capacity_reservations,
    ecs_services,
    efs_file_systems,
    eks_clusters,
    eks_nodegroups,
    elasticache_clusters,
    endpoints,
    fsx_file_systems,
    hyperpod_clusters,
    images,
    inference_components,
    instances,
    kms_keys,
    notebooks,
    opensearch_capacity,
    opensearch_collections,
    opensearch_domains,
    processing_jobs,
    rds_instances,
    snapshots,
    studio_apps,
    studio_domains,
    studio_spaces,
    training_jobs,
    tuning_jobs,
    volumes,
)
from integrations.aws.metric_sources import Source

AWS_KINDS: Mapping[str, AwsKind] = MappingProxyType(
    {
        module.SOURCE.kind.name: module.SOURCE
        for module in (
            instances,
            volumes,
            buckets,
            endpoints,
            notebooks,
            rds_instances,
            efs_file_systems,
            bedrock_models,
            bedrock_profiles,
            bedrock_throughputs,
            capacity_reservations,
            fsx_file_systems,
            images,
            kms_keys,
            opensearch_capacity,
            opensearch_collections,
            opensearch_domains,
            snapshots,
            autoscaling_groups,
            eks_clusters,
            eks_nodegroups,
            ecs_services,
            batch_environments,
            batch_queues,
            batch_jobs,
            elasticache_clusters,
            training_jobs,
            processing_jobs,
            tuning_jobs,
            studio_domains,
            studio_spaces,
            studio_apps,
            hyperpod_clusters,
            inference_components,
        )
    }
)
"""By the kind's name."""


def aws_kinds() -> tuple[Kind, ...]:
    """Return the declarations of all kinds."""
    return tuple(source.kind for source in AWS_KINDS.values())


def source_of(kind: str, metric: str) -> Source | None:
    """Return how to ask for `metric` of `kind`; None where CloudWatch does not have it."""
    return AWS_KINDS[kind].metrics.get(metric)
