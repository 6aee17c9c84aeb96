"""Progress of long work: a line that moves for a person, now and then a plain line for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

from bursar.render.console import wants_color
from bursar.render.text import visible
from engine.ports import Progress

EVERY = 10.0
"""Seconds between the plain lines of a log."""
BLINK = 0.1
"""Seconds between the changes that a person sees."""


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
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, no_color=not wants_color(stream))
    with Status(Text("reading …"), console=console) as status:
        yield tallied(lambda text: status.update(Text(text)), BLINK, monotonic)


def _plain(stream: TextIO) -> Progress:
    def show(text: str) -> None:
        stream.write(text + "\n")
        stream.flush()

    return tallied(show, EVERY, monotonic)


def tallied(show: Callable[[str], None], every: float, clock: Callable[[], float]) -> Progress:
    """Return a `Progress` that counts and calls `show` with the counts, at most once in `every` seconds."""
    counts: dict[str, int] = {}
    last = clock()

    def progress(stage: str, more: int) -> None:
        nonlocal last
        counts[stage] = counts.get(stage, 0) + more
        if clock() - last >= every:
            last = clock()
            show(visible(", ".join(f"{count:,} {name}" for name, count in counts.items())))

    return progress
