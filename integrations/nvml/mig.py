"""
The MIG instances that a GPU is cut into, and what each of them does.

What counts is the GPU instance: memory and counters are its own. Of several compute instances in one, all are in its
use. A GPU instance without any, and a slice that belongs to none, can run nothing and is not listed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from integrations.nvml.answers import NOT_FOUND, Reading, read_memory
from integrations.nvml.gpm import Gpm
from integrations.nvml.samples import Instance, State

PEAK = "utilization_peak_percent"


@dataclass
class _Listed:
    """One GPU instance; its handles are those of its compute instances."""

    handles: list[Any] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)


class Mig:
    """The MIG instances of all GPUs of an opened driver."""

    def __init__(self, api: Any, clock: Callable[[], float]) -> None:
        self._api = api
        self._gpm = Gpm(api, clock)

    def instances(self, position: int, device: Any) -> tuple[Instance, ...] | None:
        """
        Return the instances of the GPU at `position`; None where it is whole.

        One that is there and cannot be named stands as `?` and its slot, without a value: it may be at work.
        """
        listed = self._listed(device)
        self._gpm.keep(position, listed or ())
        if listed is None:
            return None
        return tuple(self._one(position, device, name, one) for name, one in listed.items())

    @property
    def counts(self) -> bool:
        """Return whether the use of any instance is being counted."""
        return bool(self._gpm.before)

    def close(self) -> None:
        """Give back what the driver keeps for comparing."""
        self._gpm.close()

    def _listed(self, device: Any) -> dict[str, _Listed] | None:
        api = self._api
        try:
            if api.nvmlDeviceGetMigMode(device)[0] != api.NVML_DEVICE_MIG_ENABLE:
                return None
        except api.NVMLError:
            return None
        found: dict[str, _Listed] = {}
        try:
            slots = api.nvmlDeviceGetMaxMigDeviceCount(device)
        except api.NVMLError:
            return {"?": _Listed()}
        for slot in range(slots):
            try:
                handle = api.nvmlDeviceGetMigDeviceHandleByIndex(device, slot)
                name = str(api.nvmlDeviceGetGpuInstanceId(handle))
            except api.NVMLError as error:
                if error.value != NOT_FOUND:  # most slots are empty
                    found[f"?{slot}"] = _Listed()
                continue
            listed = found.setdefault(name, _Listed())
            listed.handles.append(handle)
            with suppress(api.NVMLError):
                listed.uuids.append(str(api.nvmlDeviceGetUUID(handle)))
        return found

    def _one(self, position: int, device: Any, name: str, listed: _Listed) -> Instance:
        reading = Reading(self._api)
        if not listed.handles:
            return Instance(name, "", {}, {PEAK: State.FAILED})
        use = self._gpm.use((position, name), device)
        if isinstance(use, State):
            reading.missing[PEAK] = use
        else:
            reading.put("utilization_percent", use[0])
            reading.put(PEAK, use[1])
        read_memory(reading, listed.handles[0])
        missing = {n: State.FAILED if state is State.FAULTED else state for n, state in reading.missing.items()}
        return Instance(name, ",".join(listed.uuids), reading.values, missing)
