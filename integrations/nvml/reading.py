"""
The driver's answers to samples, by NVIDIA's binding `pynvml` (distribution `nvidia-ml-py`).

Every call may fail for itself; what it would have given is then missing, with the state that its error stands for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from engine.errors import CollectError, ConfigError
from integrations.nvml.answers import NOT_FOUND, STATES, Reading, read_memory
from integrations.nvml.mig import PEAK, Mig
from integrations.nvml.samples import GpuSample, Instance, State


@contextmanager
def opened_nvml(clock: Callable[[], float] = time.monotonic) -> Iterator[Nvml]:
    """
    Yield the driver of this machine; `clock` says how many seconds lie between two samples.

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
    nvml = Nvml(pynvml, clock)
    try:
        yield nvml
    finally:
        nvml.close()
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
    carried: float = 0.0
    """The highest use of a MIG instance that was seen while another one was not, in percent."""


class Nvml:
    """An opened driver."""

    def __init__(self, api: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._mig = Mig(api, clock)
        self._gpus: dict[int, _Gpu] = {}
        self._events = self._registered()

    @property
    def driver(self) -> str:
        """Return the version of the driver; empty where it does not say."""
        with suppress(self._api.NVMLError):
            return str(self._api.nvmlSystemGetDriverVersion())
        return ""

    def begin(self) -> bool:
        """Begin to count what is counted between two samples; return whether anything is."""
        api = self._api
        with suppress(api.NVMLError):
            for position in range(api.nvmlDeviceGetCount()):
                with suppress(api.NVMLError):
                    self._mig.instances(position, api.nvmlDeviceGetHandleByIndex(position))
        return self._mig.counts

    def close(self) -> None:
        """Give back what the driver keeps for this process."""
        self._mig.close()

    def sample(self) -> tuple[tuple[GpuSample, ...], str]:
        """Return every GPU, and why none can be read, if so."""
        try:
            count = self._api.nvmlDeviceGetCount()
        except self._api.NVMLError as error:
            return (), f"the driver does not answer: {error}"
        xids = self._xids()
        return tuple(self._one(position, xids.get(position, ())) for position in range(count)), ""

    def _one(self, position: int, xids: tuple[int, ...]) -> GpuSample:
        api, reading = self._api, Reading(self._api)
        known = self._gpus.setdefault(position, _Gpu(str(position)))
        handle = reading.of("utilization_peak_percent", lambda: api.nvmlDeviceGetHandleByIndex(position))
        mig: tuple[Instance, ...] | None = None
        if handle is not None:
            known.uuid = reading.of("uuid", lambda: api.nvmlDeviceGetUUID(handle)) or known.uuid
            known.model = reading.of("model", lambda: api.nvmlDeviceGetName(handle)) or known.model
            mig = self._mig.instances(position, handle)
            if mig is None:
                known.carried = 0.0
                self._utilization(reading, known, handle)
            else:
                _fold(reading, known, mig)
            read_memory(reading, handle)
            self._power(reading, known, handle)
            self._processes(reading, handle, whole=mig is None)
            self._video(reading, handle)
        missing = {name: state for name, state in reading.missing.items() if name not in ("uuid", "model")}
        return GpuSample(known.index, known.uuid, known.model, reading.values, missing, mig or (), xids, reading.fault)

    def _utilization(self, reading: Reading, known: _Gpu, handle: Any) -> None:
        """Read the driver's sample buffer, which sees what happened between two samples of ours."""
        api = self._api
        buffer = self._buffer(reading, "utilization_peak_percent", known, handle, api.NVML_GPU_UTILIZATION_SAMPLES)
        if buffer and max(buffer) > 100:
            # In MIG mode some drivers fill the buffer with a number of another kind.
            reading.missing.update(dict.fromkeys(("utilization_percent", PEAK), State.FAILED))
            return
        if buffer:
            reading.put("utilization_peak_percent", max(buffer))
            reading.put("utilization_percent", sum(buffer) / len(buffer))
            return
        rates = reading.of("utilization_percent", lambda: api.nvmlDeviceGetUtilizationRates(handle))
        if rates is not None:
            reading.put("utilization_percent", rates.gpu)
            reading.put("utilization_peak_percent", rates.gpu)

    def _power(self, reading: Reading, known: _Gpu, handle: Any) -> None:
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

    def _video(self, reading: Reading, handle: Any) -> None:
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

    def _processes(self, reading: Reading, handle: Any, *, whole: bool) -> None:
        """
        Read how many processes hold a context and how much they do; in a container the list may be empty.

        What a process does is not known of a GPU in MIG mode (NVML reference), whatever the driver answers.
        """
        api = self._api
        running = reading.of("processes", lambda: api.nvmlDeviceGetComputeRunningProcesses(handle))
        reading.put("processes", None if running is None else len(running))
        name = "process_utilization_peak_percent"
        if not whole:
            reading.missing[name] = State.UNSUPPORTED
            return
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

    def _buffer(self, reading: Reading, name: str, known: _Gpu, handle: Any, kind: int) -> list[float]:
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


def _fold(reading: Reading, known: _Gpu, instances: Sequence[Instance]) -> None:
    """
    Make the highest use of the instances that of the GPU; it is missing while one of them is not seen.

    What was seen meanwhile is not lost: it counts with the next sample that is whole.
    """
    used = [one.values[PEAK] for one in instances if PEAK in one.values]
    known.carried = max([known.carried, *used])
    silent = next((one.missing[PEAK] for one in instances if PEAK not in one.values), None)
    reading.missing["utilization_percent"] = State.UNSUPPORTED
    if silent is not None or not instances:
        reading.missing[PEAK] = silent or State.UNSUPPORTED
        return
    reading.put(PEAK, known.carried)
    known.carried = 0.0
