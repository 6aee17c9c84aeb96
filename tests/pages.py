"""A page as what is typed and written by who follows it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "how-to"


@dataclass(frozen=True)
class Block:
    """A fenced part of a page."""

    language: str
    text: str
    before: str
    """The line of prose before it."""
    prose: str = ""
    """All that stands between the block before and this one."""
    heading: str = ""
    """Under what it stands."""

    @property
    def file(self):
        """The file that the line before names, if any."""
        named = re.findall(r"`([\w./-]+\.(?:ya?ml|json|py|tf))`", self.before)
        return named[-1] if named and self.language != "console" else ""


def blocks(page):
    """Yield the fenced parts of a page; its path starts from the how-to pages."""
    text = (PAGES / page).read_text(encoding="utf-8")
    for found in re.finditer(r"([^\n]*)\n(?:[^\n`]*\n)?\n```(\w+)\n(.*?)```", text, re.DOTALL):
        above = text[: found.start(2) - len("```")]
        heading = re.findall(r"^## (.*)", above, re.MULTILINE)[-1:]
        yield Block(found[2], found[3], found[1], above.rpartition("```\n")[2], "".join(heading))


def commands(block):
    """Yield each command of a console, with the lines it shows."""
    for part in re.split(r"^\$ ", block.text.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown.splitlines()


def lines(block):
    """Yield the words of each line of a shell, without its remark."""
    for line in block.text.replace("\\\n", "").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def same(shown, printed):
    """Assert that the printed lines are those shown; `…` stands for any number of them."""
    rest, anywhere = printed, False
    for line in shown:
        if line.strip() == "…":
            anywhere = True
            continue
        where = rest.index(line) if anywhere and line in rest else 0
        assert rest, f"nothing is printed where the page shows {line!r}"
        assert rest[where] == line
        rest, anywhere = rest[where + 1 :], False
