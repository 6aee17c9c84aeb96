"""The JSON Schema of policy files, for editors: made from the models, with the installation's names filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.kinds import Catalog
from engine.policy.checks import CHECKS
from engine.policy.document import FileDocument
from engine.policy.model import Parameter, Remediation
from engine.policy.scalars import ANY_TEXT

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(catalog: Catalog, remediations: Mapping[str, Remediation]) -> dict[str, Any]:
    """Return the schema; kinds, classes, metrics and remediations are those of this installation."""
    schema = FileDocument.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    policy = definitions["PolicyDocument"]
    properties = policy["properties"]
    _fill(properties["resource"], list(catalog.selectors))
    properties["remediate"]["items"] = _remedy(remediations)
    policy["oneOf"] = [{"required": [check]} for check in CHECKS]
    _name_metrics(definitions["Idle"]["properties"]["below"], catalog)
    title = schema.pop("title")
    _tidy(schema)
    return {"$schema": DIALECT, "title": title, **schema}


def _tidy(schema: dict[str, Any]) -> None:
    """
    Leave out of `schema` and all below it what would mislead an editor.

    Editors write defaults into files and show titles: a default that may not be written, and a title that only
    repeats the key, go; so does null for a key that is left out instead.
    """
    for about in schema.get("properties", {}).values():
        about.pop("title", None)
        if "default" in about and about["default"] is None:
            _without_null(about)
        if not _writable(about):
            about.pop("default", None)
    if schema.get("type") == "array" and "minLength" in schema:
        schema["minItems"] = schema.pop("minLength")
    for below in schema.values():
        for part in below.values() if isinstance(below, dict) else below if isinstance(below, list) else ():
            if isinstance(part, dict):
                _tidy(part)


def _without_null(about: dict[str, Any]) -> None:
    choices = [choice for choice in about.pop("anyOf") if choice != {"type": "null"}]
    about.update(choices[0] if len(choices) == 1 else {"anyOf": choices})


def _writable(about: dict[str, Any]) -> bool:
    """Return whether the default can stand in a policy file as it is."""
    default = about.get("default")
    if isinstance(default, dict) or not default:
        return False
    if isinstance(default, str):
        return re.search(about.get("pattern", ""), default) is not None
    return not (isinstance(default, list) and any(isinstance(item, dict) for item in default))


def _fill(resource: dict[str, Any], names: list[str]) -> None:
    """Let `resource` be one of `names` or a list of them."""
    one: dict[str, Any] = {"type": "string", "enum": names}
    kept: dict[str, Any] = {key: resource[key] for key in ("description", "examples") if key in resource}
    resource.clear()
    resource.update({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}], **kept})


def _remedy(remediations: Mapping[str, Remediation]) -> dict[str, Any]:
    """Return what may stand in the list `remediate`: a name, or a name with its parameters."""
    plain = [name for name, found in sorted(remediations.items()) if not any(p.required for p in found.parameters)]
    taking = {name: _parameters(found) for name, found in sorted(remediations.items()) if found.parameters}
    mapping = {
        "type": "object",
        "properties": taking,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [{"type": "string", "enum": plain}, mapping]}


def _parameters(found: Remediation) -> dict[str, Any]:
    values = {p.name: _value(p) for p in found.parameters}
    free = values.pop("", None)
    schema: dict[str, Any] = {
        "type": "object",
        "description": _sentence(found.title),
        "properties": values,
        "required": [p.name for p in found.parameters if p.required and p.name],
        "additionalProperties": free or False,
    }
    if free:
        schema["minProperties"] = 1
    return schema


def _value(parameter: Parameter) -> dict[str, Any]:
    about: dict[str, Any] = {**ANY_TEXT, "description": _sentence(parameter.doc), "examples": [parameter.example]}
    # What is in a tag is text in any script, which the patterns of editors know no word for.
    return {**about, "pattern": f"^({parameter.pattern})$"} if parameter.name else about


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _name_metrics(below: dict[str, Any], catalog: Catalog) -> None:
    names = sorted({metric.name for kind in catalog.kinds.values() for metric in kind.metrics})
    below["propertyNames"] = {"enum": names}
    below["minProperties"] = 1
