"""Where a character of a YAML scalar's value stands in its raw text, however it is written (YAML 1.2, 7.3 and 8.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

FOLD = r"[ \t]*(?P<fold>(?:\r?\n[ \t]*)+)"
PIECES = {
    '"': re.compile(
        rf"(?P<joined>\\\r?\n[ \t]*)|\\(?:x[0-9A-Fa-f]{{2}}|u[0-9A-Fa-f]{{4}}|U[0-9A-Fa-f]{{8}}|.)|{FOLD}|."
    ),
    "'": re.compile(rf"(?P<joined>(?!))|''|{FOLD}|."),
    "": re.compile(rf"(?P<joined>(?!))|{FOLD}|."),
}
"""What stands for one character in a flow scalar, by its quotes; `joined` stands for none, `fold` for line ends."""


def position_in(raw: str, text: str, offset: int) -> int:
    """Return the index in `raw`, a scalar as written, of the character at `offset` of its value `text`."""
    positions = _block(raw, text) if raw[:1] in ("|", ">") else _flow(raw)
    return min(next(islice(positions, offset, None), len(raw)), max(len(raw) - 1, 0))


def _flow(raw: str) -> Iterator[int]:
    """Yield the index of each character of the value, then of the end."""
    quote = raw[:1] if raw[:1] in ("'", '"') else ""
    end = len(raw) - len(quote)
    for piece in PIECES[quote].finditer(raw, len(quote), end):
        if piece["joined"]:
            continue
        if piece["fold"]:
            # One line end is folded to a space, and each empty line to a line end.
            yield from [piece.start()] * max(piece["fold"].count("\n") - 1, 1)
        else:
            # The second of a doubled quote or a short escape is the character itself.
            yield piece.start() + (len(piece[0]) == 2)
    yield end


def _block(raw: str, text: str) -> Iterator[int]:
    """Yield the index of each character of the value: indentation and folded line ends lie between them."""
    position = raw.find("\n") + 1
    for character in text:
        if not character.isspace():
            position = _next_mark(raw, position)
        yield position
        position = _after_space(raw, position) if character.isspace() else position + 1
    yield position


def _after_space(raw: str, position: int) -> int:
    """Return the position after the raw text of one space: folding turns a line end and its indentation into one."""
    while position < len(raw) and raw[position].isspace():
        if raw[position] != "\n" and position + 1 < len(raw) and not raw[position + 1].isspace():
            return position + 1
        position += 1
    return position


def _next_mark(raw: str, position: int) -> int:
    while position < len(raw) and raw[position].isspace():
        position += 1
    return position
