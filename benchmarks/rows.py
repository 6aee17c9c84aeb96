"""What was measured: one row for each kind of work, with both programs' figures, their ratio and the aim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    work: str
    custodian: str
    """With its unit; empty where Custodian was not asked."""
    bursar: str
    ratio: str
    aim: str
    """Empty where none was set."""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else "met" if self.met else "missed"

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.work, self.custodian, self.bursar, self.ratio, self.aim, self.verdict)


HEADERS = ("work", "Custodian", "Bursar", "ratio", "aim", "")


def at_most(work: str, theirs: float, ours: float, show: str, share: int, more: str = "") -> Row:
    """Return the row of something of which less is better: at most one `share`th of Custodian's is the aim."""
    aim = f"at most 1/{share}"
    times = theirs / ours
    return Row(work, show.format(theirs), show.format(ours) + more, f"1/{times:.1f}", aim, times >= share)


def markdown(rows: Iterable[Row]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [_line(HEADERS), _line(["---", "---:", "---:", "---:", "---", "---"])]
    return [*lines, *(_line(row.cells) for row in rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def show(rows: Iterable[Row]) -> None:
    """Print the table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header, justify in zip(HEADERS, ("left", "right", "right", "right", "left", "left"), strict=True):
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        style = "red" if row.met is False else ""
        table.add_row(*row.cells, style=style)
    Console(width=None if Console().is_terminal else 140).print(table)
