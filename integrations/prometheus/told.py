"""
What exporters tell of whole machines: logins, jobs and pods that hold them, nodes that are out of service.

The names are those of `bursar agent`, of NVIDIA's dcgm-exporter, of kube-state-metrics (1.9 to 2.15) and of the
exporters of Slurm that go back to vpenso's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from integrations.prometheus.exporters import job_of, quoted
from integrations.prometheus.queries import MOST_POINTS, Selection

Reading: TypeAlias = Callable[[Mapping[str, str], float], tuple[str, float]]
"""Labels and number of a row to who holds the machine (empty for nobody in particular) and the level of the metric."""
OUT_OF_SERVICE = re.compile(r"drain|down|maint|fail|reboot", re.IGNORECASE)
"""States of Slurm (`sinfo`, StateLong) in which a node takes no new work."""
GPUS = 'resource=~"(nvidia|amd)_com_.+|aws_amazon_com_neuron.*"'
"""Resources of Kubernetes that stand for accelerators, as kube-state-metrics writes their names."""
POD = ("exported_namespace", "namespace", "exported_pod", "pod")


@dataclass(frozen=True, slots=True)
class Told:
    """One way in which a server tells of whole machines."""

    metric: str
    origin: str
    """Stands for those who are not named."""
    series: str
    """Every machine has it while the origin lives."""
    by: tuple[str, ...] = ()
    """Labels that say who, or in which state, beside the one that says where."""
    only: tuple[str, ...] = ("",)
    """Matchers of the series to look for, one of which has to hold; those of others say nothing."""
    reading: Reading = lambda _, value: ("", value)
    pods: bool = False
    """True where pods are asked for beside; `series` shows only that kube-state-metrics lives."""

    @property
    def most_points(self) -> int:
        """Return the points of one answer; to tell pods apart the server goes through all of the cluster for each."""
        return MOST_POINTS // 10 if self.pods else MOST_POINTS

    def matchers(self, match: str) -> Iterator[str]:
        """Yield the selectors of the series to look for, beside what `match` says of all."""
        for only in self.only:
            yield f"{self.series}{{{', '.join(part for part in (match, only) if part)}}}"

    def query(self, selection: Selection, step: int) -> str:
        """Return the query of the highest level of each bucket."""
        where = ", ".join(selection.by)
        highest = f"max by ({', '.join((*selection.by, *self.by))})"
        alive = f"max_over_time({selection.of(self.series)}[{step}s])"
        if not self.pods:
            return f"{highest} ({alive})"
        asked = f"{selection.of('kube_pod_container_resource_requests')[:-1]}, {GPUS}}}"
        match = f"{selection.match}, " if selection.match else ""
        # A pod that has ended keeps its requests until it is deleted. Where its phase is not known, it holds on.
        ended = f"kube_pod_status_phase{{{match}phase=~{quoted('Succeeded|Failed')}}} == 1"
        held = f"{asked} unless on ({', '.join((*POD, 'uid'))}) ({ended})"
        return f"{highest} (max_over_time(({held})[{step}s:{max(step // 5, 60)}s])) or max by ({where}) (0 * {alive})"


def _slurm_job(labels: Mapping[str, str], value: float) -> tuple[str, float]:
    job = labels.get("hpc_job", "")
    return (f"Slurm job {job}" if job else "", value)


def _holder_of_gpu(labels: Mapping[str, str], value: float) -> tuple[str, float]:
    """Return who has the GPU by labels that are the exporter's own: a plain `pod` may be the exporter's."""
    del value
    own = {name: label for name, label in labels.items() if name not in ("pod", "namespace")}
    holder = job_of(own)
    return holder, float(bool(holder))


def _pod(labels: Mapping[str, str], value: float) -> tuple[str, float]:
    holder = job_of(labels)
    return (holder, float(value > 0)) if holder else ("", 0.0)


def _some_job(_: Mapping[str, str], processors: float) -> tuple[str, float]:
    return ("a Slurm job", 1.0) if processors > 0 else ("", 0.0)


def _state(labels: Mapping[str, str], _: float) -> tuple[str, float]:
    return "", float(bool(OUT_OF_SERVICE.search(labels.get("status", ""))))


OF_GPU = ("hpc_job", "exported_namespace", "exported_pod")
TOLD: Sequence[Told] = (
    Told("sessions.active", "agent", "bursar_sessions_active"),
    Told("jobs.running", "agent", "bursar_jobs_running", ("hpc_job",), reading=_slurm_job),
    *(
        Told("jobs.running", "DCGM", name, OF_GPU, ('hpc_job!=""', 'exported_pod!=""'), reading=_holder_of_gpu)
        for name in ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE")
    ),
    Told("jobs.running", "Kubernetes", "kube_node_spec_unschedulable", POD, reading=_pod, pods=True),
    Told("jobs.running", "Slurm", "slurm_node_cpu_alloc", reading=_some_job),
    Told("node.cordoned", "Kubernetes", "kube_node_spec_unschedulable"),
    Told(
        "node.cordoned",
        "Slurm",
        "slurm_node_cpu_total",
        ("status",),
        reading=_state,
    ),
)
