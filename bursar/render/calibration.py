"""Power at rest for people: what was learned, beside what is shipped."""

from __future__ import annotations

from typing import TextIO

from bursar.calibrating import Calibration
from bursar.render.console import console_on, screen_width, wants_color
from bursar.render.text import visible
from engine.backtest.calibration import FEWEST_DEVICES


def render(done: Calibration, out: TextIO) -> None:
    """Write one line a model."""
    if not done.models:
        out.write("No GPU was seen at rest with its power, use and memory recorded: nothing was learned.\n")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    table.add_column("GPU")
    for title in ("seen at rest", "bare", "held", "upper bound", "shipped"):
        table.add_column(title, justify="right")
    table.add_column("")
    for one in done.models:
        table.add_row(
            Text(visible(one.model)),
            f"{one.devices:,} GPUs",
            _watts(one.bare),
            _watts(one.held),
            _watts(one.watts),
            _watts(done.shipped.get(one.model)),
            "" if one.watts is not None else f"fewer than {FEWEST_DEVICES} seen while held: the shipped figure stays",
        )
    console_on(out, width=screen_width(out), color=wants_color(out)).print(table)


def _watts(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} W"
