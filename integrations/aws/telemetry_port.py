"""Telemetry of an AWS estate where none is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.model import Asked, KindNeeds, Resource
from engine.values import Reason, Unknown
from integrations.aws.registry import aws_kinds


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
