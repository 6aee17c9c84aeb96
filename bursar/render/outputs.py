"""A plan to the outputs that were asked for: at most one to standard output, each file written whole."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO, TypeVar

from bursar.render.console import screen_width, wants_color
from bursar.render.formats import formats
from engine.errors import ConfigError
from engine.plan import Plan

FORMATS: Mapping[str, str] = {
    "table": "for people",
    "json": "the whole plan, one document",
    "jsonl": "one finding, step or gap a line",
    "csv": "one finding a row, FOCUS column names",
    "markdown": "for pull requests",
}
Subject = TypeVar("Subject")
Subject_contra = TypeVar("Subject_contra", contravariant=True)


class Render(Protocol[Subject_contra]):
    """Writes something in one format. `width` is None where the output is no terminal."""

    def __call__(self, subject: Subject_contra, out: TextIO, /, *, width: int | None, color: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Output:
    """One rendering of a plan."""

    format: str
    file: Path | None
    """None is standard output."""


def write_outputs(plan: Plan, outputs: Sequence[Output], *, table: bool = True) -> None:
    """Render `plan` as each of `outputs`, as a `table` where nothing goes to standard output otherwise."""
    write_chosen(plan, outputs, formats(), table=table)


def write_chosen(
    subject: Subject, outputs: Sequence[Output], known: Mapping[str, Render[Subject]], *, table: bool = True
) -> None:
    """Render `subject` as each of `outputs` by the renderers that are `known`, one of them for people."""
    chosen = list(outputs)
    to_screen = [output for output in chosen if output.file is None]
    if len(to_screen) > 1:
        names = " and ".join(f"`{output.format}`" for output in to_screen)
        hint = "write all but one to files, as in -f json=plan.json"
        raise ConfigError.of("usage", f"{names} cannot both go to the standard output", where="--format", hint=hint)
    if table and not to_screen and all(output.format == "json" for output in chosen):
        chosen.append(Output("table", None))
    for output in chosen:
        if output.file is None:
            known[output.format](subject, sys.stdout, width=screen_width(sys.stdout), color=wants_color(sys.stdout))
        else:
            text = io.StringIO()
            known[output.format](subject, text, width=None, color=False)
            write_file(output.file, text.getvalue())


def write_text(file: Path | None, write: Callable[..., None]) -> None:
    """Have `write` write to `file`, whole or not at all, or to the standard output."""
    if file is None:
        write(sys.stdout, width=screen_width(sys.stdout), color=wants_color(sys.stdout))
        return
    text = io.StringIO()
    write(text, width=None, color=False)
    write_file(file, text.getvalue())


def write_file(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with written_whole(path) as out:
        out.write(text)


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """Yield a file that gets the name `path` once the block ends well, and otherwise leaves nothing behind."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="") as out:
            yield out
        partial.replace(path)
    except OSError as error:
        raise ConfigError.of(
            "file-unreadable", f"the file cannot be written: {error.strerror}", where=str(path)
        ) from error
    finally:
        with suppress(OSError):  # a file system that takes nothing holds no partial file either
            partial.unlink(missing_ok=True)
