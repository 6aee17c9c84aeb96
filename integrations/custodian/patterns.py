"""
Python's regular expressions and shell patterns to RE2.

Python's classes such as `\\d` know all of Unicode and RE2's only ASCII, so that they are written out; what RE2
does not have, or means otherwise, is refused. On a text that ends in a line break, `$` is stricter than Python's.
"""

from __future__ import annotations

import re
import warnings

from engine.expr.patterns import compile_pattern
from integrations.custodian.model import Refused

CLASSES = {
    "d": r"\p{Nd}",
    "w": r"\p{L}\p{N}_",
    "s": r"\s\p{Z}\x{b}\x{1c}-\x{1f}\x{85}",
}
"""What is inside the brackets of Python's classes of characters."""
GROUP = re.compile(r"\?(?:P<[A-Za-z_]\w*>|(?:[ims]+)?:)", re.ASCII)
FLAGS = re.compile(r"\(\?([ims]+)\)", re.ASCII)
ESCAPES = frozenset("afnrtv")
"""Letters that mean the same behind a backslash."""
REPEAT = re.compile(r"\{,(\d+)\}", re.ASCII)
SHELL_CLASS = re.compile(r"\[!?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[_.:/@+=,])+\]", re.ASCII)


def matching(pattern: str, *, ignore_case: bool) -> str:
    """
    Return the RE2 pattern that, searched for anywhere, finds what Python's `re.match` of `pattern` does.

    Raises:
        Refused: where RE2 has no such pattern.
    """
    try:
        with warnings.catch_warnings():
            # Python warns of brackets that may mean more one day.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Refused(f"`{pattern}` is not a regular expression: {error}") from error
    flags = "i" if ignore_case else ""
    found = FLAGS.match(pattern)
    body = pattern
    if found:
        flags, body = "".join(sorted(set(flags + found[1]))), pattern[found.end() :]
    translated = _Translation(body).translated()
    prefix = f"(?{flags})" if flags else ""
    begin = r"\A" if "m" in flags else "^"
    if translated.startswith("^") and "m" not in flags and "|" not in translated:
        return checked(f"{prefix}{translated}", pattern)
    inner = f"(?:{translated})" if "|" in translated else translated
    return checked(f"{prefix}{begin}{inner}", pattern)


def checked(translated: str, original: str) -> str:
    """Return a pattern that RE2 accepts."""
    try:
        compile_pattern(translated)
    except (ValueError, UnicodeEncodeError) as error:
        raise Refused(f"`{original}` is not a pattern of RE2: {error}") from error
    return translated


class _Translation:
    """A walk over a valid Python pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.out: list[str] = []

    def translated(self) -> str:
        while self.position < len(self.text):
            self._next()
        return "".join(self.out)

    def _take(self, count: int = 1) -> str:
        taken = self.text[self.position : self.position + count]
        self.position += count
        return taken

    def _next(self) -> None:
        character = self.text[self.position]
        match character:
            case "\\":
                self.out.append(self._escape(inside=False))
            case "[":
                self._class()
            case "(":
                self._group()
            case "{" if found := REPEAT.match(self.text, self.position):
                self._take(len(found[0]))
                self.out.append(f"{{0,{found[1]}}}")
            case _:
                self.out.append(self._take())

    def _group(self) -> None:
        self.out.append(self._take())
        if self.text.startswith("?", self.position):
            found = GROUP.match(self.text, self.position)
            if not found:
                shown = self.text[self.position - 1 : self.position + 3]
                raise Refused(f"RE2 has no `{shown}…` as in `{self.text}`")
            self.out.append(self._take(len(found[0])))

    def _escape(self, *, inside: bool) -> str:
        self._take()
        letter = self._take()
        match letter:
            case "d" | "w" | "s":
                return CLASSES[letter] if inside or letter == "d" else f"[{CLASSES[letter]}]"
            case "D":
                return r"\P{Nd}"
            case "W" | "S" if not inside:
                return f"[^{CLASSES[letter.lower()]}]"
            case "A" if not inside:
                return r"\A"
            case "Z" if not inside:
                return r"\z"
            case "x":
                return f"\\x{{{self._take(2)}}}"
            case "u" | "U":
                return f"\\x{{{self._take(4 if letter == 'u' else 8)}}}"
            case _ if letter in ESCAPES or not letter.isalnum():
                return f"\\{letter}" if letter.isascii() else letter
            case _:
                raise Refused(f"RE2 means something else by `\\{letter}` in `{self.text}`, or has no such thing")

    def _class(self) -> None:
        self.out.append(self._take())
        if self.text.startswith("^", self.position):
            self.out.append(self._take())
        first = True
        while first or not self.text.startswith("]", self.position):
            if self.text.startswith("[", self.position):
                self._take()
                self.out.append(r"\[")
            elif self.text.startswith("\\", self.position):
                self.out.append(self._escape(inside=True))
            else:
                character = self._take()
                self.out.append(r"\]" if character == "]" else character)
            first = False
        self.out.append(self._take())


def shell(pattern: str) -> str:
    """
    Return the RE2 pattern for a shell pattern with `*`, `?` and `[…]`, which has to match the whole text.

    Raises:
        Refused: for brackets whose meaning is not plain.
    """
    out: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        found = SHELL_CLASS.match(pattern, position)
        if character == "[" and "]" in pattern[position + 2 :] and not found:
            raise Refused(f"the brackets of `{pattern}` are not plain letters, digits and ranges")
        if found:
            out.append(found[0].replace("[!", "[^"))
            position = found.end()
            continue
        out.append({"*": ".*", "?": "."}.get(character, re.escape(character) if character.isascii() else character))
        position += 1
    return checked(f"(?s)^{''.join(out)}$", pattern)
