"""Where samples go: an endpoint that Prometheus scrapes, or a file. Each publisher takes one sample at a time."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from engine.faults import DRIVER
from integrations.nvml.samples import OWNERS, VALUES, HostSample, State, encode

STALE = 3
"""Intervals after which the last sample is no longer shown: an old value must not look like a new one."""
WHO = ("gpu", "uuid", "modelName")
PART = ("GPU_I_ID", "mig_uuid")
"""Labels of a MIG instance; the first is the DCGM exporter's."""
SERIES: Mapping[str, str] = {name: f"bursar_gpu_{name}" for name in VALUES}


class Publisher(Protocol):
    """A place for samples."""

    @property
    def name(self) -> str:
        """For people: `http://127.0.0.1:9836/metrics`."""

    def publish(self, sample: HostSample) -> None:
        """Pass `sample` on; raise `OSError` where that fails, and take the next one all the same."""

    def close(self) -> None:
        """End: what was taken is written out."""


class PrometheusPublisher:
    """An endpoint with the newest sample, in Prometheus's text format."""

    def __init__(self, address: str, port: int, clock: Callable[[], float] = time.time) -> None:
        """Bind and serve; raises `OSError` where the address cannot be had."""
        from prometheus_client import CollectorRegistry, start_http_server

        self._clock = clock
        self._lock = threading.Lock()
        self._sample: HostSample | None = None
        self._xids: Counter[tuple[str, str, int]] = Counter()
        self._broken: dict[tuple[str, str], int] = {}
        registry = CollectorRegistry()
        registry.register(self)
        self._server, self._thread = start_http_server(port, addr=address, registry=registry)
        self.port = int(self._server.server_port)
        self.name = f"http://{address}:{self.port}/metrics"

    def publish(self, sample: HostSample) -> None:
        """Show `sample` from now on."""
        with self._lock:
            self._sample = sample
            self._xids.update((gpu.index, gpu.uuid, xid) for gpu in sample.gpus for xid in gpu.xids)
            # An error is told once; it stays until the agent ends, because a scrape may come later.
            found = {(gpu.index, gpu.uuid): gpu.fault_number for gpu in sample.gpus}
            self._broken.update({who: number for who, number in found.items() if 0 < number < DRIVER})

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def collect(self) -> Iterator[Any]:
        """Yield the families of the newest sample, or only that there is none."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        with self._lock:
            sample, xids, broken = self._sample, dict(self._xids), dict(self._broken)
        fresh = sample is not None and self._clock() - sample.at.timestamp() <= STALE * max(sample.interval, 1)
        up = GaugeMetricFamily("bursar_agent_up", "Whether the driver answers and its answer is new.")
        up.add_metric([], float(fresh and sample is not None and not sample.problem))
        yield up
        if sample is None:
            return
        at = GaugeMetricFamily("bursar_agent_last_sample_timestamp_seconds", "When the newest sample was taken.")
        at.add_metric([], sample.at.timestamp())
        yield at
        if not fresh:
            return
        rows = list(_rows(sample, broken))
        names = _names(sample)
        counters = {"energy_joules"}
        for value, about in VALUES.items():
            kind = CounterMetricFamily if value in counters else GaugeMetricFamily
            family = kind(SERIES[value], about, labels=names)
            for row in rows:
                if value in row.values:
                    family.add_metric(row.labels, row.values[value])
            yield family
        yield from _states(rows, names)
        yield from _owners(sample)
        found = CounterMetricFamily(
            "bursar_gpu_xid_errors", "XID errors since the agent began.", labels=[*WHO, *_shared(sample), "xid"]
        )
        models = {gpu.index: gpu.model for gpu in sample.gpus}
        for (index, uuid, xid), count in xids.items():
            found.add_metric([index, uuid, models.get(index, ""), *_shared(sample).values(), str(xid)], count)
        yield found


@dataclass(frozen=True, slots=True)
class _Row:
    """A GPU, or one of its MIG instances, with the values of its labels."""

    labels: list[str]
    values: Mapping[str, float]
    missing: Mapping[str, State]
    faulted: bool
    fault: int


def _rows(sample: HostSample, broken: Mapping[tuple[str, str], int]) -> Iterator[_Row]:
    """Yield each GPU and each instance of it; an instance is there although nothing is known of it."""
    cut, shared = _cut(sample), list(_shared(sample).values())
    for gpu in sample.gpus:
        who = [gpu.index, gpu.uuid, gpu.model]
        faulted = bool(gpu.fault) or State.FAULTED in gpu.missing.values()
        fault = gpu.fault_number or broken.get((gpu.index, gpu.uuid), 0)
        yield _Row([*who, *[""] * cut, *shared], gpu.values, gpu.missing, faulted, fault)
        for one in gpu.mig:
            yield _Row([*who, one.id, one.uuid, *shared], one.values, one.missing, faulted, fault)


def _states(rows: list[_Row], names: list[str]) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    fault = GaugeMetricFamily("bursar_gpu_faulted", "1 where the GPU is lost or needs a reset.", labels=names)
    number = GaugeMetricFamily(
        "bursar_gpu_fault",
        "What is broken: an XID error of the hardware, 1000 and the error of the driver, or 0.",
        labels=names,
    )
    missing = GaugeMetricFamily(
        "bursar_gpu_missing", "1 for each value the driver did not give.", labels=[*names, "value", "state"]
    )
    for row in rows:
        fault.add_metric(row.labels, float(row.faulted))
        number.add_metric(row.labels, row.fault)
        for value, state in row.missing.items():
            missing.add_metric([*row.labels, value, state.value], 1)
    yield fault
    yield number
    yield missing


def _owners(sample: HostSample) -> Iterator[Any]:
    """Yield who uses the machine: a series for each job, or a 0 without one."""
    from prometheus_client.core import GaugeMetricFamily

    owners, names, shared = sample.owners, list(_shared(sample)), list(_shared(sample).values())
    sessions = GaugeMetricFamily("bursar_sessions_active", OWNERS["sessions_active"], labels=names)
    if "sessions_active" in owners.values:
        sessions.add_metric(shared, owners.values["sessions_active"])
    yield sessions
    jobs = GaugeMetricFamily("bursar_jobs_running", OWNERS["jobs_running"], labels=[*names, "hpc_job"])
    if "jobs_running" in owners.values:
        for job in owners.jobs or ("",):
            jobs.add_metric([*shared, job], float(bool(job)))
    yield jobs
    missing = GaugeMetricFamily(
        "bursar_host_missing", "1 for each value of the machine that cannot be seen.", labels=[*names, "value", "state"]
    )
    for value, state in owners.missing.items():
        missing.add_metric([*shared, value, state.value], 1)
    yield missing


def _names(sample: HostSample) -> list[str]:
    """Return the names of the labels, in the order of those of `_rows`."""
    return [*WHO, *PART[: _cut(sample)], *_shared(sample)]


def _cut(sample: HostSample) -> int:
    """Return how many labels tell instances apart: none where no GPU is cut. Empty ones stand for a whole GPU."""
    return len(PART) if any(gpu.mig for gpu in sample.gpus) else 0


def _shared(sample: HostSample) -> dict[str, str]:
    """Return the labels that all GPUs share."""
    instance = {"instance_id": sample.instance} if sample.instance else {}
    return {"hostname": sample.host, **instance, **sample.labels}


class FilePublisher:
    """
    A file of JSON Lines that is renamed when it is full.

    A line is written by one call and synced, so that a crash costs the last line at most; a line that was cut by one
    is closed before the next is written.
    """

    def __init__(self, path: Path, most_bytes: int, keep: int) -> None:
        """
        Args:
            path: the file; older ones are called `path.1`, `path.2` and so on.
            most_bytes: the size at which it is renamed.
            keep: how many older ones stay.
        """
        self.name = str(path)
        self._path, self._most, self._keep = path, most_bytes, keep
        path.parent.mkdir(parents=True, exist_ok=True)
        self._out = self._opened()

    def _opened(self) -> int:
        out = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        size = os.fstat(out).st_size
        if size and os.pread(out, 1, size - 1) != b"\n":
            os.write(out, b"\n")
        return out

    def publish(self, sample: HostSample) -> None:
        """Write one line."""
        line = encode(sample).encode() + b"\n"
        if os.fstat(self._out).st_size + len(line) > self._most:
            self._rotate()
        while line:
            line = line[os.write(self._out, line) :]
        os.fsync(self._out)

    def _rotate(self) -> None:
        if os.fstat(self._out).st_size == 0:
            return
        os.close(self._out)
        older = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._keep + 1))]
        for newer, target in reversed(list(pairwise(older))):
            if newer.exists():
                newer.replace(target)
        if not self._keep:
            self._path.unlink()
        self._out = self._opened()

    def close(self) -> None:
        """Close the file."""
        os.close(self._out)
