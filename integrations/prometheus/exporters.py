"""
What exporters call things: which series stand for a metric, in which unit, and which labels say where it is.

The names are those of NVIDIA's dcgm-exporter (etc/default-counters.csv, 3.x to 4.8) and of `bursar agent`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.faults import XIDS
from engine.telemetry import MOST_WATTS
from integrations.telemetry.joining import Sender
from integrations.telemetry.port import Device

BLANK = 2_147_483_632
"""
The lowest of the numbers by which DCGM says that it has none: 32-bit blanks begin here, 64-bit ones at
9.2e18, floating-point ones at 1.4e14 (dcgm_structs.h). Nothing that is read here is as large.
"""
MIG = "gpu_i_id"


class Pushed(StrEnum):
    """What the server computes of the samples of a bucket."""

    PEAK = "peak"
    RATE = "rate"
    """Of a counter, for each second; resets count as the server does it."""
    SHARE = "share"
    """Used of used and free, in percent."""
    HIGHER = "higher"
    """The higher of two series; the one that is there where the other is not."""


@dataclass(frozen=True, slots=True)
class Published:
    """One way in which an exporter publishes a metric."""

    series: str
    factor: float = 1.0
    """What a published number is multiplied by."""
    most: float = 100.0
    """No number is higher, after `factor`: a higher one shows that the unit is another one."""
    whole: bool = False
    """Numbers are whole: fractions between 0 and 1 show a ratio where a percentage is declared."""
    pushed: Pushed = Pushed.PEAK
    other: str = ""
    """For `SHARE`: the series of what is free. For `HIGHER`: the second one."""
    only: frozenset[int] | None = None
    """Numbers that mean what the metric is about; all others are 0. None where every number does."""
    by_part: bool = False
    """True where MIG instances send it, each for itself."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """One program that publishes GPU metrics."""

    name: str
    metrics: Mapping[str, tuple[Published, ...]]
    """By metric; the first that a device sends is read."""

    def names(self, metrics: Iterable[str]) -> tuple[str, ...]:
        """Return the series to look for."""
        found = [published for metric in metrics for published in self.metrics.get(metric, ())]
        return tuple(dict.fromkeys(name for published in found for name in (published.series, published.other) if name))


FAULTS = 2_000.0
"""No fault has a higher number: XID errors have three digits, and errors of the driver are 1,000 and up to 999."""
DCGM = Exporter(
    "dcgm",
    {
        "gpu.utilization": (
            Published("DCGM_FI_DEV_GPU_UTIL", whole=True),
            Published("DCGM_FI_PROF_GR_ENGINE_ACTIVE", factor=100, most=105, by_part=True),
        ),
        "gpu.power": (
            Published("DCGM_FI_DEV_POWER_USAGE", most=MOST_WATTS),
            Published("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", factor=0.001, most=MOST_WATTS, pushed=Pushed.RATE),
        ),
        "gpu.memory_used": (
            Published("DCGM_FI_DEV_FB_USED", pushed=Pushed.SHARE, other="DCGM_FI_DEV_FB_FREE", by_part=True),
        ),
        "gpu.video": (Published("DCGM_FI_DEV_ENC_UTIL", pushed=Pushed.HIGHER, other="DCGM_FI_DEV_DEC_UTIL"),),
        # The number of the last XID error, of whatever kind, until the exporter is restarted.
        "gpu.fault": (Published("DCGM_FI_DEV_XID_ERRORS", most=FAULTS, only=frozenset(XIDS)),),
    },
)
AGENT = Exporter(
    "bursar agent",
    {
        "gpu.utilization": (Published("bursar_gpu_utilization_peak_percent", by_part=True),),
        "gpu.power": (
            Published("bursar_gpu_power_peak_watts", most=MOST_WATTS),
            Published("bursar_gpu_energy_joules_total", most=MOST_WATTS, pushed=Pushed.RATE),
        ),
        "gpu.memory_used": (
            Published(
                "bursar_gpu_memory_used_bytes",
                pushed=Pushed.SHARE,
                other="bursar_gpu_memory_free_bytes",
                by_part=True,
            ),
        ),
        "gpu.video": (
            Published("bursar_gpu_encoder_percent", pushed=Pushed.HIGHER, other="bursar_gpu_decoder_percent"),
        ),
        "gpu.fault": (Published("bursar_gpu_fault", most=FAULTS),),
    },
)
EXPORTERS = (DCGM, AGENT)

UUIDS = ("uuid", "gpu_uuid")
INDEXES = ("gpu", "index")
INSTANCES = ("instance_id", "instanceid", "ec2_instance_id", "aws_instance_id")
PROVIDERS = ("provider_id", "providerid")
HOSTS = ("hostname", "node", "kubernetes_node", "node_name", "nodename")
JOBS = ("hpc_job", "pod", "namespace")
"""Labels that say who works on a GPU. An unallocated one has them empty."""


@dataclass(frozen=True)
class Labels:
    """
    Which labels say what. Names are compared without case and without `exported_`.

    The exporter of DCGM changed `Hostname` to `hostname`; Prometheus renames a label to `exported_…` where the
    target has one of that name itself, and then the exporter's own is the one that was renamed.
    """

    instance: tuple[str, ...] = INSTANCES
    provider: tuple[str, ...] = PROVIDERS
    host: tuple[str, ...] = HOSTS

    def raw(self, labels: Mapping[str, str]) -> set[str]:
        """Return those of `labels`, as they are written, that say which device of which machine it is."""
        known = {*UUIDS, *INDEXES, MIG, *self.instance, *self.provider, *self.host}
        return {name for name in labels if _plain(name) in known}

    def sender(self, labels: Mapping[str, str]) -> Sender:
        """Return who sent a series."""
        found = spoken(labels)
        return Sender(
            Device(_first(found, INDEXES), _first(found, UUIDS)),
            found.get(MIG, ""),
            _first(found, self.instance),
            _first(found, self.provider),
            _first(found, self.host),
        )


def spoken(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels under their plain names; what was renamed to `exported_…` wins, and empty ones are left out."""
    ordered = sorted(labels.items(), key=lambda pair: pair[0].lower().startswith("exported_"))
    return {_plain(name): value for name, value in ordered if value}


def job_of(labels: Mapping[str, str]) -> str:
    """Return who works on the GPU, for evidence; empty where nobody does or nothing says so."""
    found = spoken(labels)
    if job := found.get("hpc_job"):
        return f"Slurm job {job}"
    return f"pod {found.get('namespace', '?')}/{found['pod']}" if found.get("pod") else ""


def _plain(name: str) -> str:
    return name.lower().removeprefix("exported_")


def _first(labels: Mapping[str, str], names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def uuid_label(names: Iterable[str]) -> str:
    """Return the label, as it is written, that holds the UUID; empty where there is none."""
    return next((name for name in sorted(names) if _plain(name) in UUIDS), "")


def quoted(text: str) -> str:
    """Return `text` as a string of PromQL."""
    return json.dumps(text, ensure_ascii=False)
