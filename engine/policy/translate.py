"""
Between the tree of a YAML file and pydantic: nodes to plain values, and pydantic's errors to problems
that stand where the mistake does, in our own words.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import Problem, did_you_mean
from engine.policy.scalars import Null
from engine.units import UnitError
from engine.yaml_text import BrokenNode, ListNode, MapNode, Node, Plain, ScalarNode

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]
SALVAGES = 3
"""So many times what is wrong is left out: a mapping without its wrong parts can be wrong itself."""
_BARE = re.compile(r"\w[\w./-]*")
"""What YAML takes for a text without quotes, also in a list."""
_COMMENT = re.compile(r"\s*(#\S[^\s,}\]]*)")


def plain(node: Node) -> Any:
    """Return the value of `node` without places: text, `Null`, lists and dicts."""
    match node:
        case ScalarNode():
            if node.null:
                return Null()
            return Plain(node.text) if node.plain else node.text
        case ListNode():
            return [plain(item) for item in node.items]
        case MapNode():
            return {key.text: plain(value) for key, value in node.entries}
        case BrokenNode():
            return node


def validate(model: type[Model], node: Node) -> tuple[Model | None, list[Problem]]:
    """Return `node` as a `model`, or everything that is wrong with it."""
    try:
        return model.model_validate(plain(node)), []
    except ValidationError as error:
        found = (_problem(model, node, details) for details in error.errors(include_url=False))
        return None, list(dict.fromkeys(problem for problem in found if problem is not None))


def salvage(model: type[Model], node: Node) -> Model | None:
    """Return `node` as a `model` with everything left out that is wrong; None where too little is left."""
    value = plain(node)
    for _ in range(SALVAGES):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            changed = False
            for details in error.errors(include_url=False):
                location = details["loc"]
                if details["type"] == "missing" and len(location) == 1 and isinstance(value, dict):
                    value[location[0]] = "missing"
                    changed = True
                else:
                    changed |= _drop(value, location)
            if not changed:
                return None
    return None


def _drop(value: Any, location: Location) -> bool:
    """Remove the deepest part of `value` that `location` reaches; lists keep their length by losing the whole list."""
    owner: tuple[dict[str, Any], str] | None = None
    for step in location:
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            owner = (value, step)
            value = value[step]
        else:
            break
    if owner is None:
        return False
    del owner[0][owner[1]]
    return True


def find(node: Node, location: Sequence[int | str]) -> Node:
    """Return the node at `location`, or the nearest above it that exists."""
    for step in location:
        match node, step:
            case MapNode(), str():
                below = node.get(step)
            case ListNode(), int() if step < len(node.items):
                below = node.items[step]
            case _:
                below = None
        if below is not None:
            node = below
    return node


def _problem(model: type[BaseModel], root: Node, details: ErrorDetails) -> Problem | None:
    location = details["loc"]
    node = find(root, location)
    if isinstance(node, BrokenNode):
        return None  # it has a problem of its own already
    if details["type"] == "extra_forbidden":
        return _unknown_key(model, root, location)
    if details["type"] == "missing":
        parent = find(root, location[:-1])
        where = f" of `{location[-2]}`" if len(location) > 1 and isinstance(location[-2], str) else ""
        return Problem("missing-key", f"the key `{location[-1]}`{where} is missing", parent.place)
    if details["type"] == "too_short" and isinstance(node, ListNode) and node.items:
        return None  # its items are wrong, each with a problem of its own
    message, hint = _words(details, node)
    return Problem("wrong-value", message, node.place, hint)


def _unknown_key(model: type[BaseModel], root: Node, location: Location) -> Problem:
    parent, name = find(root, location[:-1]), str(location[-1])
    key = parent.key(name) if isinstance(parent, MapNode) else None
    known = keys_of(model, location[:-1])
    hint = did_you_mean(name, known) or _belongs(model, parent, location, known)
    hint = hint or (f"there are {', '.join(f'`{k}`' for k in known)}" if known else "")
    owner = next((step for step in reversed(location[:-1]) if isinstance(step, str)), "")
    where = f" of `{owner}`" if owner else ""
    return Problem("unknown-key", f"`{name}` is not a key{where}", key.place if key else parent.place, hint)


def _belongs(model: type[BaseModel], parent: Node, location: Location, known: Sequence[str]) -> str:
    """Return the way out where a key stands beside the mapping that it belongs into, for want of indentation."""
    for key in known:
        if isinstance(parent, MapNode) and parent.key(key) and location[-1] in keys_of(model, (*location[:-1], key)):
            return f"it is a key of `{key}`: indent it more than that"
    return ""


def keys_of(model: type[BaseModel], location: Sequence[int | str]) -> tuple[str, ...]:
    """Return the keys of the mapping at `location` of a `model`."""
    current: Any = model
    for step in location:
        current = _below(current, step)
    inside = _models(current)
    return tuple(field.alias or name for name, field in inside[0].model_fields.items()) if inside else ()


def _below(annotation: Any, step: int | str) -> Any:
    """Return the type of what stands under `step` in a value of the type `annotation`; None where nothing may."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _below(parts[0], step)
    if origin in (Union, types.UnionType):
        return next((found for part in parts if (found := _below(part, step)) is not None), None)
    if origin in (tuple, list):
        return parts[0] if isinstance(step, int) else None
    if origin is not None:
        return parts[1] if issubclass(origin, Mapping) else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return next((field.annotation for name, field in fields if (field.alias or name) == step), None)
    return None


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a value of the type `annotation` may be."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _models(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [model for part in get_args(annotation) for model in _models(part)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []


