"""What a collector made of an answer, held against the kind's declaration: of the right types, and nothing missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.kinds import Kind, Type
from engine.model import Resource
from engine.values import Answer, Reason, Unknown, clean

PYTHON_TYPES: Mapping[Type, tuple[type, ...]] = {
    Type.BOOL: (bool,),
    Type.NUMBER: (int, float, Decimal),
    Type.STRING: (str,),
    Type.TIMESTAMP: (datetime,),
    Type.DURATION: (timedelta,),
    Type.STRINGS: (tuple,),
}


def typed(value: object, declared: Type, path: str) -> Answer:
    """Return `value` as the engine keeps it, or why it is not one of the declared type: nothing is converted."""
    found = clean(value, path)
    if isinstance(found, Unknown):
        return found
    fits = isinstance(found, PYTHON_TYPES[declared]) and isinstance(found, bool) == (declared is Type.BOOL)
    if fits and isinstance(found, tuple):
        fits = all(isinstance(item, str) for item in found)
    return found if fits else Unknown(Reason.WRONG_TYPE, f"{value!r:.60}", path)


def checked(resource: Resource, kind: Kind) -> Resource:
    """
    Return `resource` with an `Unknown` in the place of each field that is not of its declared type or did not come.

    Raises:
        TypeError: where its id or name is no text.
    """
    if not all(isinstance(text, str) for text in (resource.id, resource.name)):
        raise TypeError("an id or name that is no text")
    fields = {name: _checked(value, kind, name) for name, value in resource.fields.items()}
    for declared in kind.fields:
        if declared.name not in fields and not declared.optional and declared.group not in resource.gaps:
            why = Unknown(Reason.SOURCE_ERROR, "it did not come with the answer", f"resource.{declared.name}")
            fields[declared.name] = why
    return replace(resource, fields=fields)


def _checked(value: Answer, kind: Kind, name: str) -> Answer:
    return value if isinstance(value, Unknown) else typed(value, kind.field_by_name[name].type, f"resource.{name}")
