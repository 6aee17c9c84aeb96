"""Mistakes in what people wrote, like a good compiler shows them: place, message, the line, a caret, a way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from bursar.render.text import cells, clipped, counted, visible
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
        files = {problem.place.file for problem in problems if problem.place.line}
        where = f" in {counted(len(files), 'file')}" if files else ""
        out.write(f"\n{counted(len(problems), 'problem')}{where}\n")


def _excerpt(place: Place) -> str:
    """Return the offending line with a caret below the column; nothing where there is none to show."""
    if not place.text.strip():
        return ""
    before = place.text[: max(place.column - 1, 0)].expandtabs(4)
    lead = visible(before)
    line = lead + visible(place.text.expandtabs(4)[len(before) :])
    start = max(len(lead) - WIDEST // 2, 0)
    shown = ("…" if start else "") + clipped(line[start:].rstrip(), WIDEST)
    caret = " " * (cells(lead[start:]) + (1 if start else 0))
    return f"    {shown}\n    {caret}^\n"
