"""Offsets in an expression's text to places in its file, however YAML lets the text be written."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.policy.expressions import place_in
from engine.yaml_text import MapNode, ScalarNode, Source, parse_yaml

WORDS = st.lists(
    st.sampled_from(
        ["resource.state", "==", "'a b'", '"x"', "and", "not", "tags.größe", "\\", '"😀"', "in", "[1, 2]", "<"]
    ),
    min_size=1,
    max_size=12,
)


def scalar(written: str) -> tuple[Source, ScalarNode]:
    """Return the only value of `k: written`."""
    parsed = parse_yaml(f"k: {written}\n", "p.yaml")
    assert parsed.problems == ()
    assert isinstance(parsed.root, MapNode)
    node = parsed.root.get("k")
    assert isinstance(node, ScalarNode)
    return parsed.source, node


def char_at(source: Source, node: ScalarNode, offset: int) -> str:
    place = place_in(source, node, offset)
    return source.text[source.starts[place.line - 1] + place.column - 1]


def literal(words: list[str]) -> str:
    return "|-\n" + "\n".join(f"  {word}" for word in words)


def folded(words: list[str]) -> str:
    return ">-  # a comment\n" + "\n".join(f"  {word}" for word in words)


def single_quoted(words: list[str]) -> str:
    return "'" + " ".join(words).replace("'", "''") + "'"


def double_quoted(words: list[str]) -> str:
    return '"' + " ".join(words).replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize("write", [literal, folded, single_quoted, double_quoted])
@given(words=WORDS)
@example(words=["\\", "\\", "\\", '"x"'])
def test_every_character_is_found(write, words):
    """Every character of the text is found as itself in the file, in order."""
    source, node = scalar(write(words))
    spots = [n for n, character in enumerate(node.text) if not character.isspace()]
    assert [char_at(source, node, n) for n in spots] == [node.text[n] for n in spots]
    places = [place_in(source, node, n) for n in spots]
    assert places == sorted(set(places))


@pytest.mark.parametrize(
    ("written", "offset", "line", "column"),
    [
        ("a == b", 5, 1, 9),
        ("a\n  == b", 5, 2, 6),
        ("'it''s == b'", 8, 1, 14),
        ('"a\\tb == c"', 7, 1, 13),
        ('"a\\x20== \\u0062"', 5, 1, 13),
        ('"a == \\\n   b"', 5, 2, 4),
        ('"a\n\n\n  == b"', 3, 4, 3),
        ("'a ''''''''b'", 6, 1, 15),
        (">-\n  a\n  == b", 5, 3, 6),
        (">-\n\n  a\n\n  == b", 6, 5, 6),
        ("|\n  a\n    == b", 7, 3, 8),
        ("a   == b", 7, 1, 11),
        ("a == b", 6, 1, 9),
    ],
    ids=[
        "plain",
        "plain, folded",
        "single quotes",
        "escape",
        "codes",
        "joined",
        "folds",
        "doubled",
        "folded",
        "blank lines",
        "indented",
        "spaces",
        "end",
    ],
)
def test_places(written, offset, line, column):
    """The place of the last operand, or of the end, in each way to write a text."""
    source, node = scalar(written)
    place = place_in(source, node, offset)
    assert (place.line, place.column) == (line, column)
