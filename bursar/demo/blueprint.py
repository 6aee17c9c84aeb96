"""
Say what was planted in the demo's account, so that what Bursar finds can be compared with it.

`bursar.demo.company.build` returns one; the demo prints it and the tests assert against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"

STORIES: Mapping[str, str] = MappingProxyType(
    {
        # machines and notebooks
        "busy": "Every GPU works, near its power limit or, when serving, with visible load.",
        "idle": "Nothing is loaded: utilization 0, no memory in use, power of a bare card.",
        "context_held": "No work, 75 % of the memory held, power of a card with an open context.",
        "partly_idle": "Two of eight GPUs work.",
        "silent": "It runs and publishes no GPU telemetry at all.",
        "half_silent": "Half of the GPUs look idle, the other half publish nothing.",
        "frozen": "The exporter repeats its last values exactly since nine hours ago.",
        "agent_died": "It was busy; the telemetry ends two hours ago.",
        "stuck": "Utilization 100 % at the power of a card that does nothing: a hung collective.",
        "too_new": "Launched twenty minutes ago and idle so far.",
        "cpu": "No accelerator.",
        "stopped": "Not running; the disk alone is billed.",
        # endpoints
        "serving": "In service, with traffic in every hour.",
        "no_traffic": "In service, not one invocation in the whole record.",
        "quiet": "In service, the last invocation came nine hours ago.",
        "serverless": "Billed by request: there is no instance to be idle.",
        # volumes
        "attached": "In use by a machine.",
        "unattached": "In use by nothing.",
        # buckets
        "sound": "Blocked to the public, customer key, refuses plain HTTP, logged.",
        "no_tls": "Accepts plain HTTP and is not logged; otherwise sound, with the service's own key.",
        "public": "Its policy lets everyone read.",
        "unblocked": "Not public, and nothing would stop it from becoming so.",
        "log_target": "Holds the access logs of the others and is not logged itself.",
    }
)


@dataclass(frozen=True, slots=True)
class Planted:
    """One resource and what it is meant to look like."""

    kind: str
    region: str
    id: str
    """Instance and volume id, bucket name, ARN of endpoints and notebooks."""
    name: str
    story: str
    """One of `STORIES`."""
    tags: Mapping[str, str]
    type: str = ""
    """The instance or volume type as the API knows it; empty for buckets and serverless endpoints."""
    encrypted: bool = True


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything that was planted, and when it is."""

    account: str
    now: datetime
    planted: tuple[Planted, ...]

    def of(self, kind: str, *stories: str) -> tuple[Planted, ...]:
        """Return the resources of a kind with one of the stories; with any, where none is named."""
        return tuple(p for p in self.planted if p.kind == kind and (not stories or p.story in stories))

    def ids(self, kind: str, *stories: str) -> frozenset[str]:
        """Return the ids of `of`."""
        return frozenset(p.id for p in self.of(kind, *stories))

    def named(self, name: str) -> Planted:
        """Return the resource of that name; KeyError where there is none."""
        for planted in self.planted:
            if planted.name == name:
                return planted
        raise KeyError(name)
