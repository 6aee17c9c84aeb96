"""
Text that others chose, made harmless for a terminal: names, tags and messages of a cloud.

Control characters, escapes and marks that reorder text are shown as what they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that print nothing, or something else than they are."""
JOINERS = frozenset("\u200d\ufe0f")
"""Parts of emoji and of some scripts; harmless there, and shown where they follow ASCII, which they never join."""
BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0))))
)
"""Letters, marks and symbols by category that nobody sees: fillers and variation selectors."""


def visible(text: str) -> str:
    r"""Return `text` on one line with every hidden character written as `\x1b`, `\u202e` and so on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c, before) for before, c in zip("a" + text, text, strict=False))


def _shown(character: str, before: str) -> str:
    if character in JOINERS:
        hidden = before.isascii()
    else:
        hidden = character in BLANK or unicodedata.category(character) in HIDDEN
    return character.encode("unicode_escape").decode("ascii") if hidden else character


def cells(text: str) -> int:
    """Return how many columns of a terminal `text`, already visible, takes."""
    return sum(
        0 if unicodedata.combining(c) or c in JOINERS else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def clipped(text: str, width: int) -> str:
    """Return `text` with at most `width` characters."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def with_parameters(what: str, parameters: Mapping[str, str]) -> str:
    """Return `tag the resource (owner: unowned, review: 2026-12)`, visible."""
    if not parameters:
        return visible(what)
    return visible(f"{what} ({', '.join(f'{key}: {value}' for key, value in parameters.items())})")


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 finding`, `1,204 findings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
