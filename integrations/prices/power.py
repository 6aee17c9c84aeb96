"""Power at rest by GPU model of the user's own: what `bursar calibrate` writes, and the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from engine.policy.scalars import Date, Text, from_text
from engine.units import UnitError
from integrations.prices.documents import read_document

STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)
MOST = 5_000.0
"""Watts that no board draws at rest: what is above is a wrong unit."""


def _watts(text: str) -> float:
    try:
        found = float(text.removesuffix("W").strip())
    except ValueError:
        found = 0.0
    if not 0 < found <= MOST:
        raise UnitError(f"`{text}` is no power at rest", "write watts, such as `98W`")
    return found


class ModelDocument(BaseModel):
    """One model."""

    model_config = STRICT

    model: Text
    watts: Annotated[float, from_text(_watts)]


class PowerDocument(BaseModel):
    """A file of power at rest."""

    model_config = STRICT

    date: Date
    source: Text
    models: tuple[ModelDocument, ...] = Field(min_length=1)


def read_gpu_power(path: Path) -> Mapping[str, float]:
    """
    Return watts at rest with a context held by GPU model.

    Raises:
        ConfigError: with every problem of the file.
    """
    document = read_document(path, PowerDocument, "bad-config")
    return {one.model: one.watts for one in document.models}


def gpu_power_text(watts: Mapping[str, float], day: date, source: str) -> str:
    """Return the file that holds `watts`."""
    lines = [f'  - {{model: "{model}", watts: {value:.1f}W}}' for model, value in sorted(watts.items())]
    return "\n".join([f"date: {day.isoformat()}", f'source: "{source}"', "models:", *lines]) + "\n"
