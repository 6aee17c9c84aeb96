"""
Expression text to a tree, by precedence climbing with a depth limit.

From loosest to tightest: `or`, `and`, `not`, comparison, `+ -`, `* /`, unary `! -`, member access.
`not` is looser than a comparison, as in Python; `!` is tighter, as in CEL.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from engine.expr.problems import ExpressionError, fail
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
    children,
)
from engine.expr.tokens import NUMBER, Kind, Token, tokenize
from engine.units import parse_duration

LONGEST = 4096
"""Characters of an expression."""
DEEPEST = 32
"""Levels of parentheses, lists, calls and operators inside one another, and of the tree."""
LARGEST = 1000
"""Nodes of an expression."""
LARGEST_NUMBER = 1e30
"""More than any quantity a policy is about; keeps exact arithmetic short."""

BYTE_UNITS = {
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
}  # fmt: skip
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_WRONG_WORDS = {"AND": "and", "OR": "or", "NOT": "not", "True": "true", "False": "false", "None": "null",
                "IN": "in", "TRUE": "true", "FALSE": "false", "NULL": "null"}  # fmt: skip
_RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null"})


def parse(text: str) -> Node:
    """Return the tree of `text`; raise `ExpressionError` when it is not an expression."""
    if len(text) > LONGEST:
        message = f"the expression has {len(text):,} characters, {LONGEST:,} are allowed"
        raise fail("expression-too-complex", message, 0, len(text))
    parser = _Parser(list(tokenize(text)))
    if len(parser.tokens) == 1:
        raise fail("expression-syntax", "the expression is empty", 0, len(text))
    node = parser.disjunction()
    parser.finish()
    _refuse_tall(node)
    return node


def _refuse_tall(root: Node) -> None:
    """
    Refuse a tree of more than `DEEPEST` levels, so that whatever walks it may recurse.

    The parser's own count is of its recursion; chains such as `a.size().size()` are loops there.
    """
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > DEEPEST:
            raise _too_deep(node.start, node.end)
        pending.extend((child, depth + 1) for child in children(node))


def _too_deep(start: int, end: int) -> ExpressionError:
    return fail("expression-too-complex", f"the expression is nested deeper than {DEEPEST} levels", start, end)


class _Parser:
    """The position in the tokens, and how deep and large the tree is so far."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0
        self.nodes = 0

    # --- tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.token
        self.position += token.kind is not Kind.END
        return token

    def at(self, *texts: str) -> bool:
        return self.token.kind in (Kind.SYMBOL, Kind.NAME) and self.token.text in texts

    def expect(self, text: str, opened: Token | None = None) -> Token:
        if self.at(text):
            return self.take()
        if opened and self.token.kind is Kind.END:
            message = f"`{opened.text}` is never closed"
            raise fail("expression-syntax", message, opened.start, opened.end, f"add `{text}`")
        raise self.unexpected(f"`{text}`")

    def finish(self) -> None:
        if self.token.kind is not Kind.END:
            raise self.unexpected("the end of the expression")

    def unexpected(self, wanted: str) -> ExpressionError:
        token = self.token
        found = f"`{token.text}`" if token.kind is not Kind.END else "the end"
        if token.kind is Kind.TEXT:
            found = f"the text `{token.text}`"
        hint = ""
        if token.kind is Kind.NAME and token.text in _WRONG_WORDS:
            hint = f"write `{_WRONG_WORDS[token.text]}`"
        end = max(token.end, token.start + 1)
        return fail("expression-syntax", f"expected {wanted}, found {found}", token.start, end, hint)

    def made(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > LARGEST:
            message = f"the expression has more than {LARGEST:,} parts"
            raise fail("expression-too-complex", message, node.start, node.end)
        return node

    def deeper(self, parse_one: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _too_deep(self.token.start, self.token.start + 1)
        node = parse_one()
        self.depth -= 1
        return node

    # --- operators, loosest first

    def disjunction(self) -> Node:
        return self.chain(self.conjunction, "or", ("or", "||"))

    def conjunction(self) -> Node:
        return self.chain(self.negation, "and", ("and", "&&"))

    def chain(self, operand: Callable[[], Node], name: str, spellings: tuple[str, ...]) -> Node:
        operands = [operand()]
        while self.at(*spellings):
            self.take()
            operands.append(operand())
        if len(operands) == 1:
            return operands[0]
        return self.made(Logic(name, tuple(operands), operands[0].start, operands[-1].end))

    def negation(self) -> Node:
        if not self.at("not"):
            return self.comparison()
        start = self.take().start
        operand = self.deeper(self.negation)
        return self.made(Not(operand, start, operand.end))

    def comparison(self) -> Node:
        left = self.sum()
        operator = self.comparison_operator()
        if operator is None:
            return left
        right = self.sum()
        text, start = operator
        node: Node = Comparison(text.removeprefix("not "), left, right, left.start, right.end, start)
        if text == "not in":
            node = Not(self.made(node), left.start, right.end)
        again = self.token
        if self.comparison_operator() is not None:
            hint = "join two comparisons with `and`"
            raise fail("expression-syntax", "comparisons cannot be chained", again.start, again.end, hint)
        return self.made(node)

    def comparison_operator(self) -> tuple[str, int] | None:
        """Take a comparison operator if one stands here."""
        token = self.token
        if token.kind is Kind.SYMBOL and token.text in _COMPARISONS:
            return self.take().text, token.start
        if self.at("in"):
            return self.take().text, token.start
        following = self.tokens[min(self.position + 1, len(self.tokens) - 1)]
        if self.at("not") and following.kind is Kind.NAME and following.text == "in":
            self.take()
            self.take()
            return "not in", token.start
        return None

    def sum(self) -> Node:
        return self.arithmetic(self.product, ("+", "-"))

    def product(self) -> Node:
        return self.arithmetic(self.unary, ("*", "/"))

    def arithmetic(self, operand: Callable[[], Node], operators: tuple[str, ...]) -> Node:
        left = operand()
        while self.token.kind is Kind.SYMBOL and self.token.text in operators:
            operator = self.take()
            right = operand()
            node = Arithmetic(operator.text, left, right, left.start, right.end, operator.start)
            left = self.made(node)
        return left

    def unary(self) -> Node:
        if self.token.kind is Kind.SYMBOL and self.token.text in ("!", "-"):
            token = self.take()
            operand = self.deeper(self.unary)
            if token.text == "!":
                return self.made(Not(operand, token.start, operand.end))
            return self.made(_negated(operand, token.start))
        return self.postfix()

    # --- operands

    def postfix(self) -> Node:
        node = self.primary()
        while True:
            if self.at("."):
                self.take()
                node = self.member(node)
            elif self.at("["):
                node = self.index(node)
            else:
                return node

    def member(self, target: Node) -> Node:
        name = self.token
        if name.kind is not Kind.NAME:
            raise self.unexpected("a name after `.`")
        self.take()
        if self.at("("):
            return self.call(name, target)
        return self.made(Member(target, name.text, target.start, name.end, name.start))

    def index(self, target: Node) -> Node:
        opened = self.take()
        key = self.token
        if key.kind is not Kind.TEXT:
            raise self.unexpected("a text in quotes")
        self.take()
        end = self.expect("]", opened).end
        return self.made(Member(target, key.text, target.start, end, key.start, indexed=True))

    def call(self, name: Token, target: Node | None) -> Node:
        opened = self.take()
        arguments = self.items(")", opened)
        end = self.tokens[self.position - 1].end
        start = target.start if target else name.start
        return self.made(Call(name.text, target, arguments, start, end, name.start))

    def items(self, closing: str, opened: Token) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.at(closing):
            if self.token.kind is Kind.END:
                self.expect(closing, opened)
            if found:
                self.expect(",")
                if self.at(closing) or self.token.kind is Kind.END:
                    break
            found.append(self.deeper(self.disjunction))
        self.expect(closing, opened)
        return tuple(found)

    def primary(self) -> Node:
        token = self.token
        match token.kind:
            case Kind.NUMBER:
                self.take()
                return self.made(_number(token))
            case Kind.TEXT:
                self.take()
                return self.made(Literal(token.text, token.start, token.end))
            case Kind.NAME if token.text not in _RESERVED or token.text in ("true", "false", "null"):
                return self.name()
        if self.at("("):
            self.take()
            node = self.deeper(self.disjunction)
            self.expect(")", token)
            return node
        if self.at("["):
            self.take()
            items = self.items("]", token)
            return self.made(ListLiteral(items, token.start, self.tokens[self.position - 1].end))
        raise self.unexpected("a value")

    def name(self) -> Node:
        token = self.take()
        if token.text in ("true", "false"):
            return self.made(Literal(token.text == "true", token.start, token.end))
        if token.text == "null":
            return self.made(Literal(None, token.start, token.end))
        if self.at("("):
            return self.call(token, None)
        return self.made(Name(token.text, token.start, token.end))


def _negated(operand: Node, start: int) -> Node:
    """Fold the sign into a number or duration, so that `-5` is a literal."""
    value = operand.value if isinstance(operand, Literal) else None
    if isinstance(operand, Literal) and not isinstance(value, bool) and isinstance(value, int | Decimal | timedelta):
        return Literal(-value, start, operand.end, operand.unit)
    return Negative(operand, start, operand.end)


def _number(token: Token) -> Literal:
    """
    Return a number, with its unit, or a duration.

    A number with a point is a Decimal, so that what is written is what is compared.
    """
    number, unit = _split(token.text)
    if not unit:
        return Literal(_value(token, number), token.start, token.end)
    try:
        return Literal(parse_duration(token.text), token.start, token.end)
    except ValueError:
        pass
    if unit == "%" or unit in BYTE_UNITS:
        return Literal(_value(token, number), token.start, token.end, unit)
    hint = "units are s m h d w, %, KiB MiB GiB TiB, kB MB GB TB"
    raise fail("expression-syntax", f"`{token.text}` is not a number", token.start, token.end, hint)


def _split(text: str) -> tuple[str, str]:
    """Return the number at the start of `text` and what follows it."""
    found = NUMBER.match(text)
    assert found is not None
    return found.group(), text[found.end() :]


def _value(token: Token, number: str) -> int | Decimal:
    """Return the value of `number`; refuse what no quantity is, and what would take long to count with."""
    size = abs(float(number))
    if not math.isfinite(size) or size > LARGEST_NUMBER:
        raise fail("expression-syntax", f"`{token.text}` is too large a number", token.start, token.end)
    if number.isdigit():
        return int(number)
    if not size and number.lower().partition("e")[0].strip("0."):
        raise fail("expression-syntax", f"`{token.text}` is too small a number", token.start, token.end)
    return Decimal(number) if size else Decimal(0)
