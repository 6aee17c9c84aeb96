"""Expression text to trees: precedences, literals, places, and every way a text is no expression."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expr.parse import parse
from engine.expr.problems import ExpressionError
from engine.expr.syntax import (
    Arithmetic,
    Call,
    Comparison,
    ListLiteral,
    Literal,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
)


def shape(node: Node) -> str:
    """Return the tree with every pair of parentheses."""
    match node:
        case Literal():
            return f"{node.value!r}{node.unit}" if not isinstance(node.value, Decimal) else f"{node.value}{node.unit}"
        case ListLiteral():
            return f"[{' '.join(shape(item) for item in node.items)}]"
        case Name():
            return node.name
        case Member():
            return f"{shape(node.target)}.{node.name}"
        case Call():
            target = f"{shape(node.target)}." if node.target else ""
            return f"{target}{node.function}({' '.join(shape(argument) for argument in node.arguments)})"
        case Not():
            return f"(not {shape(node.operand)})"
        case Negative():
            return f"(- {shape(node.operand)})"
        case Logic():
            return f"({node.operator} {' '.join(shape(operand) for operand in node.operands)})"
        case Comparison() | Arithmetic():
            return f"({node.operator} {shape(node.left)} {shape(node.right)})"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a or b and c", "(or a (and b c))"),
        ("a || b && c", "(or a (and b c))"),
        ("a and b or c and d", "(or (and a b) (and c d))"),
        ("a or b or c", "(or a b c)"),
        ("(a or b) and c", "(and (or a b) c)"),
        ("not a and b", "(and (not a) b)"),
        ("not a == b", "(not (== a b))"),
        ("!a == b", "(== (not a) b)"),
        ("not not a", "(not (not a))"),
        ("a and not b or c", "(or (and a (not b)) c)"),
        ("a + b * c - d", "(- (+ a (* b c)) d)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a / b / c", "(/ (/ a b) c)"),
        ("a - (b - c)", "(- a (- b c))"),
        ("-a.b * c", "(* (- a.b) c)"),
        ("a + b < c * d", "(< (+ a b) (* c d))"),
        ("a in [b] and c", "(and (in a [b]) c)"),
        ("a not in [b]", "(not (in a [b]))"),
        ("not a not in b", "(not (not (in a b)))"),
        ("a.b.c(d, e).f", "a.b.c(d e).f"),
        ('tags["a.b"].size()', "tags.a.b.size()"),
        ("f(a)(b)", None),
        ("a == -5", "(== a -5)"),
        ("5 -3", "(- 5 3)"),
        ("- -5", "5"),
        ("-(5)", "-5"),
        ("[1, 2,]", "[1 2]"),
        ("[]", "[]"),
        ("notable", "notable"),
        ("inner in orders", "(in inner orders)"),
        ("resource.in == tags.or", "(== resource.in tags.or)"),
        ("a\n  and\tb\r\n", "(and a b)"),
    ],
)
def test_precedence_and_form(text, expected):
    """Operators bind in the documented order; words and symbols are the same."""
    if expected is None:
        with pytest.raises(ExpressionError):
            parse(text)
    else:
        assert expected == shape(parse(text))


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("0", 0, ""),
        ("007", 7, ""),
        ("1.50", Decimal("1.50"), ""),
        ("0.1", Decimal("0.1"), ""),
        ("1e3", Decimal(1000), ""),
        ("1E-2", Decimal("0.01"), ""),
        ("0e99999999999999999999", Decimal(0), ""),
        ("5%", 5, "%"),
        ("2.5%", Decimal("2.5"), "%"),
        ("40GiB", 40, "GiB"),
        ("1e2MB", Decimal(100), "MB"),
        ("4h", timedelta(hours=4), ""),
        ("30d", timedelta(days=30), ""),
        ("1h30m", timedelta(minutes=90), ""),
        ("-4h", timedelta(hours=-4), ""),
        ("true", True, ""),
        ("false", False, ""),
        ("null", None, ""),
        ('"a\'b"', "a'b", ""),
        ("'a\"b'", 'a"b', ""),
        (r'"a\n\t\\\""', 'a\n\t\\"', ""),
        (r'"\x41é\U0001F600"', "Aé😀", ""),
        (r"r'\d+'", r"\d+", ""),
        (r'R"\"', "\\", ""),
        ("''", "", ""),
    ],
)
def test_literals(text, value, unit):
    """Constants have the value and type that is written; numbers with a point are decimals."""
    node = parse(text)
    assert isinstance(node, Literal)
    assert (type(value), value, unit) == (type(node.value), node.value, node.unit)


@pytest.mark.parametrize(
    ("text", "start", "message", "hint"),
    [
        ("", 0, "the expression is empty", ""),
        ("   \n", 0, "the expression is empty", ""),
        ("a = b", 2, "unexpected `=`", "compare with `==`"),
        ("a & b", 2, "unexpected `&`", "write `and` or `&&`"),
        ("a | b", 2, "unexpected `|`", "write `or` or `||`"),
        ("a ? b : c", 2, "unexpected `?`", "there is no conditional operator; write it with `and` and `or`"),
        ("a > $5", 4, "unexpected `$`", "amounts are plain numbers in USD"),
        ("a == “b”", 5, "unexpected `“`", "use straight quotes"),
        ("a == b == c", 7, "comparisons cannot be chained", "join two comparisons with `and`"),
        ("1 < a < 3", 6, "comparisons cannot be chained", "join two comparisons with `and`"),
        ("a AND b", 2, "expected the end of the expression, found `AND`", "write `and`"),
        ("a == 'b", 5, "the quote opened with `'` is never closed", ""),
        ('a == "b\nc"', 5, 'the quote opened with `"` is never closed', ""),
        (r"'\d'", 1, r"unknown escape `\d`", r"double the backslash, or write a raw text such as r'\d+'"),
        (r"'\ud800'", 1, r"unknown escape `\u`", r"double the backslash, or write a raw text such as r'\d+'"),
        (r"'\x4'", 1, r"unknown escape `\x`", r"double the backslash, or write a raw text such as r'\d+'"),
        ("'a\\", 2, "unknown escape `\\`", r"double the backslash, or write a raw text such as r'\d+'"),
        ("(a and b", 0, "`(` is never closed", "add `)`"),
        ("f(a, b", 1, "`(` is never closed", "add `)`"),
        ('tags["a"', 4, "`[` is never closed", "add `]`"),
        ("a in [1, 2", 5, "`[` is never closed", "add `]`"),
        ("a)", 1, "expected the end of the expression, found `)`", ""),
        ("a b", 2, "expected the end of the expression, found `b`", ""),
        ("a 'b'", 2, "expected the end of the expression, found the text `b`", ""),
        ("a and", 5, "expected a value, found the end", ""),
        ("and a", 0, "expected a value, found `and`", ""),
        ("a == not b", 5, "expected a value, found `not`", ""),
        ("a.", 2, "expected a name after `.`, found the end", ""),
        ("a.'b'", 2, "expected a name after `.`, found the text `b`", ""),
        ("tags[0]", 5, "expected a text in quotes, found `0`", ""),
        ("f(,)", 2, "expected a value, found `,`", ""),
        ("[1 2]", 3, "expected `,`, found `2`", ""),
        ("a > 5x", 4, "`5x` is not a number", "units are s m h d w, %, KiB MiB GiB TiB, kB MB GB TB"),
        ("a > 30m1h", 4, "`30m1h` is not a number", "units are s m h d w, %, KiB MiB GiB TiB, kB MB GB TB"),
        ("a > 1.5h", 4, "`1.5h` is not a number", "units are s m h d w, %, KiB MiB GiB TiB, kB MB GB TB"),
        ("a > 1e", 4, "`1e` is not a number", "units are s m h d w, %, KiB MiB GiB TiB, kB MB GB TB"),
        ("a > 1e31", 4, "`1e31` is too large a number", ""),
        ("a > 1e99999999999999999999", 4, "`1e99999999999999999999` is too large a number", ""),
        ("a > 1e999999GiB", 4, "`1e999999GiB` is too large a number", ""),
        ("a > 1e-99999999999999999999", 4, "`1e-99999999999999999999` is too small a number", ""),
        ("a > 1٣", 5, "unexpected `٣`", ""),
        ("a > ٣", 4, "unexpected `٣`", ""),
        ("a > 1_000", 5, "expected the end of the expression, found `_000`", ""),
        ("a\u00a0and b", 1, "unexpected `\u00a0`", ""),
        ("a == b\0", 6, "unexpected `\0`", ""),
    ],
)
def test_mistakes_of_syntax(text, start, message, hint):
    """A text that is no expression is refused at the character, with what to write instead."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert ("expression-syntax", start, message, hint) == (problem.code, problem.start, problem.message, problem.hint)
    assert problem.start <= problem.end


