"""Policies as their authors wrote them: the place and the words of each part of a loaded policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import Place
from engine.expr.syntax import Node as ExpressionNode
from engine.policy.expressions import place_in
from engine.policy.translate import Location, find
from engine.yaml_text import ListNode, MapNode, Node, ScalarNode, Source, parse_yaml


@dataclass(frozen=True)
class Written:
    """The trees of policies by name. Made from texts that were loaded, and so have no mistake in them."""

    trees: Mapping[str, tuple[Source, MapNode]]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Written:
        """Return the policies of all `texts`, by file name."""
        found: dict[str, tuple[Source, MapNode]] = {}
        for file, text in texts.items():
            parsed = parse_yaml(text, file)
            policies = parsed.root.get("policies") if isinstance(parsed.root, MapNode) else None
            for node in policies.items if isinstance(policies, ListNode) else ():
                name = node.get("name") if isinstance(node, MapNode) else None
                if isinstance(node, MapNode) and isinstance(name, ScalarNode):
                    found[name.text] = (parsed.source, node)
        return cls(found)

    def place(self, policy: str, *path: str | int) -> Place:
        """Return where the part at `path` stands, or the nearest part above it that is written."""
        return self._node(policy, path).place

    def text(self, policy: str, *path: str | int) -> str:
        """Return the scalar at `path` as written; empty where there is none."""
        node = self._node(policy, path[:-1])
        below = find(node, path[-1:])
        return below.text if below is not node and isinstance(below, ScalarNode) else ""

    def snippet(self, policy: str, path: Location, node: ExpressionNode) -> str:
        """Return the words of `node` of the expression at `path`, on one line."""
        scalar = self._node(policy, path)
        return words(scalar.text, node) if isinstance(scalar, ScalarNode) else ""

    def place_of(self, policy: str, path: Location, node: ExpressionNode) -> Place:
        """Return where `node` of the expression at `path` begins."""
        source, _ = self.trees[policy]
        scalar = self._node(policy, path)
        return place_in(source, scalar, node.start) if isinstance(scalar, ScalarNode) else scalar.place

    def _node(self, policy: str, path: Location) -> Node:
        _, root = self.trees[policy]
        return find(root, path)


def words(text: str, node: ExpressionNode) -> str:
    """Return the words of `node` of the expression `text`, with the parentheses that belong to it."""
    start, end = node.start, node.end
    while text[start:end].count("(") > text[start:end].count(")") and end < len(text):
        end += 1
    while text[start:end].count(")") > text[start:end].count("(") and start > 0:
        start -= 1
    return " ".join(text[start:end].split())
