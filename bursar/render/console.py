"""A rich console that prints data as data: no markup, no guessing of what looks like a number or an emoji."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

UNKNOWN_WIDTH = 120
"""Columns where the output is no terminal."""
NARROWEST = 60


def console_on(out: TextIO, *, width: int | None, color: bool) -> Console:
    """Return a console that writes to `out`."""
    from rich.console import Console

    return Console(
        file=out,
        width=max(width or UNKNOWN_WIDTH, NARROWEST),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        legacy_windows=False,
    )


def screen_width(stream: TextIO) -> int | None:
    """Return the width of the terminal; None where the stream is not one."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wants_color(stream: TextIO) -> bool:
    """Return whether to use colour, by https://no-color.org and the terminal itself."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
