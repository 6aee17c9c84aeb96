"""
The trees of the expression language.

The parser makes the first group of nodes; the checker turns names into the second group, so that
the evaluators never look anything up by a name that a person wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from engine.kinds import Type
from engine.values import Scalar


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. `unit` is what was written behind a number: `%`, `GiB`; None is the value of `null`."""

    value: Scalar | None
    start: int
    end: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ListLiteral:
    items: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier as written."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Member:
    """`target.name` or `target["name"]`."""

    target: Node
    name: str
    start: int
    end: int
    name_start: int
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)` or `target.function(arguments)`."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]
    start: int
    end: int
    name_start: int


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` over two operands or more."""

    operator: str
    operands: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`== != < <= > >= in`; `not in` is `Not` of `in`."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int
    operator_start: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * /`."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int
    operator_start: int


# --- after name resolution -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldRef:
    """`resource.<name>`."""

    name: str
    type: Type
    unit: str
    groups: Mapping[str, str]
    """The field's group, by kind name."""
    start: int
    end: int
    values: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    """Names of the kinds that always have the field: its absence is then a failure of the source."""

    @property
    def path(self) -> str:
        return f"resource.{self.name}"


@dataclass(frozen=True, slots=True)
class TagRef:
    """`tags.<key>` or `tags["key"]`."""

    key: str
    start: int
    end: int

    @property
    def path(self) -> str:
        return f"tags.{self.key}" if self.key.isidentifier() else f'tags["{self.key}"]'


@dataclass(frozen=True, slots=True)
class TagsRef:
    """`tags` as a whole."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CostRef:
    """`cost.hourly` or `cost.monthly`, in USD."""

    period: str
    start: int
    end: int

    @property
    def path(self) -> str:
        return f"cost.{self.period}"


@dataclass(frozen=True, slots=True)
class MetricCall:
    """`max(metrics.gpu.utilization, 4h)`."""

    function: str
    metric: str
    unit: str
    window: timedelta
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NowRef:
    """`now`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class LocalRef:
    """The variable of an enclosing `exists` or `all`."""

    name: str
    depth: int
    """How many quantifiers enclose the one that binds it."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Has:
    """`has(path)`."""

    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Default:
    """`default(path, literal)`."""

    operand: Node
    fallback: Literal
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Size:
    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextTest:
    """`startsWith`, `endsWith`, `contains`."""

    function: str
    operand: Node
    argument: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lower:
    """`lowerAscii()`."""

    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Matches:
    """`matches` with its compiled RE2 pattern."""

    operand: Node
    pattern: str
    compiled: Any
    """A `re2` pattern object; the library has no types."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`list.exists(x, condition)` or `list.all(x, condition)`."""

    function: str
    operand: Node
    variable: str
    condition: Node
    start: int
    end: int


Node: TypeAlias = (
    Literal
    | ListLiteral
    | Name
    | Member
    | Call
    | Not
    | Negative
    | Logic
    | Comparison
    | Arithmetic
    | FieldRef
    | TagRef
    | TagsRef
    | CostRef
    | MetricCall
    | NowRef
    | LocalRef
    | Has
    | Default
    | Size
    | TextTest
    | Lower
    | Matches
    | Quantifier
)


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct operands of `node`, left to right."""
    match node:
        case Logic():
            return node.operands
        case ListLiteral():
            return node.items
        case Comparison() | Arithmetic():
            return (node.left, node.right)
        case Quantifier():
            return (node.operand, node.condition)
        case TextTest():
            return (node.operand, node.argument)
        case Default():
            return (node.operand, node.fallback)
        case Not() | Negative() | Has() | Size() | Lower() | Matches():
            return (node.operand,)
        case Member():
            return (node.target,)
        case Call():
            return (*((node.target,) if node.target else ()), *node.arguments)
        case _:
            return ()