def _words(details: ErrorDetails, node: Node) -> tuple[str, str]:
    """Return message and hint for an error about the value of `node`."""
    context = details.get("ctx", {})
    match context.get("error"):
        case UnitError() as error:
            return error.message, error.hint
        case ValueError() as error:
            return str(error), ""
    written = node.text if isinstance(node, ScalarNode) else ""
    kind = details["type"]
    if kind in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'|(\d+)", str(context.get("expected", "")))
        return _not_one_of(written, [a or b for a, b in known], node)
    if isinstance(node, ScalarNode) and node.null:
        return "a value is missing after the `:`", _commented(node)
    if kind == "too_short":
        return "the list is empty", ""
    wanted = _WANTED.get(kind, "")
    if wanted:
        return f"{wanted} is expected here, not {_named(node)}", _listed(written) if wanted == "a list" else ""
    hint = "write `true` or `false`" if kind == "bool_parsing" else ""
    return f"`{written}` cannot be used here" if written else "this value cannot be used here", hint


def _listed(written: str) -> str:
    """Return a single text as the list of it that was meant."""
    bare = _BARE.fullmatch(written) is not None
    quote = "'" if '"' in written else '"'
    return f"write `[{written if bare else quote + written + quote}]`" if written and "\n" not in written else ""


def _commented(node: ScalarNode) -> str:
    """Return what to write where the value is missing because it reads as a comment."""
    comment = _COMMENT.match(node.place.text, node.place.column - 1)
    return f'a `#` begins a comment: write `"{comment[1]}"`' if comment else ""


_WANTED = {
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "int_type": "a number",
    "int_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "time_delta_type": "a duration such as `4h`",
    "date_type": "a date such as `2026-12-25`",
}


def _not_one_of(written: str, known: list[str], node: Node) -> tuple[str, str]:
    hint = did_you_mean(written, known) or f"write one of {', '.join(f'`{k}`' for k in known)}"
    if isinstance(node, ScalarNode) and node.null:
        return "a value is missing after the `:`", hint
    return (f"`{written}` is not accepted here" if written else f"{_named(node)} is not accepted here"), hint


def _named(node: Node) -> str:
    match node:
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
        case ScalarNode():
            return f"`{node.text}`" if len(node.text) <= 60 else "a long text"
        case BrokenNode():
            return "this"
