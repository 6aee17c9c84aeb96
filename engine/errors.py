"""
What can go wrong with what people wrote, as values: a code, a message, a place and a hint.

Every loader collects all problems of all files and raises them together as one `BursarError`; the
front doors render them. Messages start in lower case, have no final period and put the user's own
words in backticks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from json import JSONDecodeError
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a text. Lines and columns count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0
    text: str = ""
    """The offending line as written, without its newline; empty where there is none to show."""

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, complete without its context."""

    code: str
    """Stable, in kebab case, one of `engine.codes.CODES`."""
    message: str
    place: Place
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}  {self.message} [{self.code}]{hint}"


class BursarError(Exception):
    """Any refusal that has an explanation. Subclasses differ only in the exit status they lead to."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.place, p.code, p.message)))
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def of(cls, code: str, message: str, *, where: str = "", hint: str = "") -> Self:
        """Return an error with a single problem about the file or thing named `where`."""
        return cls([Problem(code, message, Place(where), hint)])


class PolicyError(BursarError):
    """Policy text that cannot be used."""


class ConfigError(BursarError):
    """Configuration or usage that cannot be used."""


class CollectError(BursarError):
    """Nothing at all could be read from a source."""

    exit_code = 3


def unreadable(error: Exception) -> str:
    """Return in a few words why a file could not be read, or read as what it should be."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case OSError():
            return error.strerror or str(error)
        case UnicodeDecodeError():
            return f"it is not UTF-8 text (byte {error.start:,})"
        case JSONDecodeError():
            return f"it is not JSON (line {error.lineno}, column {error.colno})"
        case _:
            return str(error)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean `x`?`` for the nearest of `known`, or an empty string when none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""
