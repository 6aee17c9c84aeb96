"""Which resources and metrics a source of GPU samples speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.kinds import Kind, Metric
from engine.model import KindNeeds, Resource
from integrations.telemetry.port import BY_DEVICE, MACHINE


@dataclass(frozen=True, slots=True)
class Reach:
    """The accounts and regions a source measures; empty is all of them."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def holds(self, kind: Kind, resource: Resource) -> bool:
        """Return whether the GPUs of `resource` may be among what the source measures."""
        fields = resource.fields
        return (
            MACHINE in kind.classes
            and (not self.accounts or resource.account in self.accounts)
            and (not self.regions or resource.region in self.regions)
            and fields.get("running") is not False
            and fields.get("accelerator.count") != 0
        )


def wanted_of_devices(
    kind: Kind, need: KindNeeds, known: Iterable[str], devices: str = BY_DEVICE
) -> Mapping[Metric, timedelta]:
    """
    Return the metrics of single devices to ask for, of those the source knows, with the longest window of each.

    With `devices` empty they are those of whole machines.
    """
    found: dict[Metric, timedelta] = {}
    names = frozenset(known)
    for name, window in need.metrics.items():
        metric = kind.metric_by_name.get(name)
        if metric is None:
            continue
        metric = kind.metric_by_name.get(metric.derived_from, metric)
        if metric.devices == devices and metric.name in names:
            found[metric] = max(window, found.get(metric, window))
    return found
