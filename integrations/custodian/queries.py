"""What a policy of theirs lets the service filter (`query`), as a condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrations.custodian.comparing import compared, present
from integrations.custodian.condition import Condition, every
from integrations.custodian.literal import shown
from integrations.custodian.mapping import TYPES
from integrations.custodian.model import Refused, Scope
from integrations.custodian.operand import Operand, operand_of

SIZES = frozenset({"MaxResults"})
"""Keys that say how much comes at once, and nothing about what."""
WILD = frozenset("*?\\")


def query_condition(query: Any, scope: Scope) -> Condition:
    """
    Return the condition that the service's filters state.

    Raises:
        Refused: where one of them has no equal.
    """
    try:
        return every(_one(name, values, scope) for name, values in _pairs(query))
    except Refused as refused:
        raise refused.under("query") from refused


def _pairs(query: Any) -> Iterator[tuple[str, list[Any]]]:
    if not isinstance(query, list):
        raise Refused("the query is no list")
    for entry in query:
        if not isinstance(entry, dict) or len(entry) != 1:
            raise Refused(f"{shown(entry)} of the query has no equal")
        ((name, values),) = entry.items()
        if name in SIZES or (name == "augment-keys" and values in ("all", "detect")):
            continue
        if name == "Filters" and isinstance(values, list):
            for part in values:
                if not isinstance(part, dict) or set(part) != {"Name", "Values"}:
                    raise Refused(f"{shown(part)} of the query has no equal")
                yield str(part["Name"]), part["Values"] if isinstance(part["Values"], list) else []
            continue
        yield str(name), values if isinstance(values, list) else [values]


def _one(name: str, values: list[Any], scope: Scope) -> Condition:
    if not values or not all(isinstance(value, str) for value in values):
        raise Refused(f"{shown(values)} of the query `{name}` has no equal")
    if any(WILD & set(value) for value in values):
        raise Refused(f"{shown(values)} of the query `{name}` holds a wildcard of the service")
    if name == "tag-key" and len(values) == 1:
        return present(_operand(f"tag:{values[0]}", scope))
    if name.startswith("tag:"):
        return compared(_operand(name, scope), "in", values)
    path = TYPES[scope.type].queries.get(name)
    if path is None:
        raise Refused(f"the query `{name}` has no equal")
    return compared(_operand(path, scope), "in", values)


def _operand(path: str, scope: Scope) -> Operand:
    found = operand_of(path, scope)
    assert isinstance(found, Operand)
    return found
