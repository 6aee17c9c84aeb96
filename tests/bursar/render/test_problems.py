"""Mistakes shown like a compiler shows them."""

import io

from bursar.render.problems import render_problems
from engine.errors import Place, Problem


def shown(*problems: Problem, color: bool = False) -> str:
    out = io.StringIO()
    render_problems(problems, out, color=color)
    return out.getvalue()


def test_a_problem_with_its_line():
    """Place, message, code, the line, a caret under the column, and the hint."""
    place = Place("p.yaml", 6, 21, "    where: resource.acelerator.count > 0")
    assert shown(
        Problem("unknown-field", "unknown field `acelerator.count`", place, "did you mean `accelerator.count`?")
    ) == (
        "p.yaml:6:21  unknown field `acelerator.count` [unknown-field]\n"
        "        where: resource.acelerator.count > 0\n"
        "                        ^\n"
        "    hint: did you mean `accelerator.count`?\n"
    )


def test_several_problems_are_counted():
    """With more than one, the last line says how many in how many files."""
    one = Problem("unknown-key", "x", Place("a.yaml", 1, 1, "x: 1"))
    two = Problem("unknown-key", "y", Place("b.yaml", 1, 1, "y: 1"))
    assert shown(one, one, two).splitlines()[-1] == "3 problems in 2 files"


def test_long_lines_are_cut_around_the_place():
    """A line of ten thousand characters is shown around the column, caret and all."""
    place = Place("p.yaml", 1, 5001, "a" * 5000 + "X" + "b" * 5000)
    lines = shown(Problem("yaml-syntax", "m", place)).splitlines()
    assert len(lines[1]) < 120
    assert lines[1][lines[2].index("^")] == "X"


def test_tabs_keep_the_caret_in_place():
    """A tab before the column moves line and caret alike."""
    lines = shown(Problem("yaml-syntax", "m", Place("p.yaml", 1, 3, "\t\tX"))).splitlines()
    assert lines[1][lines[2].index("^")] == "X"


def test_hostile_lines():
    """Escapes in the offending line, the message and the file's name are made visible."""
    text = shown(Problem("yaml-syntax", "\x1b[31m", Place("a\nb.yaml", 1, 1, "\x1b]0;x\x07")))
    assert "\x1b" not in text
    assert "\\x1b[31m" in text


def test_color():
    """Colour is there only when asked for."""
    problem = Problem("yaml-syntax", "m", Place("p.yaml", 1, 1, "x"))
    assert "\x1b[" in shown(problem, color=True)
    assert "\x1b[" not in shown(problem)
