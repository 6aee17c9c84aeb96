"""
What recorded machines are: those of a recorded estate, or what a person takes them for.

A machine that sent a sample ran then; that is all a recording says of its state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from engine.backtest.recording import Machine
from engine.model import Resource, Usage
from engine.values import Answer, Reason, Unknown
from integrations.recordings.files import RecordedMachine
from integrations.telemetry.joining import keys_of

KIND = "aws.ec2.instance"
SKU = "aws.ec2.linux.on_demand:"


@dataclass(frozen=True)
class Taken:
    """What every recorded machine is taken for where no estate says."""

    instance_type: str = ""
    model: str = ""
    """The GPU model; empty is the recorded one."""
    region: str = "us-east-1"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Joined:
    """How many recorded machines are in the estate."""

    found: int = 0
    strange: list[str] = field(default_factory=list)


def supposed(machines: Iterable[RecordedMachine], taken: Taken, models: Iterable[str]) -> Iterator[Machine]:
    """Yield each machine as an on-demand instance of the type it is taken for, with the tags it is said to have."""
    known = sorted(models, key=len, reverse=True)
    for machine in machines:
        model = taken.model or model_of(machine.model, known)
        yield Machine(_supposed(machine, taken, model), machine.tracks, machine.whole)


def _supposed(machine: RecordedMachine, taken: Taken, model: str) -> Resource:
    started = datetime.fromtimestamp(machine.first, UTC)
    fields: dict[str, Answer] = {
        "state": "running",
        "running": True,
        "launched": started,
        "created": started,
        "lifecycle": "on-demand",
        "platform": "linux",
        "tenancy": "default",
        "accelerator.count": len(machine.tracks),
        "accelerator.devices": len(machine.tracks),
        "accelerator.vendor": "nvidia",
    }
    fields |= {"instance.type": taken.instance_type} if taken.instance_type else {}
    fields |= {"accelerator.model": model} if model else {}
    usage: tuple[Usage, ...] | Unknown = (
        (Usage(SKU + taken.instance_type, Decimal(1), "hour"),)
        if taken.instance_type
        else Unknown(Reason.NOT_COLLECTED, "it is not said what the recorded machines are", "cost")
    )
    return Resource(KIND, machine.resource, "recorded", taken.region, fields=fields, tags=dict(taken.tags), usage=usage)


def known_machines(
    machines: Iterable[RecordedMachine], resources: Iterable[Resource], joined: Joined
) -> Iterator[Machine]:
    """Yield the machines that are in the estate, as it has them; others are counted in `joined` and left out."""
    by_key: dict[str, list[Resource]] = {}
    for resource in resources:
        for key in keys_of(resource):
            by_key.setdefault(key, []).append(resource)
    for machine in machines:
        name = machine.resource
        found = by_key.get(f"id:{name}") or by_key.get(f"host:{name.lower()}") or []
        if len(found) != 1:
            joined.strange.append(name)
            continue
        joined.found += 1
        yield Machine(_as_recorded(found[0], machine), machine.tracks, machine.whole)


def _as_recorded(resource: Resource, machine: RecordedMachine) -> Resource:
    """Return `resource` as it was while it was recorded: running, and started no later than its first sample."""
    first, launched = datetime.fromtimestamp(machine.first, UTC), resource.fields.get("launched")
    started = min(first, launched) if isinstance(launched, datetime) else first
    fields = {**resource.fields, "running": True, "launched": started}
    gaps = {group: gap for group, gap in resource.gaps.items() if not group.startswith("metrics.")}
    return replace(resource, fields=fields, gaps=gaps, metrics={})


def model_of(recorded: str, known: Iterable[str]) -> str:
    """Return the model of which power at rest is known that a driver's name such as `NVIDIA L40S` stands for."""
    words = recorded.upper().replace("-", " ").split()
    return next((model for model in known if model.upper() in words), "")
