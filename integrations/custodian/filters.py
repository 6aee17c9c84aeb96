"""The filters of a policy of theirs to one condition: blocks of `and`, `or` and `not`, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from integrations.custodian.condition import Condition, every, negation, some
from integrations.custodian.mapping import TYPES
from integrations.custodian.metrics import metric_condition
from integrations.custodian.model import Filter, Note, Original, Path, Refused, Scope
from integrations.custodian.special import age_condition, special_condition
from integrations.custodian.values import value_condition

BLOCKS = ("and", "or", "not")
DEEPEST = 10
"""Blocks inside blocks; our expressions are nested no deeper than 32 levels, of which a block takes up to two."""


def filter_condition(item: Any, scope: Scope) -> Condition:
    """
    Return the condition of one filter of a policy.

    Raises:
        Refused: with the place, below it, of the first part that has no equal.
    """
    return _one(item, scope, 0)


def _each(filters: Any, scope: Scope, depth: int) -> Iterator[Condition]:
    if not isinstance(filters, Sequence) or isinstance(filters, str):
        raise Refused("filters stand in a list")
    for number, item in enumerate(filters):
        try:
            yield _one(item, scope, depth)
        except Refused as refused:
            raise refused.under(number) from refused


def _one(item: Any, scope: Scope, depth: int) -> Condition:
    if isinstance(item, str):
        item = {"type": item}
    if not isinstance(item, dict) or not item:
        raise Refused("a filter is a name or a mapping")
    if len(item) == 1 and (block := next(iter(item))) in BLOCKS:
        return _block(block, item[block], scope, depth)
    name = item.get("type")
    if name is None or name == "value":
        if "type" not in item and len(item) > 1:
            raise Refused("the filter has no `type`")
        return value_condition(item, scope)
    return _named(str(name), item, scope)


def _block(block: str, inner: Any, scope: Scope, depth: int) -> Condition:
    if depth >= DEEPEST:
        raise Refused("the blocks are nested too deeply")
    if not inner:
        raise Refused(f"the block `{block}` is empty")
    try:
        parts = list(_each(inner, scope, depth + 1))
    except Refused as refused:
        raise refused.under(block) from refused
    match block:
        case "or":
            return some(parts)
        case "not":
            return negation(every(parts))
        case _:
            return every(parts)


def _named(name: str, item: Filter, scope: Scope) -> Condition:
    if name in TYPES[scope.type].ages:
        return age_condition(name, item, scope)
    if name == "metrics":
        return metric_condition(item, scope)
    found = special_condition(name, item, scope)
    if found is None:
        raise Refused(f"the filter `{name}` has no equal")
    return found


def remarks(original: Original, scope: Scope) -> Iterator[Note]:
    """Yield what the translated filters of a policy count otherwise."""
    known = TYPES[scope.type].remarks
    for name, path in named(original.data.get("filters") or (), ("filters",)):
        if name in known:
            yield Note(known[name], original.line(path))
        elif name == "metrics":
            yield Note(
                "where a part of the metric's window is missing, nothing is known here; Custodian judges what there is",
                original.line(path),
            )


def named(filters: Any, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the type of every filter, with its place, inside blocks too."""
    for number, item in enumerate(filters):
        place = (*path, number)
        if isinstance(item, str):
            yield item, place
        elif isinstance(item, dict):
            if "type" in item:
                yield str(item["type"]), place
            for block in BLOCKS:
                if isinstance(item.get(block), list):
                    yield from named(item[block], (*place, block))
