"""What a doctor found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from typing import TextIO

from bursar.doctor.check import Check, State, exit_status_of
from bursar.render.console import console_on, screen_width, wants_color
from bursar.render.text import counted, visible

MARKS = {State.WELL: "✓", State.NOTE: "!", State.SKIPPED: "-", State.UNREAD: "✗", State.WRONG: "✗"}
COLORS = {State.WELL: "green", State.NOTE: "yellow", State.SKIPPED: "dim", State.UNREAD: "red", State.WRONG: "red"}


def show_checks(checks: Sequence[Check], format_: str, out: TextIO) -> None:
    """Write the checks to `out` as `table` or `json`."""
    if format_ == "json":
        json.dump(_document(checks), out, indent=2)
        out.write("\n")
    else:
        render_checks(checks, out, width=screen_width(out), color=wants_color(out))


def _document(checks: Sequence[Check]) -> dict[str, object]:
    return {
        "bursar.doctor": 1,
        "status": exit_status_of(checks),
        "checks": [
            {"part": c.part, "what": c.what, "state": c.state.value, "says": c.says, "mend": c.mend} for c in checks
        ],
    }


def render_checks(checks: Sequence[Check], out: TextIO, *, width: int | None, color: bool) -> None:
    """Write a table: one line for what is well, and below it what to do where it is not."""
    from rich.table import Table
    from rich.text import Text

    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(max_width=34)
    table.add_column(overflow="fold")
    part = ""
    for check in checks:
        if part and check.part != part:
            table.add_row()
        about = Text(visible(check.says))
        if check.mend:
            about.append(
                f"\n→ {visible(check.mend)}", style="bold" if check.state in (State.UNREAD, State.WRONG) else "dim"
            )
        mark = Text(MARKS[check.state], style=COLORS[check.state])
        table.add_row(mark, Text(check.part if check.part != part else "", style="bold"), visible(check.what), about)
        part = check.part
    console.print(table)
    console.print()
    console.print(Text(closing(checks), style="bold"))
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def closing(checks: Sequence[Check]) -> str:
    """Return the last line: how much of it is to be mended."""
    wrong = sum(check.state is State.WRONG for check in checks)
    unread = sum(check.state is State.UNREAD for check in checks)
    notes = sum(check.state in (State.NOTE, State.SKIPPED) for check in checks)
    more = f" {counted(notes, 'thing')} to know." if notes else ""
    if not (wrong or unread):
        return f"All well.{more}"
    parts = [f"{wrong} wrong in the configuration"] if wrong else []
    parts += [f"{unread} that cannot be read or done"] if unread else []
    return f"To mend: {', '.join(parts)}.{more}"
