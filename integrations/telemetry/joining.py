"""
Whose GPU is it? From what a sample says of its sender to the resource that is billed.

A sender is known by the strongest thing it says: a table of GPU UUIDs that a person wrote, an instance id, a
provider id, a node whose provider id is known, and last a host name. Host names are not unique; one that stands
for two machines joins neither.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.model import Resource
from engine.values import Reason, Unknown
from integrations.telemetry.port import Device

FLOOR = 95.0
"""Percent of the GPUs a source measures that have to say where they are; below it, labels are taken to be lost."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a series, as its labels say; what is not said is empty."""

    device: Device
    part: str = ""
    """The MIG instance of the device."""
    instance: str = ""
    provider: str = ""
    """A Kubernetes `providerID`."""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """What is known of senders beside their labels."""

    gpus: Mapping[str, str] = field(default_factory=dict)
    """GPU UUID to the id of the resource it is in, from the configuration."""
    nodes: Mapping[str, str] = field(default_factory=dict)
    """Lower-case node name to `providerID`."""

    def key_of(self, sender: Sender) -> str:
        """Return the key of the resource that `sender` is in; empty where nothing says."""
        if sender.device.uuid in self.gpus:
            return f"id:{self.gpus[sender.device.uuid]}"
        if sender.instance:
            return f"id:{sender.instance}"
        host = sender.host.lower()
        provider = sender.provider or self.nodes.get(host, "")
        if provider:
            return _provider_key(provider)
        return f"host:{host}" if host else ""


def _provider_key(provider: str) -> str:
    """Return `id:i-0abc` of `aws:///us-east-1a/i-0abc`, and `id:project/vm` of `gce://project/zone/vm`."""
    cloud, _, path = provider.partition("://")
    parts = [part for part in path.split("/") if part]
    if not parts:
        return ""
    return f"id:{parts[0]}/{parts[-1]}" if cloud == "gce" and len(parts) > 2 else f"id:{parts[-1]}"


def keys_of(resource: Resource) -> tuple[str, ...]:
    """Return the keys under which a sender may stand for `resource`; ids first, then host names."""
    keys = [f"id:{resource.id}"]
    if resource.kind.startswith("gcp.") and resource.name:
        keys.append(f"id:{resource.account}/{resource.name}")
    for name in ("private_dns_name", "node_name"):
        host = resource.fields.get(name)
        if isinstance(host, str) and host:
            keys += [f"host:{host.lower()}", f"host:{host.lower().partition('.')[0]}"]
    return tuple(dict.fromkeys(keys))


@dataclass
class Claims:
    """Which resource took which key in this run, so that no sample is ever counted for two."""

    _taken: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, resources: Sequence[Resource], known: Iterable[str]) -> list[tuple[str, ...] | Unknown]:
        """Return the keys of `known` that stand for each resource, or why it is not known which do."""
        held, wanted = set(known), [keys_of(resource) for resource in resources]
        bearers: dict[str, set[str]] = {}
        for resource, keys in zip(resources, wanted, strict=True):
            for key in keys:
                if key in held:
                    bearers.setdefault(key, set()).add(resource.uid)
        with self._lock:
            for key, uids in bearers.items():
                if key in self._taken:
                    uids.add(self._taken[key])
                elif len(uids) == 1:
                    self._taken[key] = next(iter(uids))
        return [_own(keys, bearers) for keys in wanted]

    @property
    def taken(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._taken)


def _own(keys: tuple[str, ...], bearers: Mapping[str, set[str]]) -> tuple[str, ...] | Unknown:
    found = [key for key in keys if key in bearers]
    disputed = next((key for key in found if len(bearers[key]) > 1), None)
    if disputed is not None:
        name = disputed.partition(":")[2]
        others = ", ".join(sorted(uid.rpartition("/")[2] for uid in bearers[disputed]))
        return Unknown(Reason.SOURCE_ERROR, f"`{name}` stands for several machines: {others}")
    return tuple(found)
