"""The expressions of a policy: from YAML scalars to checked trees, with every mistake at its place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.errors import Place, Problem
from engine.expr.check import resolve
from engine.expr.lint import risky_defaults
from engine.expr.parse import parse
from engine.expr.problems import ExpressionError, ExpressionProblem
from engine.expr.syntax import FieldRef, ListLiteral, Literal, NowRef, TagsRef
from engine.expr.syntax import Node as ExpressionNode
from engine.kinds import Kind, Type
from engine.policy.model import Expression
from engine.policy.places import position_in
from engine.yaml_text import ListNode, MapNode, Node, ScalarNode, Source


@dataclass
class Expressions:
    """Reads expressions of one file and gathers their problems."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    nodes: dict[Place, ScalarNode] = field(default_factory=dict)
    """The scalar of each expression that was returned, by the expression's place."""

    def one(
        self, node: Node | None, kinds: Sequence[Kind] | None, expect: Type | None = Type.BOOL
    ) -> Expression | None:
        """
        Return the expression in `node`; None where there is none or it is wrong.

        Without `kinds`, which are then wrong themselves, names stay unchecked and nothing is returned.
        """
        if not isinstance(node, ScalarNode) or node.null:
            return None  # a wrong shape is the business of the document's model
        try:
            tree = parse(node.text)
        except ExpressionError as error:
            self._add(node, error.problems)
            return None
        if not kinds:
            return None
        resolved, problems = resolve(tree, kinds, expect=expect)
        self._add(node, problems)
        if resolved is None:
            return None
        place = place_in(self.source, node, 0)
        self.nodes[place] = node
        return Expression(" ".join(node.text.split()), resolved, place)

    def many(
        self, node: Node | None, kinds: Sequence[Kind] | None, expect: Type | None = Type.BOOL
    ) -> tuple[Expression, ...]:
        """Return the expressions in a list, or in a single scalar."""
        nodes: Sequence[Node] = node.items if isinstance(node, ListNode) else (node,) if node else ()
        found = (self.one(item, kinds, expect) for item in nodes)
        return tuple(expression for expression in found if expression is not None)

    def groups(self, node: Node | None, kinds: Sequence[Kind] | None) -> tuple[Expression, ...]:
        """Return the expressions of a `group_by`; each has to give one value that can name a group."""
        found = self.many(node, kinds, expect=None)
        for key in found:
            if not _names_a_group(key.node):
                place, hint = key.place, "group by a text, such as `tags.team` or `resource.account`"
                self.problems.append(Problem("type-mismatch", "this cannot name a group", place, hint))
        return found

    def lint(self, conditions: Sequence[Expression], exceptions: Sequence[Expression]) -> None:
        """Refuse defaults that could turn ignorance into a step, in expressions that were read before."""
        for expression, protective in (*((c, False) for c in conditions), *((e, True) for e in exceptions)):
            self._add(self.nodes[expression.place], risky_defaults(expression.node, protective=protective))

    def _add(self, node: ScalarNode, problems: Sequence[ExpressionProblem]) -> None:
        for problem in problems:
            place = place_in(self.source, node, problem.start)
            self.problems.append(Problem(problem.code, problem.message, place, problem.hint))


def _names_a_group(node: ExpressionNode) -> bool:
    """Return whether `node` gives a text, number or truth value."""
    match node:
        case TagsRef() | ListLiteral() | NowRef() | Literal(value=None):
            return False
        case FieldRef():
            return node.type in (Type.STRING, Type.NUMBER, Type.BOOL)
        case _:
            return True


def place_in(source: Source, node: ScalarNode, offset: int) -> Place:
    """Return the place in the file of the character at `offset` of the text of `node`."""
    return source.place(node.start + position_in(source.text[node.start : node.end], node.text, offset))


def below(node: Node | None, key: str) -> Node | None:
    """Return what stands under `key` of a mapping."""
    return node.get(key) if isinstance(node, MapNode) else None
