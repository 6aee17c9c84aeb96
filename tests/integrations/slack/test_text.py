"""Text for Slack, and the packing of lines into messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.slack.blocks import MESSAGE, SECTION, fits, packed, paragraph, size
from integrations.slack.text import code, inert, said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b_c", "a_b_c"),
        ("_x_ y", "ˍxˍ y"),
        ("*x* ~y~ `z`", "∗x∗ ∼y∼ ˋzˋ"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("\u202eevil\u2066", "evil"),
        ("", ""),
    ],
)
def test_said(text, shown):
    """Words are shown as they are, and do nothing."""
    assert said(text) == shown


def test_code():
    """A code span has no way out of it, and is never empty."""
    assert code("a`b") == "`aˋb`"
    assert code("<@U1>") == "`&lt;@U1&gt;`"
    assert code("\u200b ") == "`-`"
    assert code("x" * 300, 10) == "`" + "x" * 9 + "…`"


@given(st.text(), st.integers(2, 50))
def test_inert_is_bounded(text, limit):
    """Never longer than asked for, never more than one line, and the same when done again."""
    once = inert(text, limit)
    assert len(once) <= limit
    assert len(once.splitlines()) <= 1
    assert inert(once, limit) == once


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=400), max_size=80)
)
def test_packed(lines):
    """Every line is in one message, whole and in order, and every message fits."""
    messages = packed(lines)
    assert all(fits(message) for message in messages)
    assert "\n".join(b["text"]["text"] for m in messages for b in m) == "\n".join(lines)


def test_packed_breaks_into_messages():
    """Many long lines are several messages of nearly the size that is allowed."""
    messages = packed(["x" * 1000] * 60)
    assert len(messages) == 6
    assert all(MESSAGE * 0.7 < size(message) <= MESSAGE for message in messages[:-1])


def test_paragraph_leaves_out_whole_lines():
    """What does not fit is left out by the line, and counted."""
    text = paragraph(["first", "`" + "x" * 2000 + "`", "`" + "y" * 2000 + "`", "last"])["text"]["text"]
    assert text.splitlines()[-1] == "… and 2 more, too long to be shown here"
    assert len(text.encode()) <= SECTION
    assert text.count("`") == 2
