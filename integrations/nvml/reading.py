"""
The driver's answers to samples, by NVIDIA's binding `pynvml` (distribution `nvidia-ml-py`).

Every call may fail for itself; what it would have given is then missing, with the state that its error stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.errors import CollectError, ConfigError
from engine.faults import NVML
from integrations.nvml.samples import GpuSample, State

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


@contextmanager
def opened_nvml() -> Iterator[Nvml]:
    """
    Yield the driver of this machine.

    Raises:
        ConfigError: where the extra `gpu` is not installed.
        CollectError: where there is no driver.
    """
    try:
        import pynvml
    except ImportError as error:
        hint = "pip install 'bursar[gpu]'"
        message = "reading GPUs needs nvidia-ml-py, which is not installed"
        raise ConfigError.of("missing-extra", message, where="bursar agent", hint=hint) from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        message = f"the NVIDIA driver cannot be used: {error}"
        hint = "without a driver there is no telemetry of this machine; that does not mean that it is idle"
        raise CollectError.of("no-driver", message, where="NVML", hint=hint) from error
    try:
        yield Nvml(pynvml)
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


@dataclass
class _Gpu:
    """What is kept of a GPU between samples."""

    index: str
    uuid: str = ""
    model: str = ""
    seen: dict[int, int] = field(default_factory=dict)
    """The newest time, in microseconds, of each sample buffer."""


@dataclass
class _Reading:
    """One sample of one GPU while it is gathered."""

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


class Nvml:
    """An opened driver."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._gpus: dict[int, _Gpu] = {}
        self._events = self._registered()

    @property
    def driver(self) -> str:
        """Return the version of the driver; empty where it does not say."""
        with suppress(self._api.NVMLError):
            return str(self._api.nvmlSystemGetDriverVersion())
        return ""

    def sample(self) -> tuple[tuple[GpuSample, ...], str]:
        """Return every GPU, and why none can be read, if so."""
        try:
            count = self._api.nvmlDeviceGetCount()
        except self._api.NVMLError as error:
            return (), f"the driver does not answer: {error}"
        xids = self._xids()
        return tuple(self._one(position, xids.get(position, ())) for position in range(count)), ""

    def _one(self, position: int, xids: tuple[int, ...]) -> GpuSample:
        api, reading = self._api, _Reading(self._api)
        known = self._gpus.setdefault(position, _Gpu(str(position)))
        handle = reading.of("utilization_peak_percent", lambda: api.nvmlDeviceGetHandleByIndex(position))
        mig: tuple[str, ...] = ()
        if handle is not None:
            known.uuid = reading.of("uuid", lambda: api.nvmlDeviceGetUUID(handle)) or known.uuid
            known.model = reading.of("model", lambda: api.nvmlDeviceGetName(handle)) or known.model
            mig = self._mig(handle)
            self._utilization(reading, known, handle)
            self._memory(reading, handle)
            self._power(reading, known, handle)
            self._processes(reading, handle)
            self._video(reading, handle)
        missing = {name: state for name, state in reading.missing.items() if name not in ("uuid", "model")}
        return GpuSample(known.index, known.uuid, known.model, reading.values, missing, mig, xids, reading.fault)

    def _utilization(self, reading: _Reading, known: _Gpu, handle: Any) -> None:
        """Read the driver's sample buffer, which sees what happened between two samples of ours."""
        api = self._api
        buffer = self._buffer(reading, "utilization_peak_percent", known, handle, api.NVML_GPU_UTILIZATION_SAMPLES)
        if buffer:
            reading.put("utilization_peak_percent", max(buffer))
            reading.put("utilization_percent", sum(buffer) / len(buffer))
            return
        rates = reading.of("utilization_percent", lambda: api.nvmlDeviceGetUtilizationRates(handle))
        if rates is not None:
            reading.put("utilization_percent", rates.gpu)
            reading.put("utilization_peak_percent", rates.gpu)

    def _memory(self, reading: _Reading, handle: Any) -> None:
        """Read memory; the second version of the call leaves out what the driver reserves."""
        api = self._api
        memory = reading.of("memory_used_bytes", lambda: api.nvmlDeviceGetMemoryInfo(handle, version=api.nvmlMemory_v2))
        if memory is None:
            memory = reading.of("memory_used_bytes", lambda: api.nvmlDeviceGetMemoryInfo(handle))
        if memory is not None and memory.total > 0:
            reading.put("memory_used_bytes", memory.used)
            reading.put("memory_free_bytes", memory.free)
            reading.put("memory_total_bytes", memory.total)

    def _power(self, reading: _Reading, known: _Gpu, handle: Any) -> None:
        """Read power in milliwatts and energy in millijoules."""
        api = self._api
        now = reading.of("power_watts", lambda: api.nvmlDeviceGetPowerUsage(handle))
        buffer = self._buffer(reading, "power_peak_watts", known, handle, api.NVML_TOTAL_POWER_SAMPLES)
        drawn = [*buffer, *([now] if now is not None else [])]
        if now is not None:
            reading.put("power_watts", now / 1000)
        if drawn:
            reading.put("power_peak_watts", max(drawn) / 1000)
        energy = reading.of("energy_joules", lambda: api.nvmlDeviceGetTotalEnergyConsumption(handle))
        reading.put("energy_joules", None if energy is None else energy / 1000)

    def _video(self, reading: _Reading, handle: Any) -> None:
        """Read the use of the video engines; that it is not known is no fault of the GPU."""
        api = self._api
        for name, call in (
            ("encoder_percent", api.nvmlDeviceGetEncoderUtilization),
            ("decoder_percent", api.nvmlDeviceGetDecoderUtilization),
        ):
            try:
                reading.put(name, call(handle)[0])
            except api.NVMLError as error:
                state = STATES.get(error.value, State.FAILED)
                reading.missing[name] = State.FAILED if state is State.FAULTED else state

    def _processes(self, reading: _Reading, handle: Any) -> None:
        """Read how many processes hold a context and how much they do; in a container the list may be empty."""
        api = self._api
        running = reading.of("processes", lambda: api.nvmlDeviceGetComputeRunningProcesses(handle))
        reading.put("processes", None if running is None else len(running))
        name = "process_utilization_peak_percent"
        try:
            used = api.nvmlDeviceGetProcessUtilization(handle, 0)
        except api.NVMLError as error:
            if error.value == NOT_FOUND:
                # The one call whose "not found" is a number: no process did anything.
                reading.put(name, 0)
            else:
                reading.missing[name] = STATES.get(error.value, State.FAILED)
        else:
            reading.put(name, max((one.smUtil for one in used), default=0))

    def _buffer(self, reading: _Reading, name: str, known: _Gpu, handle: Any, kind: int) -> list[float]:
        """Return the driver's samples since the last call."""
        found = reading.of(name, lambda: self._api.nvmlDeviceGetSamples(handle, kind, known.seen.get(kind, 0)))
        if found is None:
            return []
        value_type, samples = found
        new = [one for one in samples if one.timeStamp > known.seen.get(kind, 0)]
        if not new:
            reading.missing[name] = State.NO_SAMPLE
            return []
        known.seen[kind] = max(one.timeStamp for one in new)
        attribute = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal")[value_type] if value_type < 5 else "uiVal"
        return [float(getattr(one.sampleValue, attribute)) for one in new]

    def _mig(self, handle: Any) -> tuple[str, ...]:
        """Return the ids of the GPU instances; none where the GPU is whole."""
        api = self._api
        found: list[str] = []
        with suppress(api.NVMLError):
            if api.nvmlDeviceGetMigMode(handle)[0] != api.NVML_DEVICE_MIG_ENABLE:
                return ()
            for slot in range(api.nvmlDeviceGetMaxMigDeviceCount(handle)):
                with suppress(api.NVMLError):  # most slots are empty
                    part = api.nvmlDeviceGetMigDeviceHandleByIndex(handle, slot)
                    found.append(str(api.nvmlDeviceGetGpuInstanceId(part)))
        return tuple(found)

    def _registered(self) -> Any:
        """Return the set of events that XID errors come through; None where the driver has none."""
        api = self._api
        try:
            events = api.nvmlEventSetCreate()
            for position in range(api.nvmlDeviceGetCount()):
                with suppress(api.NVMLError):
                    handle = api.nvmlDeviceGetHandleByIndex(position)
                    api.nvmlDeviceRegisterEvents(handle, api.nvmlEventTypeXidCriticalError, events)
        except api.NVMLError:
            return None
        return events

    def _xids(self) -> dict[int, tuple[int, ...]]:
        """Return the XID errors since the last call, by position of the GPU."""
        api = self._api
        found: dict[int, tuple[int, ...]] = {}
        if self._events is None:
            return {}
        for _ in range(100):
            try:
                event = api.nvmlEventSetWait_v2(self._events, 0)
                position = int(api.nvmlDeviceGetIndex(event.device))
            except api.NVMLError:
                break
            found[position] = (*found.get(position, ()), int(event.eventData))
        return found
