"""Recorded telemetry to power at rest, beside the figures that are shipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.backtest.calibration import AtRest, ModelPower, power_of, resting
from integrations.prices.load import gpu_idle_watts
from integrations.prices.power import gpu_power_text
from integrations.recordings.files import Recording, open_recording
from integrations.recordings.inventory import model_of


@dataclass(frozen=True)
class Calibration:
    """What was learned."""

    models: tuple[ModelPower, ...]
    shipped: Mapping[str, float]
    text: str
    """The file that the configuration takes; empty where nothing was learned."""


def calibrate(files: Sequence[Path], columns: Mapping[str, str], model: str = "") -> Calibration:
    """
    Return the power at rest of the GPUs in `files`; `model` is theirs where the recording does not say.

    Raises:
        ConfigError: where a file cannot be read.
    """
    shipped = gpu_idle_watts()
    with open_recording(files, columns) as recording:
        models = power_of(_devices(recording, sorted(shipped, key=len, reverse=True), model))
        day = datetime.fromtimestamp(recording.last, UTC).date()
        source = f"bursar calibrate over {recording.devices:,} GPUs, {recording.samples:,} samples"
    learned = {one.model: one.watts for one in models if one.watts is not None}
    return Calibration(models, shipped, gpu_power_text(learned, day, source) if learned else "")


def _devices(recording: Recording, known: Sequence[str], model: str) -> Iterator[tuple[str, bool, AtRest]]:
    for machine in recording.stream(recording.grid()):
        name = model or model_of(machine.model, known) or machine.model.removeprefix("NVIDIA ")
        for track in machine.tracks:
            for held, rest in resting(track):
                if name:
                    yield name, held, rest
