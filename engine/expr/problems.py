"""What is wrong with an expression, by character offsets into its text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ExpressionProblem:
    """One mistake in one expression; the loader turns the offsets into a place in the file."""

    start: int
    end: int
    code: str
    """One of `engine.codes.CODES`."""
    message: str
    hint: str = ""


class ExpressionError(Exception):
    """A text that is not an expression."""

    def __init__(self, *problems: ExpressionProblem) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("; ".join(p.message for p in self.problems))


def fail(code: str, message: str, start: int, end: int, hint: str = "") -> ExpressionError:
    """Return the error of a single mistake."""
    return ExpressionError(ExpressionProblem(start, end, code, message, hint))
