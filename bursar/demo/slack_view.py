"""A message in Slack, drawn in the terminal as Slack would show it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from bursar.render.console import console_on

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

WIDTH = 96
EMOJI = {
    "white_check_mark": "✅", "no_entry": "⛔", "heavy_check_mark": "✔", "x": "❌", "hourglass": "⏳", "warning": "⚠",
    "leftwards_arrow_with_hook": "↩",
}  # fmt: skip
TOKEN = re.compile(r"`([^`\n]+)`|\*([^*\n]+)\*|<@(\w+)>|<!subteam\^(\w+)>|<!date\^[^|]*\|([^>]*)>|:([a-z_]+):")
STYLES = {"primary": "bold white on green", "danger": "bold white on red"}


def draw_message(
    message: Mapping[str, Any], channel: str, names: Mapping[str, str], out: TextIO, *, color: bool
) -> None:
    """Write one message; `names` are what users and user groups are called, by id."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    parts: list[RenderableType] = []
    for block in message["blocks"]:
        parts += [*_drawn(block, names), Text()]
    edited = "  (edited)" if message.get("edited") else ""
    title = Text.assemble(("bursar", "bold"), (" APP ", "reverse"), f"  {channel}{edited}")
    panel = Panel(Group(*parts[:-1]), title=title, title_align="left", border_style="dim", width=WIDTH, padding=(1, 2))
    console_on(out, width=WIDTH, color=color).print(panel)


def _drawn(block: Mapping[str, Any], names: Mapping[str, str]) -> Sequence[RenderableType]:
    from rich.columns import Columns
    from rich.text import Text

    match block["type"]:
        case "header":
            return [Text(block["text"]["text"], style="bold")]
        case "section" if "fields" in block:
            texts = [_mrkdwn(field["text"], names) for field in block["fields"]]
            return [Columns(texts, width=42, padding=(0, 3))]
        case "section":
            return [_mrkdwn(block["text"]["text"], names)]
        case "context":
            return [_mrkdwn(element["text"], names, "dim") for element in block["elements"]]
        case "actions":
            return [Text("  ").join(_button(element) for element in block["elements"])]
        case _:
            return []


def _button(element: Mapping[str, Any]) -> Text:
    from rich.text import Text

    label = element.get("text") or element["placeholder"]
    arrow = " ▾" if element["type"] == "static_select" else ""
    return Text(f"[ {label['text']}{arrow} ]", style=STYLES.get(element.get("style", ""), "reverse"))


def _mrkdwn(text: str, names: Mapping[str, str], style: str = "") -> Text:
    from rich.text import Text

    drawn = Text(style=style)
    end = 0
    for found in TOKEN.finditer(text):
        drawn.append(html.unescape(text[end : found.start()]))
        code, bold, user, group, date, emoji = found.groups()
        if code or bold:
            drawn.append(html.unescape(code or bold), style="red" if code else "bold")
        elif user or group:
            drawn.append(f"@{names.get(user or group, user or group)}", style="blue")
        else:
            drawn.append(date or EMOJI.get(emoji, f":{emoji}:"))
        end = found.end()
    drawn.append(html.unescape(text[end:]))
    return drawn
