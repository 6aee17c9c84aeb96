"""The ledger for people: a table of entries, one entry whole, what verifying found; and CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TextIO

from bursar.render.console import console_on
from bursar.render.csv_rows import defused
from bursar.render.text import clipped, counted, visible
from engine.state.audit import Verified
from engine.state.ledger import Entry, Head, digest_of

HEAD = ("Serial", "At", "Kind", "Subject", "Actor", "Run", "Body")
SHOWN_BREAKS = 50
WIDEST_KIND = 28
"""Columns; our own kinds are shorter."""
LABEL = 10
"""Columns of the labels of one entry."""


def render_entries(
    entries: Iterable[Entry], head: Head, store: str, format_: str, out: TextIO, *, width: int | None, color: bool
) -> None:
    """Write entries, in the order they come, in one of the formats `table`, `jsonl` and `csv`."""
    match format_:
        case "jsonl":
            out.writelines(json.dumps(encoded(entry), ensure_ascii=True) + "\n" for entry in entries)
        case "csv":
            rows = csv.writer(out, lineterminator="\r\n")
            rows.writerow(HEAD)
            for entry in entries:
                rows.writerow([defused(cell) for cell in _cells(entry)])
        case _:
            _table(list(entries), head, store, out, width=width, color=color)


def encoded(entry: Entry) -> dict[str, Any]:
    """Return the entry as plain values."""
    note = entry.note
    return {
        "serial": entry.serial,
        "at": note.at.astimezone(UTC).isoformat(),
        "kind": note.kind,
        "subject": note.subject,
        "run": note.run,
        "actor": note.actor,
        "body": note.body,
        "previous": entry.previous,
        "digest": entry.digest,
    }


def _cells(entry: Entry) -> tuple[str, ...]:
    note = entry.note
    body = json.dumps(note.body, ensure_ascii=False)
    return (str(entry.serial), _moment(note.at), note.kind, note.subject, note.actor, note.run, body)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _table(entries: list[Entry], head: Head, store: str, out: TextIO, *, width: int | None, color: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    console.print(Text(visible(f"{store}: {counted(head.serial, 'entry', 'entries')}, {len(entries):,} shown"), "bold"))
    if entries:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", width=console.width)
        table.add_column("serial", justify="right", no_wrap=True)
        table.add_column("at", no_wrap=True, style="dim")
        table.add_column("kind", no_wrap=True)
        table.add_column("subject", overflow="fold", ratio=3, min_width=12)
        table.add_column("actor", overflow="fold", max_width=24)
        table.add_column("body", no_wrap=True, overflow="ellipsis", ratio=4, min_width=24, style="dim")
        for entry in entries:
            note = entry.note
            brief = clipped(visible(_brief(note.body)), console.width)
            kind = Text(clipped(visible(note.kind), WIDEST_KIND), style="bold red" if digest_broken(entry) else "")
            cells = (visible(note.subject), visible(note.actor), brief)
            table.add_row(f"{entry.serial:,}", _moment(note.at), kind, *map(Text, cells))
        console.print(table)
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _brief(body: Any) -> str:
    """Return a body on one line, as `policy stop-idle-gpus, to open`."""
    return ", ".join(f"{key} {_value(value)}" for key, value in body.items())


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def digest_broken(entry: Entry) -> bool:
    """Return whether the entry is not the one that its digest was made of."""
    return digest_of(entry.serial, entry.note, entry.previous) != entry.digest


def render_entry(entry: Entry, head: Head, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001  (long values are not broken: they are to be copied)
    """Write one entry whole."""
    paint = _painter(color=color)
    note = entry.note
    broken = digest_broken(entry)
    holds = paint("1;31", "it does not hold: the entry was changed") if broken else paint("32", "holds")
    out.write(paint("1", f"entry {entry.serial:,} of {head.serial:,}") + "\n")
    rows = [
        ("at", note.at.astimezone(UTC).isoformat()),
        ("kind", note.kind),
        ("subject", note.subject),
        ("actor", note.actor),
        ("run", note.run or "none: a person did it"),
    ]
    out.writelines(f"  {paint('2', label.ljust(LABEL))}{visible(value)}\n" for label, value in rows)
    for number, line in enumerate(json.dumps(note.body, indent=2, ensure_ascii=False).split("\n")):
        label = "body" if number == 0 else ""
        out.write(f"  {paint('2', label.ljust(LABEL))}{visible(line)}\n")
    out.write(f"  {paint('2', 'follows'.ljust(LABEL))}{visible(entry.previous)}\n")
    out.write(f"  {paint('2', 'digest'.ljust(LABEL))}{visible(entry.digest)}  {holds}\n")


def render_verified(
    found: Verified,
    store: str,
    anchor: str,
    out: TextIO,
    *,
    width: int | None,  # noqa: ARG001  (digests are not broken: they are to be copied)
    color: bool,
) -> None:
    """Write whether the ledger holds, and every place where it does not."""
    paint = _painter(color=color)
    whole = f"{counted(found.head.serial, 'entry', 'entries')} of {store}"
    if found.breaks:
        out.write(paint("1;31", visible(f"BROKEN  {counted(len(found.breaks), 'break')} in {whole}")) + "\n")
        for one in found.breaks[:SHOWN_BREAKS]:
            place = f"entry {one.serial:,}" if one.serial else "ledger"
            out.write(f"  {place:<14}{visible(one.what)}\n")
        if len(found.breaks) > SHOWN_BREAKS:
            out.write(f"  and {len(found.breaks) - SHOWN_BREAKS:,} more\n")
    else:
        out.write(
            paint("1;32", "whole") + visible(f"  {whole}: each follows the one before, none was changed\n"[:-1]) + "\n"
        )
    out.write(f"  {paint('2', 'lineage'.ljust(LABEL))}{visible(found.head.lineage)}\n")
    out.write(f"  {paint('2', 'ends with'.ljust(LABEL))}{visible(found.head.digest)}\n")
    out.write(f"  {paint('2', 'anchor'.ljust(LABEL))}{visible(_anchored(found, anchor))}\n")


def _painter(*, color: bool) -> Callable[[str, str], str]:
    """Return a function that puts text, harmless already, into a colour by its code; it leaves it without `color`."""
    return lambda code, text: f"\x1b[{code}m{text}\x1b[0m" if color else text


def _anchored(found: Verified, anchor: str) -> str:
    if not anchor:
        return "none: that the end was not cut off cannot be told; see `anchor:` in bursar.yaml"
    if found.anchor is None:
        return f"{anchor}, which holds nothing yet"
    return f"{anchor}, up to entry {found.anchor.serial:,}"
