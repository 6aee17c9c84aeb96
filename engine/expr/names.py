"""Names as written to fields, tags, costs and variables."""

from __future__ import annotations

from engine.errors import did_you_mean
from engine.expr.scope import ROOTS, Scope
from engine.expr.shapes import ERROR, TEXT, TIMESTAMP, Shape, of_field
from engine.expr.syntax import CostRef, FieldRef, LocalRef, Member, Name, Node, NowRef, TagRef, TagsRef
from engine.kinds import Field, Type

NARROWER = "name kinds that agree under `resource`, and write one policy for each"


class NameResolver:
    """Resolves names and chains of members."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def resolve(self, node: Name | Member) -> tuple[Node, Shape]:
        root, path = chain(node)
        if root is None:
            self.scope.add("unknown-field", "only `resource`, `tags` and `cost` have members", node)
            return node, ERROR
        for depth, (name, shape) in reversed(list(enumerate(self.scope.variables))):
            if name == root.name:
                return self.variable(node, path, LocalRef(name, depth, node.start, node.end), shape)
        match root.name:
            case "resource":
                return self.field(node, root, path)
            case "tags":
                return self.tag(node, path)
            case "cost":
                return self.cost(node, path)
            case "now":
                return self.moment(node, path)
            case "metrics":
                hint = "write for example `max(metrics.gpu.utilization, 4h)`"
                self.scope.add("type-mismatch", "a metric is read over a window", node, hint)
                return node, ERROR
            case _:
                return self.unknown(node, root)

    def variable(self, node: Node, path: list[Member], local: LocalRef, shape: Shape) -> tuple[Node, Shape]:
        if path:
            self.scope.add("unknown-field", f"`{local.name}` is {shape.words} and has no members", node)
            return node, ERROR
        return local, shape

    def field(self, node: Node, root: Name, path: list[Member]) -> tuple[Node, Shape]:
        if not path:
            hint = "name a field, such as `resource.state`"
            self.scope.add("unknown-field", "`resource` by itself has no value", root, hint)
            return node, ERROR
        name = ".".join(member.name for member in path)
        found = [(kind, kind.field_by_name.get(name)) for kind in self.scope.kinds]
        lacking = [kind.name for kind, field in found if field is None]
        if lacking:
            self._unknown_field(name, path, lacking)
            return node, ERROR
        fields = [field for _, field in found if field is not None]
        if len({field.type for field in fields}) > 1:
            message = f"`{name}` does not have the same type for all kinds of the policy"
            self.scope.add("type-mismatch", message, node, NARROWER)
            return node, ERROR
        if len({field.unit for field in fields}) > 1:
            message = f"`{name}` does not have the same unit for all kinds of the policy"
            self.scope.add("type-mismatch", message, node, NARROWER)
            return node, ERROR
        first = fields[0]
        values = tuple(dict.fromkeys(v for f in fields for v in f.values)) if _all_enumerated(fields) else ()
        groups = {kind.name: field.group for kind, field in found if field is not None}
        required = frozenset(kind.name for kind, field in found if field is not None and not field.optional)
        reference = FieldRef(name, first.type, first.unit, groups, node.start, node.end, values, required)
        return reference, of_field(first.type, first.unit, values)

    def _unknown_field(self, name: str, path: list[Member], lacking: list[str]) -> None:
        known: set[str] = set.intersection(*(set(kind.field_by_name) for kind in self.scope.kinds))
        hint = did_you_mean(name, sorted(known))
        if len(lacking) < len(self.scope.kinds):
            hint = "name only kinds that have it under `resource`"
        elif not hint and name.startswith("tags"):
            hint = "write `tags.<key>`"
        of = ", ".join(f"`{kind}`" for kind in lacking)
        span = (path[0].name_start, path[-1].end)
        self.scope.add("unknown-field", f"unknown field `{name}` of {of}", span, hint)

    def tag(self, node: Node, path: list[Member]) -> tuple[Node, Shape]:
        if not path:
            return TagsRef(node.start, node.end), of_field(Type.TAGS)
        if len(path) > 1:
            hint = f'write `tags["{".".join(member.name for member in path)}"]`'
            self.scope.add("unknown-field", "a tag is text and has no members", node, hint)
            return node, ERROR
        return TagRef(path[0].name, node.start, node.end), TEXT

    def cost(self, node: Node, path: list[Member]) -> tuple[Node, Shape]:
        name = ".".join(member.name for member in path)
        if name not in ("hourly", "monthly"):
            hint = did_you_mean(name, ("hourly", "monthly")) or "write `cost.hourly` or `cost.monthly`"
            self.scope.add("unknown-field", f"unknown cost `{name}`", node, hint)
            return node, ERROR
        return CostRef(name, node.start, node.end), Shape(Type.NUMBER, "usd")

    def moment(self, node: Node, path: list[Member]) -> tuple[Node, Shape]:
        if path:
            self.scope.add("unknown-field", "`now` is a time and has no members", node)
            return node, ERROR
        return NowRef(node.start, node.end), TIMESTAMP

    def unknown(self, node: Node, root: Name) -> tuple[Node, Shape]:
        fields = {name for kind in self.scope.kinds for name in kind.field_by_name}
        written = ".".join([root.name, *(member.name for member in chain(node)[1])])
        if written in fields or root.name in fields:
            hint = f"write `resource.{written}`"
        else:
            hint = did_you_mean(root.name, ROOTS) or f'put text in quotes: `"{root.name}"`'
        self.scope.add("unknown-name", f"unknown name `{root.name}`", root, hint)
        return node, ERROR


def chain(node: Node) -> tuple[Name | None, list[Member]]:
    """Return the name a chain of members starts at and its members in order; None where it starts otherwise."""
    path: list[Member] = []
    while isinstance(node, Member):
        path.append(node)
        node = node.target
    path.reverse()
    return (node, path) if isinstance(node, Name) else (None, path)


def _all_enumerated(fields: list[Field]) -> bool:
    return all(field.values for field in fields)
