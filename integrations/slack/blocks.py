"""
The blocks of messages, kept within Slack's limits.

Documented limits are those of the SDK's models; that a whole message has to stay near 13,000 bytes is seen, not
documented: beyond it Slack answers `msg_blocks_too_long`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from integrations.slack.text import Block, clipped, mrkdwn, plain

SECTION = 3000
"""Characters of a section's text."""
HEADER = 150
FIELD = 2000
FIELDS = 10
BLOCKS = 50
"""Blocks of a message."""
MESSAGE = 12_000
"""Bytes of all blocks as JSON in UTF-8."""
MORE = "… and {} more, too long to be shown here"
FALLBACK = 3000
"""Characters of the text that notifications and screen readers get."""


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(clipped(text, SECTION))}


def paragraph(lines: Iterable[str], size: int = SECTION) -> Block:
    """
    Return a section of as many of `lines` as fit into `size` bytes, with a count of those that do not.

    No line is cut: a code span without its end would let what is in it format, or look like ours.
    """
    given = list(lines)
    kept: list[str] = []
    room = min(size, SECTION) - len(MORE) - 4
    for line in given:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    if len(kept) < len(given):
        kept.append(MORE.format(len(given) - len(kept)))
    return section("\n".join(kept))


def fields(texts: Iterable[str]) -> Block:
    return {"type": "section", "fields": [mrkdwn(clipped(text, FIELD)) for text in texts][:FIELDS]}


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(clipped(text, SECTION))]}


def button(action: str, label: str, value: str, style: str = "", confirm: Block | None = None) -> Block:
    found: Block = {"type": "button", "action_id": action, "text": plain(label, 75), "value": value}
    if style:
        found["style"] = style
    if confirm is not None:
        found["confirm"] = confirm
    return found


def confirmation(title: str, text: str, yes: str, no: str) -> Block:
    return {
        "title": plain(title, 100), "text": plain(text, 300), "confirm": plain(yes, 30), "deny": plain(no, 30),
        "style": "danger",
    }  # fmt: skip


def choice(action: str, label: str, options: Sequence[tuple[str, str]]) -> Block:
    """Return a menu of `options`: what is shown, and the value."""
    return {
        "type": "static_select",
        "action_id": action,
        "placeholder": plain(label, 150),
        "options": [{"text": plain(shown, 75), "value": value} for shown, value in options],
    }


def actions(elements: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(elements)}


def question(block: str, action: str, label: str, hint: str) -> Block:
    """Return a field of a modal that has to be filled in."""
    return {
        "type": "input",
        "block_id": block,
        "label": plain(label, 75),
        "hint": plain(hint, 150),
        "element": {"type": "plain_text_input", "action_id": action, "multiline": True, "max_length": 500},
    }


def modal(callback: str, title: str, blocks: Sequence[Block], metadata: str = "", submit: str = "") -> Block:
    found: Block = {
        "type": "modal", "callback_id": callback, "title": plain(title, 24), "blocks": list(blocks),
        "close": plain("Close", 24), "private_metadata": metadata,
    }  # fmt: skip
    if submit:
        found["submit"] = plain(submit, 24)
    return found


def size(blocks: Sequence[Block]) -> int:
    """Return the bytes of `blocks` as they are sent."""
    return len(json.dumps(list(blocks), ensure_ascii=False).encode())


def fits(blocks: Sequence[Block]) -> bool:
    return len(blocks) <= BLOCKS and size(blocks) <= MESSAGE


def packed(lines: Iterable[str]) -> list[list[Block]]:
    """Return `lines` as the sections of as few messages as hold them, in order; no line is split."""
    messages: list[list[Block]] = []
    current: list[Block] = []
    text = ""
    for line in (clipped(line, SECTION) for line in lines):
        longer = f"{text}\n{line}" if text else line
        if len(longer) > SECTION:
            current.append(section(text))
            text = line
        else:
            text = longer
        if not fits([*current, section(text)]):
            kept = text.removesuffix(line).removesuffix("\n")
            messages.append([*current, section(kept)] if kept else current)
            current, text = [], line
    if text:
        current.append(section(text))
    return [message for message in (*messages, current) if message]
