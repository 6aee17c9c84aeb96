"""The formats of `bursar test` by name. A renderer is loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from bursar.render.outputs import Render
    from bursar.testing import Tested

MODULES: Mapping[str, tuple[str, str]] = {
    "table": ("tests_table", "render_table"),
    "json": ("tests_machine", "render_json"),
    "junit": ("tests_machine", "render_junit"),
    "github": ("tests_machine", "render_github"),
}


def formats_of() -> Mapping[str, Render[Tested]]:
    """Return every format's renderer."""
    return {name: _lazily(module, function) for name, (module, function) in MODULES.items()}


def _lazily(module: str, function: str) -> Render[Tested]:
    def render(tested: Tested, out: TextIO, *, width: int | None, color: bool) -> None:
        found: Callable[..., None] = getattr(import_module(f"bursar.render.{module}"), function)
        found(tested, out, width=width, color=color)

    return render
