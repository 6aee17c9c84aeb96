"""
Use of MIG instances by GPM, the driver's own counters of Hopper and later; NVML has none of its own for them.

Two states of the counters are compared, so a value is the mean of the time between two samples, of the instance and
not of the GPU. What is read is what the DCGM exporter publishes as `DCGM_FI_PROF_GR_ENGINE_ACTIVE`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from integrations.nvml.answers import STATES
from integrations.nvml.samples import State

APART = 0.1
"""Seconds that have to lie between two states: the driver renews its counters so often (NVML reference, GPM)."""
MOST = 105.0
"""Percent. Counters of engines and of time are not read in one moment, so a little above 100 is 100."""
FULL = 100.0
Whose: TypeAlias = tuple[int, str]
"""The position of a GPU and the id of its instance."""


@dataclass
class Gpm:
    """The counters of all MIG instances as they were at the last sample."""

    api: Any
    clock: Callable[[], float]
    before: dict[Whose, tuple[Any, float]] = field(default_factory=dict)
    """The state of the counters and when it was taken."""

    def use(self, whose: Whose, device: Any) -> tuple[float, float] | State:
        """
        Return the use of a GPU instance since the last call, and the higher of that and of its multiprocessors.

        Both are percent. A call that fails leaves nothing to compare the next one with, so that a value is never
        about more than the time since the last sample.
        """
        now = self.clock()
        state, at = self.before.get(whose, (None, now))
        if state is not None and now - at < APART:
            return State.NO_SAMPLE
        try:
            self.before.pop(whose, None)
            newer = self._taken(device, int(whose[1]))
            self.before[whose] = (newer, now)
            return State.NO_SAMPLE if state is None else self._compared(state, newer)
        except self.api.NVMLError as error:
            return _state(error.value)
        finally:
            self._free(state)

    def keep(self, gpu: int, instances: Collection[str]) -> None:
        """Forget the counters of all instances of a GPU but these."""
        for whose in [one for one in self.before if one[0] == gpu and one[1] not in instances]:
            self._free(self.before.pop(whose)[0])

    def close(self) -> None:
        """Forget all counters."""
        for gpu in {whose[0] for whose in self.before}:
            self.keep(gpu, ())

    def _taken(self, device: Any, instance: int) -> Any:
        """Return the counters of now; where GPM is not supported it says so."""
        if not self.api.nvmlGpmQueryDeviceSupport(device).isSupportedDevice:
            raise self.api.NVMLError(self.api.NVML_ERROR_NOT_SUPPORTED)
        state = self.api.nvmlGpmSampleAlloc()
        try:
            self.api.nvmlGpmMigSampleGet(device, instance, state)
        except self.api.NVMLError:
            self._free(state)
            raise
        return state

    def _compared(self, older: Any, newer: Any) -> tuple[float, float] | State:
        """Return what happened between two states. That nothing is known is NaN, or an error of the single metric."""
        api = self.api
        asked = api.c_nvmlGpmMetricsGet_t()
        asked.version, asked.numMetrics = api.NVML_GPM_METRICS_GET_VERSION, 2
        asked.sample1, asked.sample2 = older, newer
        asked.metrics[0].metricId = api.NVML_GPM_METRIC_GRAPHICS_UTIL
        asked.metrics[1].metricId = api.NVML_GPM_METRIC_SM_UTIL
        api.nvmlGpmMetricsGet(asked)
        ran, busy = _value(asked.metrics[0]), _value(asked.metrics[1])
        if isinstance(ran, State):
            return ran
        return ran, ran if isinstance(busy, State) else max(ran, busy)

    def _free(self, state: Any) -> None:
        if state is not None:
            with suppress(self.api.NVMLError):
                self.api.nvmlGpmSampleFree(state)


def _value(metric: Any) -> float | State:
    if metric.nvmlReturn:
        return _state(metric.nvmlReturn)
    value = float(metric.value)
    if math.isnan(value):
        return State.NO_SAMPLE
    return min(value, FULL) if 0 <= value <= MOST else State.FAILED


def _state(error: int) -> State:
    """Return why there is no value. That a GPU is broken is told by the calls that every driver has."""
    state = STATES.get(error, State.FAILED)
    return State.FAILED if state is State.FAULTED else state
