"""
What the GPUs of one machine were doing at one moment, and its line in a file.

`reading` makes it of the driver's answers; publishers pass it on; the source of recorded files reads the lines.
A value that the driver did not give is absent and has a state that says why. It is never 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from engine.faults import XIDS, fault_of_driver

VERSION = 1


class State(StrEnum):
    """Why the driver gave no value."""

    UNSUPPORTED = "unsupported"
    """The device or the driver does not have it; with MIG before Hopper, utilisation is such."""
    NO_SAMPLE = "no_sample"
    NO_PERMISSION = "no_permission"
    NO_DRIVER = "no_driver"
    FAULTED = "faulted"
    """The GPU is lost, needs a reset or failed in an unknown way: paid for and unusable, which is not idle."""
    TIMEOUT = "timeout"
    FAILED = "failed"


VALUES = {
    "utilization_percent": "Share of time since the last sample in which a kernel ran.",
    "utilization_peak_percent": "The highest of the driver's samples since the last one; of MIG instances, the mean.",
    "process_utilization_peak_percent": "The highest use of the multiprocessors by a single process.",
    "memory_used_bytes": "Used memory of the device, without what the driver reserves.",
    "memory_free_bytes": "Free memory of the device.",
    "memory_total_bytes": "All memory of the device.",
    "power_watts": "Power drawn.",
    "power_peak_watts": "The highest power drawn since the last sample.",
    "encoder_percent": "Use of the engines that encode video.",
    "decoder_percent": "Use of the engines that decode video.",
    "energy_joules": "Energy drawn since the driver was loaded; it begins anew at 0 when it is loaded again.",
    "processes": "Processes that hold a context on the device.",
}
"""Every value with what it means; the reference of published series is made of it."""
OWNERS = {
    "sessions_active": "Terminals into which something was typed in the last 15 minutes.",
    "jobs_running": "Jobs of Slurm that run here; 1 for each that is named.",
}
"""What is known of the machine beside its GPUs."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One GPU instance of a GPU in MIG mode."""

    id: str
    """As the driver counts on this GPU: `5`; of one that cannot be named, `?` and its slot."""
    uuid: str = ""
    """`MIG-…`; of several compute instances, all of them with commas between."""
    values: Mapping[str, float] = field(default_factory=dict)
    """By name of `VALUES`; use is that of the instance, not of the GPU."""
    missing: Mapping[str, State] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU."""

    index: str
    uuid: str = ""
    model: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    """By name of `VALUES`."""
    missing: Mapping[str, State] = field(default_factory=dict)
    """Those of `VALUES` that the driver did not give."""
    mig: tuple[Instance, ...] = ()
    """What it is cut into; its own peak of use is then the highest of theirs, and missing while one is silent."""
    xids: tuple[int, ...] = ()
    """XID errors since the last sample."""
    fault: str = ""
    """How it is broken; empty where it is not known to be."""

    @property
    def fault_number(self) -> int:
        """Return what is broken, as `gpu.fault` has it: the driver's own word, or an XID error; 0 for nothing."""
        if self.fault or State.FAULTED in self.missing.values():
            return fault_of_driver(self.fault)
        return next((xid for xid in self.xids if xid in XIDS), 0)


@dataclass(frozen=True, slots=True)
class OwnersSample:
    """Who uses the machine."""

    values: Mapping[str, float] = field(default_factory=dict)
    """By name of `OWNERS`."""
    jobs: tuple[str, ...] = ()
    missing: Mapping[str, State] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostSample:
    """All GPUs of one machine, and who uses it."""

    at: datetime
    host: str
    instance: str = ""
    """The provider's id of the machine; empty where it is not known."""
    labels: Mapping[str, str] = field(default_factory=dict)
    interval: float = 0
    """Seconds between samples."""
    driver: str = ""
    problem: str = ""
    """Why nothing could be read of any GPU."""
    gpus: tuple[GpuSample, ...] = ()
    owners: OwnersSample = field(default_factory=OwnersSample)


def encode(sample: HostSample) -> str:
    """Return `sample` as one line of JSON, without its newline."""
    gpus = [
        _without_nothing(
            {
                "index": gpu.index,
                "uuid": gpu.uuid,
                "model": gpu.model,
                **gpu.values,
                "missing": {name: state.value for name, state in gpu.missing.items()},
                "mig": [_instance_row(one) for one in gpu.mig],
                "xids": list(gpu.xids),
                "fault": gpu.fault,
            }
        )
        for gpu in sample.gpus
    ]
    head = {
        "bursar.agent": VERSION,
        "at": sample.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "host": sample.host,
        "instance": sample.instance,
        "labels": dict(sample.labels),
        "interval": sample.interval,
        "driver": sample.driver,
        "problem": sample.problem,
        "owners": _without_nothing(
            {
                **sample.owners.values,
                "jobs": list(sample.owners.jobs),
                "missing": {name: state.value for name, state in sample.owners.missing.items()},
            }
        ),
    }
    return json.dumps({**_without_nothing(head), "gpus": gpus}, separators=(",", ":"), allow_nan=False)


def _instance_row(one: Instance) -> dict[str, Any]:
    missing = {name: state.value for name, state in one.missing.items()}
    return _without_nothing({"id": one.id, "uuid": one.uuid, **one.values, "missing": missing})


def _without_nothing(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value not in ("", [], {})}


def decode(line: str) -> HostSample:
    """
    Return the sample of a line; numbers that are none are left out.

    Raises:
        ValueError: where the line is not one that `encode` wrote.
    """
    try:
        found = json.loads(line)
        if found["bursar.agent"] != VERSION:
            raise ValueError("a sample of another version")
        at = datetime.fromisoformat(found["at"])
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return HostSample(
            at.astimezone(UTC),
            str(found["host"]),
            str(found.get("instance", "")),
            {str(k): str(v) for k, v in found.get("labels", {}).items()},
            float(found.get("interval", 0)),
            str(found.get("driver", "")),
            str(found.get("problem", "")),
            tuple(_gpu(gpu) for gpu in found["gpus"]),
            _owners(found.get("owners", {})),
        )
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"not a sample of `bursar agent` ({type(error).__name__})") from error


def _gpu(found: Mapping[str, Any]) -> GpuSample:
    return GpuSample(
        str(found["index"]),
        str(found.get("uuid", "")),
        str(found.get("model", "")),
        _values(found),
        _missing(found),
        tuple(_instance(one) for one in found.get("mig", ())),
        tuple(int(one) for one in found.get("xids", ())),
        str(found.get("fault", "")),
    )


def _instance(found: Mapping[str, Any] | str) -> Instance:
    """Return one GPU instance; agents before GPM wrote nothing but its id."""
    if isinstance(found, str):
        return Instance(found)
    return Instance(str(found["id"]), str(found.get("uuid", "")), _values(found), _missing(found))


def _values(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(found[name]) for name in VALUES if _is_number(found.get(name))}


def _missing(found: Mapping[str, Any]) -> dict[str, State]:
    return {str(name): State(state) for name, state in found.get("missing", {}).items()}


def _owners(found: Mapping[str, Any]) -> OwnersSample:
    return OwnersSample(
        {name: float(found[name]) for name in OWNERS if _is_number(found.get(name))},
        tuple(str(one) for one in found.get("jobs", ())),
        {str(name): State(state) for name, state in found.get("missing", {}).items()},
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
