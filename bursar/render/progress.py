"""Progress of long work: a line that moves for a person, now and then a plain line for a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

from bursar.render.console import wants_color
from engine.ports import Progress

EVERY = 10.0
"""Seconds between the plain lines of a log."""


@contextmanager
def progress_for(stream: TextIO) -> Iterator[Progress]:
    """Yield a `Progress` that is shown on `stream`, the standard error in practice."""
    if stream.isatty():
        with _moving(stream) as progress:
            yield progress
    else:
        yield _plain(stream)


@contextmanager
def _moving(stream: TextIO) -> Iterator[Progress]:
    from rich.console import Console
    from rich.status import Status

    console = Console(file=stream, highlight=False, markup=False, no_color=not wants_color(stream))
    counts: dict[str, int] = {}
    with Status("reading …", console=console) as status:

        def progress(stage: str, more: int) -> None:
            counts[stage] = counts.get(stage, 0) + more
            if counts[stage] % 16 == 0 or more == 0:
                status.update(", ".join(f"{count:,} {name}" for name, count in counts.items()))

        yield progress


def _plain(stream: TextIO) -> Progress:
    counts: dict[str, int] = {}
    last = monotonic()

    def progress(stage: str, more: int) -> None:
        nonlocal last
        counts[stage] = counts.get(stage, 0) + more
        if monotonic() - last >= EVERY:
            last = monotonic()
            stream.write(", ".join(f"{count:,} {name}" for name, count in counts.items()) + "\n")
            stream.flush()

    return progress
