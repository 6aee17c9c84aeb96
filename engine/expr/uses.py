"""What an expression reads: from this the estate knows what to fetch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.expr.syntax import CostRef, FieldRef, MetricCall, Node, TagRef, TagsRef, children


@dataclass(frozen=True, slots=True)
class Uses:
    """Everything a resolved expression may ask of a resource."""

    fields: frozenset[str]
    tags: bool
    metrics: Mapping[str, timedelta]
    """Metric name to the longest window."""
    cost: bool


def uses(node: Node) -> Uses:
    """Return what `node` reads."""
    fields: set[str] = set()
    metrics: dict[str, timedelta] = {}
    tags = cost = False
    for part in walk(node):
        match part:
            case FieldRef():
                fields.add(part.name)
            case TagRef() | TagsRef():
                tags = True
            case CostRef():
                cost = True
            case MetricCall():
                metrics[part.metric] = max(part.window, metrics.get(part.metric, part.window))
    return Uses(frozenset(fields), tags, metrics, cost)


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it."""
    pending = [node]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(children(part))
