"""The formats by name. A renderer is loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Protocol, TextIO

from engine.plan import Plan


class Renderer(Protocol):
    """Writes a plan. `width` is None where the output is no terminal."""

    def __call__(self, plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None: ...


MODULES: Mapping[str, str] = {
    "table": "table",
    "json": "json_text",
    "jsonl": "json_lines",
    "csv": "csv_rows",
    "markdown": "markdown",
}


def formats() -> Mapping[str, Renderer]:
    """Return every format's renderer."""
    return {name: _lazily(module) for name, module in MODULES.items()}


def _lazily(module: str) -> Renderer:
    def render(plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None:
        found: Callable[..., None] = import_module(f"bursar.render.{module}").render
        found(plan, out, width=width, color=color)

    return render
