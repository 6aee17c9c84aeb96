"""Functions and methods: their names, arguments and results."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.errors import did_you_mean
from engine.expr.names import NARROWER, chain
from engine.expr.operators import Recurse
from engine.expr.patterns import compile_pattern
from engine.expr.scope import ROOTS, Scope
from engine.expr.shapes import BOOL, ERROR, NUMBER, TEXT, Shape, as_written, convert, of_field
from engine.expr.syntax import (
    Call,
    CostRef,
    Default,
    FieldRef,
    Has,
    Literal,
    Lower,
    Matches,
    MetricCall,
    Name,
    Node,
    Quantifier,
    Size,
    TagRef,
    TextTest,
)
from engine.kinds import Type
from engine.units import UnitError, parse_duration

FUNCTIONS = ("has", "size", "duration", "timestamp", "default", "avg", "max", "min", "sum")
METHODS = ("startsWith", "endsWith", "contains", "matches", "lowerAscii", "size", "exists", "all")
MOST_NESTED = 2
"""Levels of `exists` and `all`: fifty tags squared are 2,500 conditions, and cubed are too many for a fleet."""
_OTHER_WORDS = {
    "lower": "lowerAscii", "toLower": "lowerAscii", "startswith": "startsWith", "endswith": "endsWith",
    "includes": "contains", "any": "exists", "exist": "exists", "regex": "matches", "match": "matches",
    "len": "size", "length": "size", "count": "size", "mean": "avg", "average": "avg", "exists": "has",
    "coalesce": "default", "days": "duration",
}  # fmt: skip
Answer = tuple[Node, Shape]


class CallResolver:
    """Resolves calls over arguments that `recurse` resolves."""

    def __init__(self, scope: Scope, recurse: Recurse) -> None:
        self.scope = scope
        self.recurse = recurse

    def resolve(self, node: Call) -> Answer:
        match node.target, node.function:
            case None, "has":
                return self.has(node)
            case None, "default":
                return self.default(node)
            case None, "duration" | "timestamp":
                return self.constant(node)
            case None, "avg" | "max" | "min" | "sum":
                return self.metric(node)
            case _, "size":
                return self.size(node)
            case None, _:
                return self.unknown(node, "function", FUNCTIONS)
            case _, "startsWith" | "endsWith" | "contains":
                return self.text_test(node)
            case _, "matches":
                return self.matches(node)
            case _, "lowerAscii":
                return self.lower(node)
            case _, "exists" | "all":
                return self.quantifier(node)
            case _:
                return self.unknown(node, "method", METHODS)

    def unknown(self, node: Call, what: str, known: tuple[str, ...]) -> Answer:
        other = _OTHER_WORDS.get(node.function, "")
        hint = f"did you mean `{other}`?" if other in known else did_you_mean(node.function, known)
        if node.target is None and node.function in METHODS and other not in known:
            hint = f"write it behind the value: `tags.owner.{node.function}(...)`"
        elif node.target is not None and node.function in FUNCTIONS:
            hint = f"write it before the value: `{node.function}(...)`"
        span = (node.name_start, node.name_start + len(node.function))
        message = f"unknown {what} `{node.function}`"
        self.scope.add("unknown-function", message, span, hint or "one of " + ", ".join(known))
        return node, ERROR

    def arguments(self, node: Call, count: int, usage: str) -> bool:
        """Return whether the call has `count` arguments; say how it is written when not."""
        if len(node.arguments) == count:
            return True
        given = len(node.arguments)
        message = f"`{node.function}` takes {count} argument{'s' * (count != 1)}, {given} given"
        self.scope.add("type-mismatch", message, node, f"write `{usage}`")
        return False

    # --- functions

    def has(self, node: Call) -> Answer:
        if not self.arguments(node, 1, "has(tags.owner)"):
            return node, BOOL
        operand, shape = self.recurse(node.arguments[0])
        if shape.type is not None and not isinstance(operand, FieldRef | TagRef | CostRef):
            self.scope.add("type-mismatch", "`has` asks for a field, a tag or a cost", node.arguments[0])
        return Has(operand, node.start, node.end), BOOL

    def default(self, node: Call) -> Answer:
        if not self.arguments(node, 2, 'default(tags.tier, "none")'):
            return node, ERROR
        operand, shape = self.recurse(node.arguments[0])
        fallback, fallback_shape = self.recurse(node.arguments[1])
        if shape.type is None or fallback_shape.type is None:
            return node, ERROR
        if not isinstance(operand, FieldRef | TagRef | CostRef | MetricCall):
            self.scope.add("type-mismatch", "`default` is for a field, a tag, a cost or a metric", node.arguments[0])
            return node, ERROR
        if not isinstance(fallback, Literal) or fallback.value is None:
            self.scope.add("type-mismatch", "the second argument of `default` is a constant", node.arguments[1])
            return node, ERROR
        if fallback_shape.type is not shape.type:
            message = f"`default` gives {fallback_shape.words} for {shape.words}"
            self.scope.add("type-mismatch", message, node)
            return node, ERROR
        value, value_shape = convert(fallback, fallback_shape, shape)
        assert isinstance(value, Literal)
        if value.unit and value_shape.unit != shape.unit:
            message = f"`default` gives `{as_written(value)}` for {shape.words}"
            self.scope.add("type-mismatch", message, node.arguments[1])
            return node, ERROR
        # A fallback is a value the whole can have, even where the field never does.
        values = (*shape.values, str(value.value)) if shape.values else ()
        return Default(operand, replace(value, unit=""), node.start, node.end), replace(shape, values=values)

    def constant(self, node: Call) -> Answer:
        usage = 'duration("4h")' if node.function == "duration" else 'timestamp("2026-01-31T00:00:00Z")'
        if not self.arguments(node, 1, usage):
            return node, ERROR
        argument = node.arguments[0]
        text = argument.value if isinstance(argument, Literal) else None
        if not isinstance(text, str):
            self.scope.add("type-mismatch", f"`{node.function}` takes a text in quotes", argument, f"write `{usage}`")
            return node, ERROR
        try:
            value = parse_duration(text) if node.function == "duration" else _moment(text)
        except UnitError as error:
            self.scope.add("wrong-value", error.message, argument, error.hint)
            return node, ERROR
        except (ValueError, OverflowError) as error:
            self.scope.add("wrong-value", f"`{text}` is not a {node.function}: {error}", argument, f"write `{usage}`")
            return node, ERROR
        type_ = Type.DURATION if isinstance(value, timedelta) else Type.TIMESTAMP
        return Literal(value, node.start, node.end), of_field(type_)

    def metric(self, node: Call) -> Answer:
        usage = f"{node.function}(metrics.gpu.utilization, 4h)"
        if not self.arguments(node, 2, usage):
            return node, ERROR
        root, path = chain(node.arguments[0])
        name = ".".join(member.name for member in path)
        if root is None or root.name != "metrics" or not path:
            self.scope.add("type-mismatch", f"`{node.function}` reads a metric", node.arguments[0], f"write `{usage}`")
            return node, ERROR
        window, shape = self.recurse(node.arguments[1])
        length = window.value if isinstance(window, Literal) else None
        if not isinstance(length, timedelta) or length <= timedelta(0):
            if shape.type is not None:
                message = "the window is a duration longer than zero, as a constant"
                self.scope.add("type-mismatch", message, node.arguments[1], f"write `{usage}`")
            return node, ERROR
        metrics = [kind.metric_by_name.get(name) for kind in self.scope.kinds]
        lacking = [k.name for k, m in zip(self.scope.kinds, metrics, strict=True) if m is None]
        if lacking:
            known = sorted({m for kind in self.scope.kinds for m in kind.metric_by_name})
            hint = did_you_mean(name, known) or ("one of " + ", ".join(known) if known else "")
            of = ", ".join(f"`{kind}`" for kind in lacking)
            self.scope.add("unknown-metric", f"unknown metric `{name}` of {of}", node.arguments[0], hint)
            return node, ERROR
        units = {m.unit for m in metrics if m is not None}
        if len(units) > 1:
            message = f"`{name}` does not have the same unit for all kinds of the policy"
            self.scope.add("type-mismatch", message, node.arguments[0], NARROWER)
            return node, ERROR
        (unit,) = units
        call = MetricCall(node.function, name, unit, length, node.start, node.end)
        return call, Shape(Type.NUMBER, unit)

    def size(self, node: Call) -> Answer:
        operands = (*((node.target,) if node.target else ()), *node.arguments)
        if len(operands) != 1:
            self.scope.add("type-mismatch", "`size` takes 1 argument", node, "write `size(tags)`")
            return node, NUMBER
        operand, shape = self.recurse(operands[0])
        if shape.type not in (Type.STRING, Type.STRINGS, Type.TAGS, None):
            self.scope.add("type-mismatch", f"{shape.words} has no size", operands[0])
        return Size(operand, node.start, node.end), NUMBER

    # --- methods

    def text_operand(self, node: Call) -> tuple[Node, bool]:
        assert node.target is not None
        operand, shape = self.recurse(node.target)
        if shape.type not in (Type.STRING, None):
            self.scope.add("type-mismatch", f"`{node.function}` asks about text, this is {shape.words}", node.target)
        return operand, shape.type is Type.STRING

    def text_test(self, node: Call) -> Answer:
        operand, known = self.text_operand(node)
        if not self.arguments(node, 1, f'resource.name.{node.function}("ml-")') or not known:
            return node, BOOL
        argument, shape = self.recurse(node.arguments[0])
        if shape.type not in (Type.STRING, None):
            self.scope.add("type-mismatch", f"`{node.function}` takes text, this is {shape.words}", node.arguments[0])
        return TextTest(node.function, operand, argument, node.start, node.end), BOOL

    def lower(self, node: Call) -> Answer:
        operand, _ = self.text_operand(node)
        self.arguments(node, 0, "tags.owner.lowerAscii()")
        return Lower(operand, node.start, node.end), TEXT

    def matches(self, node: Call) -> Answer:
        operand, _ = self.text_operand(node)
        if not self.arguments(node, 1, 'resource.name.matches("^ml-[0-9]+$")'):
            return node, BOOL
        argument = node.arguments[0]
        pattern = argument.value if isinstance(argument, Literal) else None
        if not isinstance(pattern, str):
            self.scope.add("type-mismatch", "`matches` takes a pattern in quotes", argument)
            return node, BOOL
        try:
            compiled = compile_pattern(pattern)
        except ValueError as error:
            self.scope.add("bad-regex", f"`{pattern}` is not a pattern: {error}", argument, "the syntax is RE2's")
            return node, BOOL
        return Matches(operand, pattern, compiled, node.start, node.end), BOOL

    def quantifier(self, node: Call) -> Answer:
        assert node.target is not None
        usage = f'resource.instance.types.{node.function}(t, t.startsWith("ml.p"))'
        if not self.arguments(node, 2, usage):
            return node, BOOL
        if len(self.scope.variables) >= MOST_NESTED:
            span = (node.name_start, node.name_start + len(node.function))
            message = f"`exists` and `all` are nested deeper than {MOST_NESTED} levels"
            self.scope.add("expression-too-complex", message, span, "each level multiplies the work by the list")
            return node, BOOL
        operand, shape = self.recurse(node.target)
        variable = node.arguments[0]
        if not isinstance(variable, Name) or variable.name in ROOTS:
            self.scope.add("type-mismatch", "the first argument names the element", variable, f"write `{usage}`")
            return node, BOOL
        if shape.type not in (Type.STRINGS, Type.TAGS):
            if shape.type is not None:
                message = f"`{node.function}` goes through a list or the tags, this is {shape.words}"
                self.scope.add("type-mismatch", message, node.target)
            return node, BOOL
        item = (shape.item or ERROR) if shape.type is Type.STRINGS else TEXT
        self.scope.variables.append((variable.name, item))
        condition, condition_shape = self.recurse(node.arguments[1])
        self.scope.variables.pop()
        if condition_shape.type not in (Type.BOOL, None):
            message = f"`{node.function}` needs a condition, this is {condition_shape.words}"
            self.scope.add("type-mismatch", message, node.arguments[1])
        return Quantifier(node.function, operand, variable.name, condition, node.start, node.end), BOOL


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("it has no zone")
    return moment.astimezone(UTC)
