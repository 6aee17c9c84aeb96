"""
What stands under a path of theirs, as an operand of our language.

`operand_of` finds it for `value` filters; `integrations.custodian.values` compares it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from engine.errors import did_you_mean
from engine.kinds import Type
from integrations.custodian.condition import quoted
from integrations.custodian.mapping import TYPES
from integrations.custodian.model import Refused, Scope
from integrations.custodian.places import AllTags, Filled, Flag, Items, Presence, Same, Words

TAG_OF_LIST = re.compile(r"""Tags\[\?\s*Key\s*==\s*(['`])"?(?P<key>[^'"`\\]+)"?\1\s*\]\.Value\s*\|\s*\[0\]""")
"""The long way to ask for a tag in JMESPath."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null", "size"})


@dataclass(frozen=True, slots=True)
class Operand:
    """A field or a tag."""

    path: str
    type: Type
    optional: bool = False
    """Whether there may be none; where not, Custodian always has a value too."""
    words: Mapping[str, object] | None = None
    """Their words for its values, where they are not the same."""
    values: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    """Values that nothing here has, because such resources are not read."""
    nothing: str = ""
    """Its value where they have none."""


Found: TypeAlias = Operand | Flag | Presence | Items | AllTags


def tag(key: str) -> Operand:
    """Return the tag `key`."""
    plain = NAME.fullmatch(key) and key not in RESERVED
    return Operand(f"tags.{key}" if plain else f"tags[{quoted(key)}]", Type.STRING, optional=True)


def operand_of(path: str, scope: Scope) -> Found:
    """
    Return what stands under `path`.

    Raises:
        Refused: where nothing here is the same.
    """
    if path.startswith("tag:"):
        return tag(path.removeprefix("tag:"))
    found = TAG_OF_LIST.fullmatch(path)
    if found:
        return tag(found["key"])
    if path.startswith("Tags["):
        raise Refused(f"`{path}` asks about a list of tags in a way that has no equal")
    mapped = TYPES[scope.type]
    place = mapped.paths.get(path)
    match place:
        case Same(name):
            return _field(name, scope, gone=mapped.gone.get(path, frozenset()))
        case Words(name, words):
            return _field(name, scope, words=words)
        case Filled(name, nothing):
            return _field(name, scope, nothing=nothing)
        case None:
            hint = did_you_mean(path, mapped.paths)
            more = f" ({hint})" if hint else ""
            raise Refused(f"no field of `{scope.kind.name}` holds what `{path}` does{more}")
        case _:
            return place


def _field(
    name: str,
    scope: Scope,
    *,
    words: Mapping[str, object] | None = None,
    gone: frozenset[str] = frozenset(),
    nothing: str = "",
) -> Operand:
    declared = scope.kind.field_by_name[name]
    return Operand(
        f"resource.{name}",
        declared.type,
        # A creation time is declared for every kind and known for every resource that Custodian knows it of.
        optional=declared.optional and name != "created",
        words=words,
        values=declared.values,
        gone=gone,
        nothing=nothing,
    )
