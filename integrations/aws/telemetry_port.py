"""The telemetry port of the AWS estate: the inventory calls it once for each chunk of resources it has read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from engine.model import Asked, KindNeeds, Resource
from engine.values import Reason, Unknown
from integrations.aws.registry import aws_kinds


class Telemetry(Protocol):
    """Something that measures AWS resources."""

    def attach(self, resources: list[Resource], need: KindNeeds, region: str) -> list[Resource]:
        """
        Return the resources, in order, with the series that `need` asks for.

        All are of one kind and of `region`. What cannot be read becomes a gap `metrics.<signal>` of the
        resources concerned, never an exception and never an empty series.
        """

    def asked(self, kind: str, region: str) -> Asked:
        """Return what was asked so far for the resources of a kind in a region, and what it costs."""


@dataclass(frozen=True, slots=True)
class NoTelemetry:
    """Telemetry where there is none to be had: every signal of every resource is a gap."""

    def attach(self, resources: list[Resource], need: KindNeeds, region: str) -> list[Resource]:
        """Return the resources with a gap for each signal of their kind."""
        del need, region
        signals = {kind.name: {metric.signal for metric in kind.metrics} for kind in aws_kinds()}
        gap = Unknown(Reason.NOT_COLLECTED, "no telemetry is read")
        return [
            replace(one, gaps={**{f"metrics.{signal}": gap for signal in signals[one.kind]}, **one.gaps})
            for one in resources
        ]

    def asked(self, kind: str, region: str) -> Asked:
        """Return nothing."""
        del kind, region
        return Asked()
