"""Expression text to tokens with their offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from engine.expr.problems import ExpressionError, fail


class Kind(StrEnum):
    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    """As written; of a text literal, its value."""
    start: int
    end: int


_SPACE = re.compile(r"[ \t\r\n]+")
NUMBER = re.compile(r"(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.ASCII)
_UNIT = re.compile(r"%|(?:[A-Za-z]+(?:\d+[A-Za-z]+)*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYMBOLS = (
    "||",
    "&&",
    "==",
    "!=",
    "<=",
    ">=",
    "<",
    ">",
    "!",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    "[",
    "]",
    ".",
    ",",
)
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip
_HINTS = {
    "=": "compare with `==`",
    "&": "write `and` or `&&`",
    "|": "write `or` or `||`",
    "?": "there is no conditional operator; write it with `and` and `or`",
    "$": "amounts are plain numbers in USD",
    "“": "use straight quotes",
    "”": "use straight quotes",
    "‘": "use straight quotes",
    "’": "use straight quotes",
}


def tokenize(text: str) -> Iterator[Token]:
    """Yield the tokens of `text`, an END last; raise `ExpressionError` at what is none."""
    position = 0
    while position < len(text):
        space = _SPACE.match(text, position)
        if space:
            position = space.end()
            continue
        token = _next(text, position)
        yield token
        position = token.end
    yield Token(Kind.END, "", len(text), len(text))


def _next(text: str, start: int) -> Token:
    char = text[start]
    if char in "\"'" or (char in "rR" and text[start + 1 : start + 2] in ("'", '"')):
        return _text(text, start)
    number = NUMBER.match(text, start)
    if number:
        unit = _UNIT.match(text, number.end())
        end = unit.end() if unit else number.end()
        return Token(Kind.NUMBER, text[start:end], start, end)
    name = _NAME.match(text, start)
    if name:
        return Token(Kind.NAME, name.group(), start, name.end())
    for symbol in _SYMBOLS:
        if text.startswith(symbol, start):
            return Token(Kind.SYMBOL, symbol, start, start + len(symbol))
    raise fail("expression-syntax", f"unexpected `{char}`", start, start + 1, _HINTS.get(char, ""))


def _text(text: str, start: int) -> Token:
    raw = text[start] in "rR"
    opening = start + raw
    quote = text[opening]
    value: list[str] = []
    position = opening + 1
    while position < len(text):
        char = text[position]
        if char == quote:
            return Token(Kind.TEXT, "".join(value), start, position + 1)
        if char in "\r\n":
            break
        if char == "\\" and not raw:
            piece, position = _escape(text, position)
            value.append(piece)
        else:
            value.append(char)
            position += 1
    raise fail("expression-syntax", f"the quote opened with `{quote}` is never closed", start, len(text))


def _escape(text: str, start: int) -> tuple[str, int]:
    char = text[start + 1 : start + 2]
    if char in _ESCAPES and char:
        return _ESCAPES[char], start + 2
    digits = {"x": 2, "X": 2, "u": 4, "U": 8}.get(char, 0)
    code = text[start + 2 : start + 2 + digits]
    if digits and len(code) == digits and all(c in "0123456789abcdefABCDEF" for c in code):
        point = int(code, 16)
        if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF:
            return chr(point), start + 2 + digits
    raise _bad_escape(text, start)


def _bad_escape(text: str, start: int) -> ExpressionError:
    return fail(
        "expression-syntax",
        f"unknown escape `{text[start : start + 2]}`",
        start,
        min(start + 2, len(text)),
        "double the backslash, or write a raw text such as r'\\d+'",
    )
