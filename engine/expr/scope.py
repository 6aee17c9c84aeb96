"""What names an expression may use, and the problems found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.expr.problems import ExpressionProblem
from engine.expr.shapes import Shape
from engine.expr.syntax import Node
from engine.kinds import Kind

ROOTS = ("resource", "tags", "cost", "metrics", "now")


@dataclass
class Scope:
    """One expression being checked."""

    kinds: tuple[Kind, ...]
    problems: list[ExpressionProblem] = field(default_factory=list)
    variables: list[tuple[str, Shape]] = field(default_factory=list)
    """Of the enclosing quantifiers, outermost first."""

    def add(self, code: str, message: str, at: Node | tuple[int, int], hint: str = "") -> None:
        start, end = at if isinstance(at, tuple) else (at.start, at.end)
        self.problems.append(ExpressionProblem(start, end, code, message, hint))
