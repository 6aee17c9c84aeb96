"""What came of the tests of policies, for people: what failed and why, what is open, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from bursar.render.console import console_on
from bursar.render.explain import render_answers
from bursar.render.text import cells, counted, visible
from engine.cases.coverage import Condition, PolicyCoverage, percent
from engine.cases.mutation import Mutation
from engine.cases.run import Result, View
from engine.units import format_percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bursar.testing import Tested

INDENT = "      "


def render_table(tested: Tested, out: TextIO, *, width: int | None, color: bool) -> None:
    """Write failures with their evidence, coverage, surviving mutants and a summary."""
    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    for result in tested.failed:
        _failure(console, tested, result)
    if tested.coverage is not None:
        _coverage(console, tested.coverage)
    if tested.mutation is not None:
        _mutation(console, tested.mutation, tested.unmutated)
    for text, style in summary(tested):
        _line(console, text, style)
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def summary(tested: Tested) -> Iterator[tuple[str, str]]:
    """Yield the last lines, each with its colour."""
    failed, total = len(tested.failed), len(tested.results)
    with_cases = len({result.policy for result in tested.results})
    files = len({result.place.file for result in tested.results})
    where = f"{counted(with_cases, 'policy', 'policies')} in {counted(files, 'file')}"
    outcome = f"{failed:,} failed" if failed else "all as expected"
    yield f"{counted(total, 'case')} of {where}: {outcome}", "bold red" if failed else "bold green"
    without = len(tested.policies) - with_cases
    if without:
        yield f"{counted(without, 'policy has', 'policies have')} no case", "bold yellow"
    if tested.coverage is not None:
        conditions = [condition for policy in tested.coverage for condition in policy.conditions]
        covered = sum(condition.covered for condition in conditions)
        asked = f", {format_percent(tested.minimum)} wanted" if tested.minimum is not None else ""
        share = format_percent(percent(tested.coverage))
        told = f"{covered:,} of {counted(len(conditions), 'condition')} covered: {share}{asked}"
        yield told, "bold red" if tested.too_little else "bold"
    if tested.mutation is not None:
        yield _mutants(tested.mutation)


def _mutants(mutation: Mutation) -> tuple[str, str]:
    excused = f", {len(mutation.excused):,} excused" if mutation.excused else ""
    left = len(mutation.survivors)
    told = f"{counted(mutation.total, 'mutant')}: {mutation.killed:,} noticed{excused}, {left:,} not noticed"
    if mutation.needless:
        told += f"; {counted(len(mutation.needless), 'excuse')} of nothing"
    return told, "bold red" if left or mutation.needless else "bold green"


def _line(console: Console, text: str = "", style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True)


def _failure(console: Console, tested: Tested, result: Result) -> None:
    from rich.text import Text

    console.print(
        Text.assemble(
            ("FAILED", "bold red"),
            f"  {visible(str(result.place))}  ",
            (visible(result.policy), "bold"),
            f": {visible(result.case)}",
        ),
        soft_wrap=True,
    )
    for view, differences in groupby(result.differences, key=lambda difference: difference.view):
        for difference in differences:
            _line(console, f"    expected  {visible(difference.expected)}")
            _line(console, f"    came      {visible(difference.came)}", "red")
        _line(console, f"    at        {view.now:%a %Y-%m-%d %H:%M} UTC", "dim")
        for line in evidence_text(tested, view).splitlines():
            _line(console, f"{INDENT}{line}".rstrip(), "dim")
        _line(console)


def evidence_text(tested: Tested, view: View) -> str:
    """Return everything behind the verdict about `view`, for a person."""
    out = StringIO()
    render_answers(tested.evidence[id(view)], out, width=None, color=False)
    return out.getvalue()


def _coverage(console: Console, coverage: tuple[PolicyCoverage, ...]) -> None:
    from rich.text import Text

    _line(console, "COVERAGE  a condition is covered when it was seen true and false, and decided a verdict", "bold")
    _line(console)
    longest = max((cells(visible(policy.policy)) for policy in coverage), default=0)
    for policy in coverage:
        covered, total = sum(c.covered for c in policy.conditions), len(policy.conditions)
        name = visible(policy.policy)
        line = Text.assemble(
            (name + " " * (longest - cells(name)), "bold"),
            (f"  {covered:>2} of {total:<2}", "green" if covered == total else "yellow"),
            (f"  {counted(policy.cases, 'case')}", "dim"),
        )
        console.print(line, soft_wrap=True)
        for condition in policy.conditions:
            if not condition.covered:
                console.print(_open(condition), soft_wrap=True)
    _line(console)


def _open(condition: Condition) -> Text:
    """Return a condition that is not covered, and what the cases show of it."""
    from rich.text import Text

    shown = f"true {condition.true:,}, false {condition.false:,}, unknown {condition.unknown:,}"
    return Text.assemble(
        (f"  {visible(str(condition.place))}", "dim"),
        f"  {visible(condition.name)}  ",
        (condition.lacks, "yellow"),
        (f"  ({shown}, decided {condition.decided:,})", "dim"),
    )


def _mutation(console: Console, mutation: Mutation, unmutated: tuple[str, ...]) -> None:
    from rich.text import Text

    if mutation.survivors:
        _line(console, "MUTANTS  changes to a policy that no case notices", "bold")
    for name, mutants in groupby(mutation.survivors, key=lambda mutant: mutant.name):
        _line(console)
        _line(console, visible(name), "bold")
        for mutant in mutants:
            line = Text.assemble((f"  {visible(str(mutant.place))}", "dim"), f"  {visible(mutant.change)}")
            console.print(line, soft_wrap=True)
    for excuse in mutation.needless:
        document = excuse.document
        told = f"{document.policy}: a case notices `{document.mutant}`, or there is no such mutant: remove the excuse"
        _line(console, f"  {visible(str(excuse.place))}  {visible(told)}", "red")
    for mutant, excuse in mutation.excused:
        told = f"  excused  {mutant.place}  {mutant.name}  {mutant.change}: {excuse.document.reason}"
        _line(console, visible(told), "dim")
    for name in unmutated:
        _line(console, f"  not tried: the mutants of {visible(name)}, of which a case fails", "yellow")
    if mutation.survivors or mutation.needless or mutation.excused or unmutated:
        _line(console)
