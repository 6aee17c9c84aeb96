"""
Text that others chose, made harmless for a terminal: names, tags and messages of a cloud.

Control characters, escapes and marks that reorder text are shown as what they are.
"""

from __future__ import annotations

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that print nothing, or something else than they are."""
JOINERS = frozenset("\u200d\ufe0f")
"""Parts of emoji; harmless."""


def visible(text: str) -> str:
    r"""Return `text` on one line with every hidden character written as `\x1b`, `\u202e` and so on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in HIDDEN or character in JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def clipped(text: str, width: int) -> str:
    """Return `text` with at most `width` characters."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 finding`, `1,204 findings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
