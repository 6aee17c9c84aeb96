"""What a policy may ask of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from bursar.render.console import console_on
from engine.kinds import COMMON_FIELDS, Field, Kind


def render_kinds(kinds: Sequence[Kind], out: TextIO, *, brief: bool, width: int | None, color: bool) -> None:
    """Write each kind with its fields and metrics; only names where `brief`."""
    from rich.table import Table
    from rich.text import Text

    console = console_on(out, width=width, color=color)
    for kind in kinds:
        classes = ", ".join(kind.classes)
        console.print(Text.assemble((kind.name, "bold"), f"  {kind.title}  ", (f"class {classes}", "dim")))
        if brief:
            continue
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 2), width=console.width)
        table.add_column(no_wrap=True, width=34)
        table.add_column(no_wrap=True, width=24, style="dim")
        table.add_column(ratio=1)
        for field in (*COMMON_FIELDS, *kind.fields):
            table.add_row(Text(f"resource.{field.name}"), Text(_type(field)), Text(_meaning(field)))
        for metric in kind.metrics:
            table.add_row(Text(f"metrics.{metric.name}"), Text(f"{metric.unit}, {metric.interval} s"), Text(metric.doc))
        console.print(table)


def _type(field: Field) -> str:
    return f"{field.type.value}{f', {field.unit}' if field.unit else ''}{', optional' if field.optional else ''}"


def _meaning(field: Field) -> str:
    return field.doc + (f" One of {', '.join(field.values)}." if field.values else "")
