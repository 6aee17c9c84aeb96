"""
What the driver answers to one call: a value, or the state that its error stands for.

Every call may fail for itself; what it would have given is then missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.faults import NVML
from integrations.nvml.samples import State

STATES: Mapping[int, State] = {
    3: State.UNSUPPORTED,  # NOT_SUPPORTED
    4: State.NO_PERMISSION,
    6: State.NO_SAMPLE,  # NOT_FOUND
    9: State.NO_DRIVER,  # DRIVER_NOT_LOADED
    10: State.TIMEOUT,
    12: State.NO_DRIVER,  # LIBRARY_NOT_FOUND
    13: State.UNSUPPORTED,  # FUNCTION_NOT_FOUND: the driver is older than the function
    15: State.FAULTED,  # GPU_IS_LOST
    16: State.FAULTED,  # RESET_REQUIRED
    18: State.NO_DRIVER,  # LIB_RM_VERSION_MISMATCH: the driver was updated and not loaded anew
    21: State.NO_SAMPLE,  # NO_DATA
    25: State.UNSUPPORTED,  # ARGUMENT_VERSION_MISMATCH
    999: State.FAULTED,  # UNKNOWN
}
"""What an error of NVML says; others are failures of their own."""
FAULTS = NVML
NOT_FOUND = 6
Answer = TypeVar("Answer")


@dataclass
class Reading:
    """One sample of one GPU, or of a part of it, while it is gathered."""

    api: Any
    values: dict[str, float] = field(default_factory=dict)
    missing: dict[str, State] = field(default_factory=dict)
    fault: str = ""

    def of(self, name: str, call: Callable[[], Answer]) -> Answer | None:
        """Return what `call` returns; where it fails, `name` is missing. A timeout is tried once more."""
        for last in (False, True):
            try:
                return call()
            except self.api.NVMLError as error:
                state = STATES.get(error.value, State.FAILED)
                if state is State.TIMEOUT and not last:
                    continue
                self.missing[name] = state
                if state is State.FAULTED:
                    self.fault = FAULTS.get(error.value, str(error))
        return None

    def put(self, name: str, value: float | None) -> None:
        """Keep a value, and forget that it was missing."""
        if value is not None:
            self.values[name] = float(value)
            self.missing.pop(name, None)


def read_memory(reading: Reading, handle: Any) -> None:
    """Read memory; the second version of the call leaves out what the driver reserves."""
    api = reading.api
    memory = reading.of("memory_used_bytes", lambda: api.nvmlDeviceGetMemoryInfo(handle, version=api.nvmlMemory_v2))
    if memory is None:
        memory = reading.of("memory_used_bytes", lambda: api.nvmlDeviceGetMemoryInfo(handle))
    if memory is not None and memory.total > 0:
        reading.put("memory_used_bytes", memory.used)
        reading.put("memory_free_bytes", memory.free)
        reading.put("memory_total_bytes", memory.total)