def test_offsets_cover_what_was_written():
    """Every node knows where it stands, so that messages point at it."""
    text = 'tags["a"] == "é" and not resource.b.c in [1]'
    node = parse(text)
    assert isinstance(node, Logic)
    first, second = node.operands
    assert isinstance(first, Comparison)
    assert isinstance(second, Not)
    assert [text[part.start : part.end] for part in (first.left, first.right)] == ['tags["a"]', '"é"']
    assert text[first.operator_start :][:2] == "=="
    assert text[second.start : second.end] == "not resource.b.c in [1]"
    assert isinstance(second.operand, Comparison)
    assert text[second.operand.left.start : second.operand.left.end] == "resource.b.c"


TOKENS = ("a", "1", "1e5", "5%", "4h", "'x'", r"r'\'", "(", ")", "[", "]", ".", ",",
          "==", "<", "in", "not", "and", "or", "!",
          "-", "+", "/", "*", "true", "null")  # fmt: skip


@given(st.text(max_size=60) | st.lists(st.sampled_from(TOKENS)).map(" ".join))
def test_any_text_is_a_tree_or_an_error(text):
    """No text whatsoever, nor any order of the language's own tokens, makes the parser fail otherwise."""
    try:
        places = [parse(text)]
    except ExpressionError as error:
        places = list(error.problems)
    assert all(0 <= place.start <= len(text) for place in places)
