"""The page of kinds: what a policy may ask of each resource."""

from __future__ import annotations

from bursar.reference.tables import table
from engine.kinds import COMMON_FIELDS, Catalog, Field, Kind


def kinds_page(catalog: Catalog) -> str:
    """Return the page of all kinds and classes."""
    classes = ((f"`{name}`", ", ".join(f"`{kind.name}`" for kind in kinds)) for name, kinds in catalog.classes.items())
    parts = [
        "# Kinds\n",
        "A policy's `resource` names a kind, or a class: the same idea across clouds. `resource.NAME` reads a field;",
        "a field outside the group `core` costs API calls of its own and is asked for only when a policy reads it.",
        "A field marked *optional* may be absent from a resource that was read completely.\n",
        "## Classes\n",
        table(("class", "kinds"), classes),
        "## Fields of every kind\n",
        _fields(COMMON_FIELDS),
        *(_kind(kind) for kind in catalog.kinds.values()),
    ]
    return "\n".join(parts)


def _kind(kind: Kind) -> str:
    classes = ", ".join(f"`{name}`" for name in kind.classes)
    parts = [f"## {kind.name}\n", f"{kind.title}; class {classes}.\n", _fields(kind.fields)]
    if kind.metrics:
        rows = (
            (
                f"`{m.name}`",
                m.unit,
                f"{m.interval} s",
                m.signal,
                f"one for each of `{m.devices}`" if m.devices else "one",
                m.doc,
            )
            for m in kind.metrics
        )
        parts.append(table(("metric", "unit", "interval", "signal", "series", "meaning"), rows))
    return "\n".join(parts)


def _fields(fields: tuple[Field, ...]) -> str:
    rows = ((f"`{f.name}`", _type(f), f.group, _meaning(f)) for f in fields)
    return table(("field", "type", "group", "meaning"), rows)


def _type(field: Field) -> str:
    unit = f", {field.unit}" if field.unit else ""
    return f"{field.type.value}{unit}{', optional' if field.optional else ''}"


def _meaning(field: Field) -> str:
    values = f" One of {', '.join(f'`{value}`' for value in field.values)}." if field.values else ""
    return field.doc + values
