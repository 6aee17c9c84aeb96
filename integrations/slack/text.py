"""
Text that others chose, made inert for Slack: no mentions, links, formatting, hidden or reordering characters.

https://docs.slack.dev/messaging/formatting-message-text/
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that show nothing, or reorder what is shown."""
SPACES = re.compile(r"\s+")
CUT = "…"
Block = dict[str, Any]


def inert(text: str, limit: int) -> str:
    """Return `text` on one line, without what nobody sees, cut to `limit` characters with a marker."""
    bare = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in HIDDEN)
    return clipped(SPACES.sub(" ", bare).strip(), limit)


def clipped(text: str, limit: int) -> str:
    """Return `text` with at most `limit` characters, the last of them a marker where some are left out."""
    return text if len(text) <= limit else text[: limit - 1] + CUT


def escaped(text: str) -> str:
    """Return `text` with Slack's three control characters written out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str, limit: int = 120) -> str:
    """
    Return `text` in a code span of mrkdwn, where nothing is formatted, linked or turned into an emoji.

    `limit` is in characters before escaping.
    """
    bare = inert(text, limit).replace("`", "ˋ")
    return f"`{escaped(bare)}`" if bare else "`-`"


def said(text: str, limit: int = 300) -> str:
    """Return words of a policy's author or of Bursar for mrkdwn: escaped, with the marks of formatting defused."""
    return _MARK.sub(lambda mark: _LOOKALIKES[mark.group()], escaped(inert(text, limit)))


_MARK = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])")
"""What formats; an underscore does so at the edge of a word only."""
_LOOKALIKES = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"}


def plain(text: str, limit: int) -> Block:
    """Return a `plain_text` object: nothing in it is formatted, and nobody is mentioned."""
    return {"type": "plain_text", "text": inert(text, limit) or "-", "emoji": False}


def mrkdwn(text: str) -> Block:
    """Return a `mrkdwn` object of text that is made of the above; addresses in it do not become links."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
