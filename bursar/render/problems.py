"""Mistakes in what people wrote, like a good compiler shows them: place, message, the line, a caret, a way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from bursar.render.text import clipped, counted, visible
from engine.errors import Place, Problem

WIDEST = 100
"""Columns of an offending line that are shown."""
RED, BOLD, CYAN, RESET = "\x1b[31m", "\x1b[1m", "\x1b[36m", "\x1b[0m"


def render_problems(problems: Sequence[Problem], out: TextIO, *, color: bool) -> None:
    """Write every problem, and how many there are."""

    def paint(code: str, text: str) -> str:
        return f"{code}{text}{RESET}" if color else text

    for problem in problems:
        place = visible(str(problem.place))
        head = f"{paint(BOLD, place)}  " if place else ""
        out.write(f"{head}{paint(RED, visible(problem.message))} [{problem.code}]\n")
        out.write(_excerpt(problem.place))
        if problem.hint:
            out.write(f"    {paint(CYAN, 'hint:')} {visible(problem.hint)}\n")
    if len(problems) > 1:
        files = len({problem.place.file for problem in problems})
        out.write(f"\n{counted(len(problems), 'problem')} in {counted(files, 'file')}\n")


def _excerpt(place: Place) -> str:
    """Return the offending line with a caret below the column; nothing where there is none to show."""
    if not place.text.strip():
        return ""
    column = max(place.column - 1, 0)
    before, rest = place.text[:column], place.text[column:]
    lead = visible(before.expandtabs(4))
    line = lead + visible(rest.expandtabs(4))
    start = max(len(lead) - WIDEST // 2, 0)
    shown = ("…" if start else "") + clipped(line[start:].rstrip(), WIDEST)
    caret = " " * (len(lead) - start + (1 if start else 0))
    return f"    {shown}\n    {caret}^\n"
