"""What one file under `kinds/` gives: the kind's declaration, its collector, its telemetry, what it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.kinds import Kind
from engine.model import Resource
from integrations.aws.metric_sources import Source
from integrations.aws.reader import Reader

Collect: TypeAlias = Callable[[Reader], Iterator[list[Resource]]]
"""Yields the resources of one scope, page by page; raises where the scope cannot be read."""


@dataclass(frozen=True)
class AwsKind:
    """A kind of AWS resource and how it is read."""

    kind: Kind
    call: str
    """The call that lists it, by its IAM name: `rds:DescribeDBInstances`."""
    collect: Collect
    actions: tuple[str, ...]
    """The IAM names of every call the collector makes."""
    metrics: Mapping[str, Source] = field(default_factory=dict)
    """Where CloudWatch keeps the kind's metrics."""
