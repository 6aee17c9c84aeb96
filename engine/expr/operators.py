"""The types of operators: what goes with what, and which units do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from engine.errors import did_you_mean
from engine.expr.scope import ROOTS, Scope
from engine.expr.shapes import BOOL, DURATION, ERROR, TEXT, TIMESTAMP, Shape, as_written, convert, literal_shape
from engine.expr.syntax import (
    Arithmetic,
    Comparison,
    CostRef,
    FieldRef,
    ListLiteral,
    Literal,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
    TagRef,
)
from engine.kinds import Type

Recurse: TypeAlias = Callable[[Node], tuple[Node, Shape]]
ORDERED = frozenset({Type.NUMBER, Type.STRING, Type.TIMESTAMP, Type.DURATION})
EQUATED = ORDERED | {Type.BOOL}


class OperatorResolver:
    """Resolves operators over operands that `recurse` resolves."""

    def __init__(self, scope: Scope, recurse: Recurse) -> None:
        self.scope = scope
        self.recurse = recurse

    def resolve(self, node: Not | Negative | Logic | Comparison | Arithmetic) -> tuple[Node, Shape]:
        match node:
            case Not():
                operand, shape = self.recurse(node.operand)
                self.condition("not", node.operand, shape)
                return replace(node, operand=operand), BOOL
            case Logic():
                operands = []
                for original in node.operands:
                    operand, shape = self.recurse(original)
                    self.condition(node.operator, original, shape)
                    operands.append(operand)
                return replace(node, operands=tuple(operands)), BOOL
            case Negative():
                operand, shape = self.recurse(node.operand)
                if shape.type not in (Type.NUMBER, Type.DURATION, None):
                    self.scope.add("type-mismatch", f"`-` needs a number, this is {shape.words}", node.operand)
                return replace(node, operand=operand), shape
            case Comparison() if node.operator == "in":
                return self.membership(node)
            case Comparison():
                return self.comparison(node)
            case Arithmetic():
                return self.arithmetic(node)

    def condition(self, operator: str, node: Node, shape: Shape) -> None:
        if shape.type not in (Type.BOOL, None):
            message = f"`{operator}` joins conditions, this is {shape.words}"
            self.scope.add("type-mismatch", message, node, "compare it with something")

    # --- comparison

    def comparison(self, node: Comparison) -> tuple[Node, Shape]:
        left, left_shape = self.recurse(node.left)
        right, right_shape = self.recurse(node.right)
        if left_shape.type is None or right_shape.type is None:
            return replace(node, left=left, right=right), BOOL
        if Type.NULL in (left_shape.type, right_shape.type):
            self._null(node, left, right)
            return replace(node, left=left, right=right), BOOL
        allowed = EQUATED if node.operator in ("==", "!=") else ORDERED
        if left_shape.type is not right_shape.type or left_shape.type not in allowed:
            self._mismatch(node, left_shape, right_shape)
            return replace(node, left=left, right=right), BOOL
        written = left_shape
        left, left_shape = convert(left, left_shape, right_shape)
        right, right_shape = convert(right, right_shape, written)
        self._units(node, left, left_shape, right, right_shape)
        self.enumerated(left, right_shape)
        self.enumerated(right, left_shape)
        return replace(node, left=left, right=right), BOOL

    def _null(self, node: Comparison, left: Node, right: Node) -> None:
        if node.operator not in ("==", "!="):
            self.scope.add("type-mismatch", f"nothing is `{node.operator}` null", node)
        elif not any(isinstance(side, FieldRef | TagRef | CostRef) for side in (left, right)):
            self.scope.add("type-mismatch", "only a field or a tag can be null", node)

    def _mismatch(self, node: Comparison, left: Shape, right: Shape) -> None:
        if left.type is right.type:
            message = f"`{node.operator}` does not compare {left.words}"
        else:
            message = f"`{node.operator}` compares {left.words} with {right.words}"
        self.scope.add("type-mismatch", message, node, _mismatch_hint(left, right))

    def _units(self, node: Comparison, left: Node, left_shape: Shape, right: Node, right_shape: Shape) -> None:
        if not self.unit_goes_with(left, left_shape, right_shape):
            return
        if not self.unit_goes_with(right, right_shape, left_shape):
            return
        units = {shape.unit for shape in (left_shape, right_shape)} - {""}
        literals = any(isinstance(side, Literal) for side in (left, right))
        if len(units) > 1 and not literals:
            message = f"{left_shape.words} is compared with {right_shape.words}"
            self.scope.add("type-mismatch", message, node)

    def unit_goes_with(self, node: Node, shape: Shape, other: Shape) -> bool:
        """Refuse a constant whose written unit is not that of what stands beside it."""
        if not isinstance(node, Literal) or not node.unit or shape.unit == other.unit:
            return True
        unit = f"in {other.unit}" if other.unit else "a plain number"
        message = f"`{as_written(node)}` is compared with something that is {unit}"
        self.scope.add("type-mismatch", message, node)
        return False

    def enumerated(self, node: Node, other: Shape) -> None:
        """Refuse a text that a field with known values never has."""
        literals = node.items if isinstance(node, ListLiteral) else (node,)
        for literal in literals:
            if not isinstance(literal, Literal) or not isinstance(literal.value, str):
                continue
            if other.values and literal.value not in other.values:
                hint = did_you_mean(literal.value, other.values) or "one of " + ", ".join(other.values)
                message = f"`{literal.value}` is not one of the field's values"
                self.scope.add("wrong-value", message, literal, hint)

    # --- in

    def membership(self, node: Comparison) -> tuple[Node, Shape]:
        left, left_shape = self.recurse(node.left)
        right, right_shape = self.recurse(node.right)
        resolved = replace(node, left=left, right=right)
        if left_shape.type is None or right_shape.type is None:
            return resolved, BOOL
        if right_shape.type is Type.TAGS:
            if left_shape.type is not Type.STRING:
                self.scope.add("type-mismatch", f"a tag's key is text, this is {left_shape.words}", node.left)
            return resolved, BOOL
        if right_shape.type is not Type.STRINGS:
            hint = 'write a list: `in ["a", "b"]`'
            self.scope.add("type-mismatch", f"`in` needs a list, this is {right_shape.words}", node.right, hint)
            return resolved, BOOL
        item = right_shape.item
        if item is not None and item.type is not None and item.type is not left_shape.type:
            message = f"`in` looks for {left_shape.words} in {right_shape.words}"
            self.scope.add("type-mismatch", message, node)
        if isinstance(right, ListLiteral):
            return replace(resolved, right=self.among(right, left_shape)), BOOL
        return resolved, BOOL

    def among(self, items: ListLiteral, item: Shape) -> ListLiteral:
        """Return a list of constants in the unit of what is looked for in it."""
        self.enumerated(items, item)
        found: list[Node] = []
        for original in items.items:
            literal, shape = original, item
            if isinstance(original, Literal):
                literal, shape = convert(original, literal_shape(original), item)
                self.unit_goes_with(literal, shape, item)
            found.append(literal)
        return replace(items, items=tuple(found))

    # --- arithmetic

    def arithmetic(self, node: Arithmetic) -> tuple[Node, Shape]:
        tag = _tag_with_hyphens(node)
        if "-" in tag:
            self.scope.add(
                "unknown-name", "the `-` in the key of the tag reads as minus", node, f'write `tags["{tag}"]`'
            )
            return node, ERROR
        left, left_shape = self.recurse(node.left)
        right, right_shape = self.recurse(node.right)
        resolved = replace(node, left=left, right=right)
        if left_shape.type is None or right_shape.type is None:
            return resolved, ERROR
        if node.operator in ("+", "-"):
            written = left_shape
            left, left_shape = convert(left, left_shape, right_shape)
            right, right_shape = convert(right, right_shape, written)
            resolved = replace(node, left=left, right=right)
        elif Type.NUMBER is left_shape.type is right_shape.type:
            self._share(left, right)
        shape = _arithmetic_shape(node.operator, left_shape, right_shape)
        if shape is None:
            message = f"`{node.operator}` does not go with {left_shape.words} and {right_shape.words}"
            self.scope.add("type-mismatch", message, node)
            return resolved, ERROR
        return resolved, shape

    def _share(self, left: Node, right: Node) -> None:
        """Refuse `cost.monthly * 10%`: `10%` is the number 10, as fields in percent are."""
        for side in (left, right):
            if isinstance(side, Literal) and side.unit == "%":
                assert isinstance(side.value, int | Decimal)
                message = f"`{as_written(side)}` is the number {side.value}, not a share to multiply with"
                self.scope.add("type-mismatch", message, side, f"write `{Decimal(side.value) / 100}`")


def _tag_with_hyphens(node: Node) -> str:
    """Return the key that was meant by `tags.cost-center`, which is written like a subtraction; empty for all else."""
    match node:
        case Member(target=Name(name="tags"), name=key):
            return key
        case Arithmetic(operator="-", left=left, right=Name(name=name)) if name not in ROOTS:
            before = _tag_with_hyphens(left)
            return f"{before}-{name}" if before else ""
        case _:
            return ""


def _arithmetic_shape(operator: str, left: Shape, right: Shape) -> Shape | None:
    """Return what an operation gives, or None when it is not defined."""
    match left.type, operator, right.type:
        case Type.NUMBER, "+" | "-", Type.NUMBER:
            if left.unit and right.unit and left.unit != right.unit:
                return None
            return Shape(Type.NUMBER, left.unit or right.unit)
        case Type.NUMBER, "*" | "/", Type.NUMBER:
            return Shape(Type.NUMBER)
        case Type.STRING, "+", Type.STRING:
            return TEXT
        case Type.TIMESTAMP, "-", Type.TIMESTAMP:
            return DURATION
        case (Type.TIMESTAMP, "+" | "-", Type.DURATION) | (Type.DURATION, "+", Type.TIMESTAMP):
            return TIMESTAMP
        case Type.DURATION, "+" | "-", Type.DURATION:
            return DURATION
        case _:
            return None


def _mismatch_hint(left: Shape, right: Shape) -> str:
    types = {left.type, right.type}
    if types == {Type.STRING, Type.NUMBER}:
        return "numbers are written without quotes, texts with them"
    if types == {Type.DURATION, Type.NUMBER}:
        return "write a unit, such as `30d`"
    if types == {Type.STRING, Type.BOOL}:
        if left.type is Type.BOOL:
            return "write `true` or `false` without quotes"
        return 'tags are text: write `== "true"`'
    return ""
